"""What a run was given, in a few bytes: enough to tell whether another run is given the same."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightly.selection.embeddings import IndexArray
from lightly.selection.row_source import as_matrix
from lightly.selection.strategy import Strategy
from lightly.selection.threshold import Threshold

_DIGEST_BYTES = 16
# Arrays are converted and hashed in pieces of about this many numbers.
_PIECE_VALUES = 1 << 19
_NAMES_AT_ONCE = 4_096
# What strategies read as float32, whatever it is given as; all other numbers are read as float64.
_VECTOR_FIELDS = frozenset({"embeddings", "queries"})


@dataclass(frozen=True, kw_only=True, eq=False)
class SelectionInput:
    """What picks depend on, beside how many are asked for.

    Attributes:
        strategies: As given.
        preselected: Positions, each once, in order.
        offered: Positions that may be picked, before thresholds, ascending; None for all.
    """

    strategies: tuple[Strategy | Threshold, ...]
    preselected: IndexArray
    offered: IndexArray | None

    @property
    def candidates(self) -> IndexArray:
        """Positions that may be picked, before thresholds, ascending."""
        if self.offered is not None:
            return self.offered
        return np.arange(self.strategies[0].n_samples)

    def take_fingerprint(self) -> dict[str, str]:
        """Return a digest under the name of each part, in one pass over the data.

        Cost: about a second per gigabyte. Type and memory layout of arrays leave no trace.
        """
        parts = {
            f"strategy {place} ({type(strategy).__name__})": take_digest(strategy)
            for place, strategy in enumerate(self.strategies, 1)
        }
        return parts | {
            "preselected samples": take_digest(self.preselected),
            "candidates": take_digest(self.candidates),
        }


def take_digest(value: object) -> str:
    """Return hexadecimal digits that differ for different values."""
    hasher = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for piece in _serialize(value, is_vectors=False):
        hasher.update(piece)
    return hasher.hexdigest()


def _serialize(value: object, *, is_vectors: bool) -> Iterator[bytes | memoryview]:
    """Yield bytes that stand for a value: equal for equal values, whatever holds them."""
    if value is None or isinstance(value, (str, bool, int, float, np.generic)):
        plain = value.item() if isinstance(value, np.generic) else value
        if isinstance(plain, int) and not isinstance(plain, bool):
            # 1 and 1.0 mean the same wherever a strategy takes a number.
            plain = float(plain)
        yield repr(plain).encode("utf-8", "surrogatepass")
    elif dataclasses.is_dataclass(value):
        yield type(value).__name__.encode()
        for field in dataclasses.fields(value):
            yield f"|{field.name}=".encode()
            inner = getattr(value, field.name)
            yield from _serialize(inner, is_vectors=field.name in _VECTOR_FIELDS)
    elif isinstance(value, Mapping):
        for key, inner in sorted(value.items(), key=lambda item: repr(item[0])):
            yield b"|%b=" % str(key).encode("utf-8", "surrogatepass")
            yield from _serialize(inner, is_vectors=False)
    elif isinstance(value, Sequence) and len(value) and isinstance(value[0], str):
        yield from _serialize_names(value)
    else:
        yield from _serialize_array(value, is_vectors=is_vectors)


def _serialize_names(names: Sequence[str]) -> Iterator[bytes]:
    piece: list[bytes] = []
    for name in names:
        encoded = name.encode("utf-8", "surrogatepass")
        piece.append(b"%d:%b" % (len(encoded), encoded))
        if len(piece) == _NAMES_AT_ONCE:
            yield b"".join(piece)
            piece.clear()
    yield b"".join(piece)


def _serialize_array(value: object, *, is_vectors: bool) -> Iterator[bytes | memoryview]:
    try:
        array: NDArray[np.generic] = as_matrix(value)  # type: ignore[arg-type]  # tells by itself
    except ValueError:
        # Rows of different lengths.
        array = np.empty(0, dtype=object)
    if array.dtype.kind not in "fiub":
        rows = list(value) if isinstance(value, Sequence) else array.tolist()
        yield f"[{len(rows)}]".encode()
        for row in rows:
            yield from _serialize(row, is_vectors=is_vectors)
        return
    yield f"{array.shape}".encode()
    dtype = np.dtype("<f4" if is_vectors else "<f8")
    step = max(1, _PIECE_VALUES // max(1, int(np.prod(array.shape[1:]))))
    for start in range(0, len(array) if array.ndim else 0, step):
        with np.errstate(over="ignore"):
            piece = np.ascontiguousarray(array[start : start + step], dtype=dtype)
        yield piece.reshape(-1).data.cast("B")
