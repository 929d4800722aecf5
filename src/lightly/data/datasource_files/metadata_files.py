"""Metadata of images, videos and frames in a datasource: the schema, and a file for each."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field, TypeAdapter, with_config
from typing_extensions import TypedDict

from lightly.data.datasource_files.errors import FileInvalid, shorten
from lightly.data.datasource_files.json_files import check_finite, encode_json, parse_json
from lightly.data.datasource_files.names import (
    METADATA_SCHEMA_FILE,
    cut_extension,
    name_metadata_file,
)

ValueType = Literal[
    "NUMERIC_INT",
    "NUMERIC_FLOAT",
    "CATEGORICAL_STRING",
    "CATEGORICAL_INT",
    "CATEGORICAL_BOOLEAN",
    "CATEGORICAL_DATETIME",
    "CATEGORICAL_TIMESTAMP",
    "OTHER_STRING",
]
Subject = Literal["image", "video", "frame"]

_SCHEMA_REMEDY = (
    'Write a list such as [{"name": "Weather", "path": "scene.weather", "defaultValue": "unknown",'
    ' "valueDataType": "CATEGORICAL_STRING"}].'
)
_REMEDY = "Put the file right, or remove it: without a file the schema's default values count."
#: A part of a path: a key, then any number of positions in lists.
_PART = re.compile(r"([^.\[\]]+)((?:\[[0-9]{1,9}\])*)\Z")
_POSITION = re.compile(r"\[([0-9]+)\]")
_CONFIG = ConfigDict(strict=True, extra="ignore")


@with_config(_CONFIG)
class _EntryContent(TypedDict):
    name: Annotated[str, Field(min_length=1)]
    path: Annotated[str, Field(min_length=1)]
    defaultValue: NotRequired[Any]
    valueDataType: ValueType


@with_config(_CONFIG)
class _FileContent(TypedDict):
    file_name: NotRequired[str]
    type: NotRequired[Subject]
    metadata: dict[str, Any]


_SCHEMA = TypeAdapter(list[_EntryContent])
_FILE = TypeAdapter(_FileContent)


@dataclass(frozen=True)
class MetadataEntry:
    """One value that files with metadata have.

    Attributes:
        name: What people see.
        path: Where it is in a file's metadata, such as `scene.weather` or `wheels[0].speed`.
        default_value: Counts where it is missing or null; None for no value.
        value_type: Of the contract.
    """

    name: str
    path: str
    default_value: Any
    value_type: ValueType


@dataclass(frozen=True, slots=True)
class FileMetadata:
    """What is known of one image, video or frame.

    Attributes:
        file_name: Its name, if the file says so.
        subject: `image`, `video` or `frame`, if the file says so. That of a video holds for all
            its frames.
        content: Everything in the file, as it is.
        values: The value of each entry of the schema, by its path.
    """

    file_name: str | None
    subject: Subject | None
    content: dict[str, Any]
    values: dict[str, Any]


def parse_metadata_schema(
    content: bytes, file: str = METADATA_SCHEMA_FILE
) -> tuple[MetadataEntry, ...]:
    """Return the entries of a metadata schema.

    Args:
        content: The bytes of `schema.json`.
        file: Its name, for errors.

    Raises:
        FileInvalid: If it breaks a rule, such as a default value of another type.

    >>> parse_metadata_schema(
    ...     b'[{"name": "Speed", "path": "speed", "valueDataType": "NUMERIC_FLOAT"}]'
    ... )[0].path
    'speed'
    """
    entries = []
    seen: set[str] = set()
    rows = parse_json(_SCHEMA, content, file, _SCHEMA_REMEDY)
    for number, read in enumerate(rows):
        entry = MetadataEntry(
            read["name"], read["path"], read.get("defaultValue"), read["valueDataType"]
        )
        if _split_path(entry.path) is None:
            rule = f"must be keys with dots between, got {shorten(entry.path)}"
            raise FileInvalid(file, f"{number}.path", rule, "Write it like 'a.b' or 'list[0].x'.")
        if entry.path in seen:
            rule = f"is given twice: {shorten(entry.path)}"
            raise FileInvalid(file, f"{number}.path", rule, "Keep one entry for each path.")
        seen.add(entry.path)
        if entry.default_value is not None:
            _check_value(entry, entry.default_value, file, f"{number}.defaultValue", _SCHEMA_REMEDY)
        entries.append(entry)
    return tuple(entries)


def parse_metadata(
    content: bytes, schema: Sequence[MetadataEntry], file: str, *, stem: str | None = None
) -> FileMetadata:
    """Return what a file with metadata holds.

    Args:
        content: The file's bytes.
        schema: What values there are.
        file: The file's name, for errors.
        stem: Name of the image without extension, by where the file lies. The one that the file
            names must have it. None if nobody knows.

    Raises:
        FileInvalid: With the place in the file and the rule that it breaks.

    >>> speed = MetadataEntry("Speed", "car.speed", 0.0, "NUMERIC_FLOAT")
    >>> parse_metadata(b'{"metadata": {"car": {"speed": 3}}}', [speed], "a.json").values
    {'car.speed': 3}
    """
    read = parse_json(_FILE, content, file, _REMEDY)
    check_finite(content, file, _REMEDY)
    file_name = read.get("file_name")
    if stem is not None and file_name is not None and cut_extension(file_name) != stem:
        rule = f"must be what the file is named after, got {shorten(file_name, 80)}"
        raise FileInvalid(file, "file_name", rule, "Move the file, or leave 'file_name' out.")
    values = read_values(read["metadata"], schema, file)
    return FileMetadata(file_name, read.get("type"), read["metadata"], values)


def read_values(
    metadata: Mapping[str, Any], schema: Sequence[MetadataEntry], file: str
) -> dict[str, Any]:
    """Return the value of each entry of a schema by its path.

    Args:
        metadata: Everything that is known.
        schema: What values there are.
        file: Where the metadata come from, for errors.

    Raises:
        FileInvalid: If a value is of another type than its entry says.
    """
    return {entry.path: _read_value(metadata, entry, file) for entry in schema}


def list_default_values(schema: Sequence[MetadataEntry]) -> dict[str, Any]:
    """Return the values of what has no file, by path."""
    return {entry.path: entry.default_value for entry in schema}


def encode_metadata_schema(entries: Sequence[MetadataEntry]) -> bytes:
    """Return the bytes of a metadata schema, checked like one that is read.

    Raises:
        FileInvalid: If an entry breaks a rule.
    """
    content = encode_json(write_entries(entries), METADATA_SCHEMA_FILE)
    parse_metadata_schema(content)
    return content


def write_entries(entries: Sequence[MetadataEntry]) -> list[dict[str, Any]]:
    """Return the entries of a metadata schema as the file and the API have them."""
    return [
        {
            "name": entry.name,
            "path": entry.path,
            "defaultValue": entry.default_value,
            "valueDataType": entry.value_type,
        }
        for entry in entries
    ]


def encode_metadata(
    file_name: str, subject: Subject, metadata: Mapping[str, Any], schema: Sequence[MetadataEntry]
) -> bytes:
    """Return the bytes of a file with metadata, checked like one that is read.

    Raises:
        FileInvalid: If the metadata do not fit the schema or are no JSON.
    """
    file = name_metadata_file(file_name)
    content = encode_json(
        {"file_name": file_name, "type": subject, "metadata": dict(metadata)}, file
    )
    parse_metadata(content, schema, file, stem=cut_extension(file_name))
    return content


def _split_path(path: str) -> list[str | int] | None:
    """Return the keys and positions of a path, None if it has another form."""
    steps: list[str | int] = []
    for part in path.split("."):
        found = _PART.match(part)
        if found is None:
            return None
        steps += [found[1], *(int(position) for position in _POSITION.findall(found[2]))]
    return steps


def _read_value(metadata: Mapping[str, Any], entry: MetadataEntry, file: str) -> Any:
    value: Any = metadata
    for step in _split_path(entry.path) or ():
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        else:
            value = value[step] if isinstance(value, list) and step < len(value) else None
        if value is None:
            return entry.default_value
    _check_value(entry, value, file, f"metadata.{entry.path}", _REMEDY)
    return value


def _check_value(entry: MetadataEntry, value: object, file: str, key: str, remedy: str) -> None:
    rule, is_valid = _VALUE_RULES[entry.value_type]
    if not is_valid(value):
        text = f"must be {rule}, as {entry.value_type} says, got {shorten(value)}"
        raise FileInvalid(file, key, text, remedy)


def _is_int(value: object) -> bool:
    return type(value) is int


def _is_number(value: object) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_datetime(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


_VALUE_RULES: dict[str, tuple[str, Callable[[object], bool]]] = {
    "NUMERIC_INT": ("a whole number", _is_int),
    "NUMERIC_FLOAT": ("a finite number", _is_number),
    "CATEGORICAL_STRING": ("a text", _is_text),
    "CATEGORICAL_INT": ("a whole number", _is_int),
    "CATEGORICAL_BOOLEAN": ("true or false", lambda value: isinstance(value, bool)),
    "CATEGORICAL_DATETIME": ("a date and time in ISO 8601", _is_datetime),
    "CATEGORICAL_TIMESTAMP": ("a number of milliseconds since 1970", _is_int),
    "OTHER_STRING": ("a text", _is_text),
}
