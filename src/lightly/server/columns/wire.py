"""Columns as bytes: a header of 32 bytes, the values, then a little JSON.

Little-endian throughout. The header: magic `LPC1`, version (u16), type (u8), values per sample
(u8), number of samples (u64), length of the JSON in bytes (u32), flags (u32, none yet), eight zero
bytes.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

MAGIC = b"LPC1"
VERSION = 1
MEDIA_TYPE = "application/octet-stream"
#: Type of the values, by numpy's name; `BITS` are one per sample, lowest bit first.
TYPES = {"<f4": 1, "<u2": 2, "|u1": 3, "<u4": 5}
BITS = 4
_HEADER = struct.Struct("<4sHBBQII8x")


def write_values(values: NDArray[Any], tail: dict[str, Any]) -> bytes:
    """Return a column of numbers.

    Args:
        values: Shape `[n]`, or `[width, n]` for several values per sample, one after the other.
        tail: What else there is to say.
    """
    little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
    width, count = (1, len(little)) if little.ndim == 1 else little.shape
    return _join(TYPES[little.dtype.str], width, count, little.tobytes(), tail)


def write_bits(mask: NDArray[np.bool_], tail: dict[str, Any]) -> bytes:
    """Return one bit per sample."""
    return write_packed_bits(np.packbits(mask, bitorder="little").tobytes(), len(mask), tail)


def write_packed_bits(packed: bytes, count: int, tail: dict[str, Any]) -> bytes:
    """Return bits that are packed already."""
    return _join(BITS, 1, count, packed, tail)


def _join(kind: int, width: int, count: int, content: bytes, tail: dict[str, Any]) -> bytes:
    text = orjson.dumps(tail)
    return _HEADER.pack(MAGIC, VERSION, kind, width, count, len(text), 0) + content + text
