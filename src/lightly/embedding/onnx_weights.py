"""Weights out of an ONNX file, without running it: the format is plain protobuf."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightly.embedding.registry import UnusableModel

# Numbers of fields in `onnx.proto3`.
_GRAPH = 7
_INITIALIZER = 5
_DIMS, _TYPE, _NAME, _RAW_DATA = 1, 2, 8, 9
_TYPES: dict[int, np.dtype[Any]] = {1: np.dtype("<f4"), 10: np.dtype("<f2")}
_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5


def read_weights(path: Path, names: Collection[str]) -> dict[str, NDArray[np.float32]]:
    """Return constant tensors of a graph as float32.

    Args:
        path: The ONNX file.
        names: Which tensors.

    Raises:
        UnusableModel: If one is not there, or not a tensor of floats inside the file.
    """
    found: dict[str, NDArray[np.float32]] = {}
    try:
        for graph in _select(memoryview(path.read_bytes()), _GRAPH):
            for tensor in _select(graph, _INITIALIZER):
                name, values = _read_tensor(tensor, names)
                if values is not None:
                    found[name] = values
    except (OSError, IndexError, ValueError) as error:
        raise UnusableModel(f"The weights in {path.name!r} cannot be read.") from error
    missing = sorted(set(names) - set(found))
    if missing:
        raise UnusableModel(f"The file {path.name!r} has no weights named {missing[0]!r}.")
    return found


def _read_tensor(
    tensor: memoryview, names: Collection[str]
) -> tuple[str, NDArray[np.float32] | None]:
    dims: list[int] = []
    kind, name, raw = 0, "", memoryview(b"")
    for field, value in _iterate_fields(tensor):
        if field == _DIMS:
            # Packed in a run of bytes by some writers, one by one by others.
            dims += [value] if isinstance(value, int) else _read_varints(value)
        elif field == _TYPE:
            kind = value
        elif field == _NAME:
            name = bytes(value).decode()
        elif field == _RAW_DATA:
            raw = value
    if name not in names or kind not in _TYPES:
        return name, None
    return name, np.frombuffer(raw, _TYPES[kind]).reshape(dims).astype(np.float32)


def _select(message: memoryview, number: int) -> Iterator[memoryview]:
    return (value for field, value in _iterate_fields(message) if field == number)


def _iterate_fields(message: memoryview) -> Iterator[tuple[int, Any]]:
    """Yield number and value of the fields of a message: an integer, or bytes."""
    place = 0
    while place < len(message):
        key, place = _read_varint(message, place)
        kind = key & 7
        if kind == _VARINT:
            value, place = _read_varint(message, place)
            yield key >> 3, value
            continue
        size = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}.get(kind, 0)
        if kind == _LENGTH:
            size, place = _read_varint(message, place)
        elif not size:
            raise ValueError(kind)
        yield key >> 3, message[place : place + size]
        place += size


def _read_varints(packed: memoryview) -> list[int]:
    values, place = [], 0
    while place < len(packed):
        value, place = _read_varint(packed, place)
        values.append(value)
    return values


def _read_varint(message: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[place]
        place += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:  # the highest bit says that there is more
            return value, place
