"""2-D coordinates between memory, their packed form in the database, and JSON."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import orjson
import zstandard
from numpy.typing import ArrayLike, NDArray

Float32Array = NDArray[np.float32]

_CHUNK = 10_000


def pack_coordinates(coordinates: ArrayLike) -> bytes:
    """Return two float32 columns, one after the other, compressed.

    Args:
        coordinates: Shape `[n, 2]`.
    """
    columns = np.asarray(coordinates, dtype="<f4").T
    return zstandard.ZstdCompressor().compress(np.ascontiguousarray(columns).tobytes())


def unpack_coordinates(packed: bytes) -> Float32Array:
    """Return the two columns, shape `[2, n]`."""
    content = zstandard.ZstdDecompressor().decompress(packed)
    return np.frombuffer(content, dtype="<f4").reshape(2, -1)


def iterate_json(column: Float32Array) -> Iterator[bytes]:
    """Yield a column as a JSON list, in pieces. Numbers are the shortest that read back equal."""
    for start in range(0, len(column), _CHUNK):
        piece = np.ascontiguousarray(column[start : start + _CHUNK])
        text = orjson.dumps(piece, option=orjson.OPT_SERIALIZE_NUMPY)
        yield (b"[" if start == 0 else b",") + text[1:-1]
    yield b"]" if len(column) else b"[]"
