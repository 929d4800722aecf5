"""Embeddings as 8-bit codes, which screen distances at a quarter of the memory and time.

Let x be a row after the common shift, c its code, s the step, and e >= |x - s c| its error, all
known in float64. By the triangle inequality the distance of two rows differs from that of their
codes, s |c - c'|, by at most e + e'. Products of codes are exact integers, so this bound is all
there is to prove: no rounding of sums enters, whatever their order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from lightly.selection.embeddings import EmbeddingSpace, Float32Array, Float64Array, IndexArray

# Codes whose error exceeds this share of the spread rule out too little: heavy tails do that.
_LARGEST_ERROR = 0.08
_TRIAL_ROWS = 512
# Shares of the largest coordinate that codes may end at: few coordinates lose, all gain precision.
_CLIPPED_AT = (1.0, 0.8, 0.65, 0.5, 0.35, 0.2)
_LARGEST_CODE = 127


@dataclass(frozen=True)
class RowCodes:
    """Codes of some rows.

    Attributes:
        codes: Each coordinate plus 128, padded to whole steps, shape ``[rows, width]``.
        lengths2: Squared lengths of codes.
        errors: How far a row is from its code at most.
    """

    codes: NDArray[np.uint8]
    lengths2: NDArray[np.int32]
    errors: Float32Array


class Codec:
    """Turns rows of a space into codes.

    Args:
        space: Where the rows are.
        kernels: The compiled loops.

    Attributes:
        step: Difference between neighbouring codes.
        width: Bytes per row.
    """

    def __init__(self, space: EmbeddingSpace, kernels: ModuleType) -> None:
        self.space, self.kernels = space, kernels
        self.width = 4 * math.ceil(space.n_dims / 4)
        self.rounding = math.sqrt(space.n_dims) * 2.0**-50 * space.largest
        self.step = (space.largest_offset / _LARGEST_CODE) or 1.0
        self._error, self._spread = math.inf, 0.0
        for share in _CLIPPED_AT:
            self._try_step(share * space.largest_offset / _LARGEST_CODE or 1.0)

    def encode(self, samples: IndexArray) -> RowCodes:
        """Return the codes of samples."""
        coded = RowCodes(
            codes=np.empty((len(samples), self.width), dtype=np.uint8),
            lengths2=np.empty(len(samples), dtype=np.int32),
            errors=np.empty(len(samples), dtype=np.float32),
        )
        step = self.space.rows_per_chunk
        for start in range(0, len(samples), step):
            self.encode_into(coded, slice(start, start + step), samples[start : start + step])
        return coded

    def encode_into(self, coded: RowCodes, rows: slice, samples: IndexArray) -> None:
        """Write the codes of samples."""
        matrix, places = self.space.locate(samples)
        self.kernels.encode(
            address_of(matrix),
            places,
            self.space.scale,
            self.space.shift,
            self.step,
            self.rounding,
            coded.codes[rows],
            coded.lengths2[rows],
            coded.errors[rows],
        )

    @property
    def is_effective(self) -> bool:
        """Whether codes are precise enough to rule out most pairs."""
        return self._error <= _LARGEST_ERROR * self._spread + 1e-25

    def _try_step(self, step: float) -> None:
        """Keep a step if the codes of some samples come nearer to them with it."""
        n_rows, kept = self.space.n_rows, self.step
        n_trial = min(n_rows, _TRIAL_ROWS)
        self.step = step
        trial = self.encode(np.arange(n_trial) * n_rows // max(1, n_trial))
        error = float(trial.errors.sum(dtype=np.float64))
        if error >= self._error:
            self.step = kept
            return
        self._error = error
        self._spread = float(step * np.sqrt(trial.lengths2.astype(np.float64)).sum())


class CodedPicks:
    """Codes of the selected samples, laid out for products, and where their rows are.

    Memory: 3 d bytes per pick, and 4 d more if the embeddings are not C-ordered float32.

    Attributes:
        panels: Signed codes, shape ``[blocks, steps, picks of a block, 4]``.
        starts: Where each pick's sums start, shape ``[blocks, picks of a block]``.
        widest: Largest error in each block.
        fine: Codes in finer steps, shape ``[capacity, width]``, which rule out most of what panels
            leave open.
        fine_errors: How far a pick is from its fine code at most.
        places: Row of each pick at ``address``.
        has_copies: Whether ``address`` is that of copies, one per pick.
    """

    def __init__(self, codec: Codec, capacity: int) -> None:
        per_block = codec.kernels.PANEL_PICKS
        n_blocks = -(-max(1, capacity) // per_block)
        self._codec = codec
        self.panels = np.empty((n_blocks, codec.width // 4, per_block, 4), dtype=np.int8)
        self.starts = np.empty((n_blocks, per_block), dtype=np.int32)
        self.widest = np.zeros(n_blocks, dtype=np.float32)
        self.fine = np.empty((max(1, capacity), codec.width), dtype=np.int16)
        self.fine_errors = np.empty(max(1, capacity), dtype=np.float32)
        self.places = np.empty(max(1, capacity), dtype=np.int64)
        whole = codec.space.whole
        self.has_copies = whole is None
        self._rows = (
            np.empty((capacity, codec.space.n_dims), np.float32) if whole is None else whole
        )
        self.address = address_of(self._rows)
        self.n_picks = 0

    def extend(self, samples: IndexArray) -> None:
        """Append samples."""
        if not len(samples):
            return
        first, last = self.n_picks, self.n_picks + len(samples)
        codec = self._codec
        coded = codec.encode(samples)
        matrix, places = codec.space.locate(samples)
        codec.kernels.append_picks(
            address_of(matrix),
            places,
            codec.space.scale,
            codec.space.shift,
            codec.step,
            codec.rounding,
            coded.codes,
            coded.lengths2,
            coded.errors,
            first,
            self.panels,
            self.starts,
            self.widest,
            self.fine,
            self.fine_errors,
        )
        self.places[first:last] = np.arange(first, last) if self.has_copies else samples
        if self.has_copies:
            self._rows[first:last] = self._codec.space.read(samples)
        self.n_picks = last


def address_of(array: NDArray[np.generic]) -> int:
    """Return where an array's first value is; the caller keeps the array alive."""
    address: int = array.__array_interface__["data"][0]
    return address


def measure_pairs(
    kernels: ModuleType, space: EmbeddingSpace, left: IndexArray, right: IndexArray
) -> Float64Array:
    """Return the defined squared distance of each pair of samples."""
    result = np.empty(len(left))
    step = max(1, space.rows_per_chunk)
    for start in range(0, len(left), step):
        pair = slice(start, start + step)
        (rows, row_places), (others, other_places) = (
            space.locate(left[pair]),
            space.locate(right[pair]),
        )
        kernels.measure_pairs(
            address_of(rows),
            row_places,
            address_of(others),
            other_places,
            space.n_dims,
            1.0 / space.true_unit,
            result[pair],
        )
    return result
