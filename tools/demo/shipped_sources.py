"""The table that says where each shipped picture comes from."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

_MAIL_ADDRESS = re.compile(r"[\[(<]?\S+@\S+\.\w+[\])>]?")


@dataclass(frozen=True)
class ShippedPicture:
    """One row of `demo/SOURCES.tsv`."""

    name: str
    title: str
    author: str
    licence: str
    source: str


def clean_text(text: str) -> str:
    """Return the text on one line, without e-mail addresses: names are credit, addresses are not.

    >>> clean_text("Jakob [jakob@example.org]\\n")
    'Jakob'
    """
    return " ".join(_MAIL_ADDRESS.sub("", repair_encoding(text)).split())


def repair_encoding(text: str) -> str:
    """Undo UTF-8 that was read as Latin-1, as the text chunks of a PNG are by definition.

    >>> repair_encoding("MÃ¼ller"), repair_encoding("Müller")
    ('Müller', 'Müller')
    """
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def write_sources(pictures: Sequence[ShippedPicture], path: Path) -> None:
    """Write one tab-separated row per picture, ordered by name."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(field.name for field in fields(ShippedPicture))
        writer.writerows(sorted(astuple(picture) for picture in pictures))


def read_sources(path: Path) -> list[ShippedPicture]:
    """Return the rows that `write_sources` wrote."""
    with path.open(encoding="utf-8", newline="") as file:
        return [ShippedPicture(**row) for row in csv.DictReader(file, delimiter="\t")]
