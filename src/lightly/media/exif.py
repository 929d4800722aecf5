"""EXIF entries as JSON values: bounded, printable, without binary blobs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, TypeAlias

from PIL import ExifTags, Image

from lightly.media import limits

ExifValue: TypeAlias = str | int | float | list["ExifValue"]

_SUB_FOLDERS = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)


def describe_exif(exif: Image.Exif | None) -> dict[str, ExifValue]:
    """Return the entries by tag name, such as `{"Make": "Canon", "FNumber": 2.8}`.

    Maker notes, embedded previews and other binary values are left out; fractions become floats;
    text is cut at `limits.MAX_EXIF_TEXT_CHARS`. Damaged entries are skipped, never an error.
    """
    if exif is None:
        return {}
    described: dict[str, ExifValue] = {}
    for name, raw in _iterate_entries(exif):
        value = _describe(raw)
        if value is not None:
            described[name] = value
        if len(described) >= limits.MAX_EXIF_ENTRIES:
            break
    return described


def _iterate_entries(exif: Image.Exif) -> Iterator[tuple[str, Any]]:
    yield from _name_entries(exif, ExifTags.TAGS)
    for folder in _SUB_FOLDERS:
        names = ExifTags.GPSTAGS if folder is ExifTags.IFD.GPSInfo else ExifTags.TAGS
        try:
            entries = exif.get_ifd(folder)
        except (OSError, ValueError, TypeError, KeyError, SyntaxError, Warning):
            continue
        yield from _name_entries(entries, names)


def _name_entries(entries: Any, names: dict[int, str]) -> Iterator[tuple[str, Any]]:
    for tag in list(entries):
        name = names.get(tag)
        # The pointers to sub-folders are offsets into the file, not facts about the image.
        if name and tag not in ExifTags.IFD.__members__.values():
            yield name, entries.get(tag)


def _describe(raw: Any) -> ExifValue | None:
    if isinstance(raw, bytes):
        return _describe_text(raw.decode("ascii")) if _is_text(raw) else None
    if isinstance(raw, str):
        return _describe_text(raw)
    if isinstance(raw, int):
        return int(raw)
    if isinstance(raw, tuple | list):
        return _describe_list(raw)
    return _describe_number(raw)


def _describe_list(raw: tuple[Any, ...] | list[Any]) -> ExifValue | None:
    if len(raw) > limits.MAX_EXIF_LIST_ITEMS:
        return None
    values = [_describe(item) for item in raw]
    return [value for value in values if value is not None] or None


def _describe_number(raw: Any) -> float | None:
    try:
        number = float(raw)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _is_text(raw: bytes) -> bool:
    return bool(raw) and len(raw) <= limits.MAX_EXIF_TEXT_CHARS and raw.isascii()


def _describe_text(raw: str) -> str | None:
    text = raw.split("\x00", 1)[0].strip()[: limits.MAX_EXIF_TEXT_CHARS]
    # Lone surrogates and control characters would break JSON readers and terminals.
    cleaned = "".join(char for char in text if char.isprintable())
    return cleaned or None
