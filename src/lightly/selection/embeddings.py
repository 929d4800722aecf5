"""Embeddings as the engine reads them: exact distances, and fast ones with a proven error.

Picks are defined by one arithmetic: the squared distance of two rows is the float64 sum, over
ascending coordinates, of the squared float64 differences of their float32 values. It takes some
hundred times longer than a matrix product, so the engine *screens* with float32 products and
computes the defined value only where the screen cannot decide.

The screen's error. Let u = 2**-24 and gamma(k) = k u / (1 - k u); let X and Y be the lengths of two
rows after the common shift was subtracted and rounded to float32, d their dimension, R = X + Y.
Against the defined value the screened one is off by at most the sum of

- 2.1 u R^2, for rounding the shifted coordinates: each length moves by at most u X, u Y;
- gamma(d + 2) (2 X Y + Y^2), for the product of length d + 2, in any order, fused or not
  (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1);
- (gamma(d) + 3 u) (X^2 + Y^2) + u Y^2, for squared lengths summed and stored in float32;
- (d + 2) 2**-53 R^2, for the defined value itself, which is rounded too;
- (d + 8) 2**-123, for underflow, flushed to zero or gradual.

Everything but the last is below 1.05 (2 d + 16) u R^2 for d up to ``MAX_DIMENSIONS``, with R itself
taken from computed lengths.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lightly.selection.errors import InvalidSelectionInput
from lightly.selection.progress import Pulse

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]
IndexArray = NDArray[np.int64]

# The proven bound of the screen needs (d + 16) * 2**-24 << 1; no embedding model comes close.
MAX_DIMENSIONS = 65_536
# Rows are read, centred and converted in pieces of about this size: it stays within the cache.
CHUNK_BYTES = 4 << 20
# Between these, squares of float32 coordinates neither overflow nor vanish: no scaling is needed.
_SMALLEST_UNSCALED, _LARGEST_UNSCALED = 2.0**-40, 2.0**40
_UNIT_ROUNDOFF = 2.0**-24


class EmbeddingSpace:
    """A read-only view of embeddings with exact and with screened squared distances.

    Distances are in units of the space: the true squared distance times a power of two that is
    one for ordinary data. Multiplying by a power of two is exact, so order and ties are untouched.

    Args:
        embeddings: Shape ``[N, d]``, any real dtype and memory layout, converted to float32 piece
            by piece; a memory map is never copied as a whole.
        name: How error messages call the array.
        pulse: Beats once per chunk of the first pass.

    Raises:
        InvalidSelectionInput: If the shape or dtype is wrong or a value is not finite as float32.
    """

    def __init__(self, embeddings: ArrayLike, *, name: str, pulse: Pulse) -> None:
        self._rows = _check_matrix(embeddings, name)
        self.n_rows, self.n_dims = self._rows.shape
        total, largest = self._scan(name, pulse)
        self._scale = np.float32(_choose_scale(largest))
        mean = total / max(1, self.n_rows) * float(self._scale)
        self._shift = mean.astype(np.float32)
        self._error = 1.05 * (2 * self.n_dims + 16) * _UNIT_ROUNDOFF
        self._underflow = (self.n_dims + 8) * 2.0**-123
        self.true_unit = float(self._scale) ** -2
        """Multiply by this to turn the space's squared distances into true ones."""

    @property
    def screen_width(self) -> int:
        """Columns of the screened form: the coordinates, then length terms of the bound."""
        return self.n_dims + 2

    def read(self, samples: IndexArray | slice) -> Float32Array:
        """Return rows as a C-ordered float32 copy or view, shape ``[len(samples), d]``."""
        return np.ascontiguousarray(self._rows[samples], dtype=np.float32)

    def measure_exactly(self, left: IndexArray, right: IndexArray) -> Float64Array:
        """Return the defined squared distance of each pair of samples.

        Accumulating is sequential by definition, unlike a sum, whose order numpy may choose.
        """
        result = np.empty(len(left))
        step = max(1, CHUNK_BYTES // (8 * self.n_dims))
        for start in range(0, len(left), step):
            pair = slice(start, start + step)
            terms = np.subtract(self.read(left[pair]), self.read(right[pair]), dtype=np.float64)
            np.multiply(terms, terms, out=terms)
            result[pair] = np.add.accumulate(terms, axis=1, out=terms)[:, -1]
        return result / self.true_unit

    def screen_points(self, samples: IndexArray) -> tuple[Float32Array, Float64Array]:
        """Return rows ready to be multiplied with pivots, and their lengths.

        ``points @ pivots.T + offsets(lengths)[:, None]`` is a lower bound of the squared distance
        of every point to every pivot, and at most ``screen_widths`` below it.
        """
        points = np.empty((len(samples), self.screen_width), dtype=np.float32)
        centred = points[:, : self.n_dims]
        rows = self.read(samples)
        if self._scale != 1.0:
            rows = rows * self._scale
        np.subtract(rows, self._shift, out=centred)
        lengths = np.sqrt(np.einsum("ij,ij->i", centred, centred, dtype=np.float32))
        points[:, self.n_dims] = 1.0
        points[:, self.n_dims + 1] = lengths
        return points, lengths.astype(np.float64)

    def turn_into_pivots(self, points: Float32Array) -> Float32Array:
        """Return the other factor of the product that bounds squared distances from below."""
        pivots = points * np.float32(-2.0)
        length = points[:, -1].astype(np.float64)
        pivots[:, -2] = length * length * (1.0 - self._error)
        pivots[:, -1] = length * (-2.0 * self._error)
        return pivots

    def offsets(self, lengths: Float64Array) -> Float64Array:
        """Return what completes the product of points and pivots to a lower bound."""
        return lengths * lengths * (1.0 - self._error) - self._underflow

    def screen_widths(
        self, point_lengths: Float64Array, pivot_lengths: Float64Array
    ) -> Float64Array:
        """Return how far above the screened lower bound the defined value can lie."""
        reach = point_lengths + pivot_lengths
        return reach * reach * (2.02 * self._error) + 2.0 * self._underflow

    def chunks(self) -> Iterator[slice]:
        """Yield slices that cover all rows in pieces of about ``CHUNK_BYTES``."""
        step = self.rows_per_chunk
        for start in range(0, self.n_rows, step):
            yield slice(start, min(start + step, self.n_rows))

    @property
    def rows_per_chunk(self) -> int:
        """How many rows make about ``CHUNK_BYTES``."""
        return max(64, CHUNK_BYTES // (4 * self.screen_width))

    def _scan(self, name: str, pulse: Pulse) -> tuple[Float64Array, float]:
        """Return column sums and the largest magnitude; float64 sums cannot overflow here."""
        total, largest = np.zeros(self.n_dims), 0.0
        for chunk in self.chunks():
            pulse.beat()
            with np.errstate(over="ignore"):
                rows = self.read(chunk)
            sums = rows.sum(axis=0, dtype=np.float64)
            if not np.isfinite(sums).all():
                _refuse_non_finite(rows, chunk.start, name)
            total += sums
            largest = max(largest, float(rows.max()), -float(rows.min()))
        return total, largest


def _check_matrix(embeddings: ArrayLike, name: str) -> NDArray[np.generic]:
    rows = np.asarray(embeddings)
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise InvalidSelectionInput(
            f"The {name} must have shape [samples, dimensions] with at least one dimension. "
            f"Got shape {rows.shape}."
        )
    if rows.shape[1] > MAX_DIMENSIONS:
        raise InvalidSelectionInput(
            f"The {name} may have at most {MAX_DIMENSIONS} dimensions. Got {rows.shape[1]}."
        )
    if rows.dtype.kind not in "fiu":
        raise InvalidSelectionInput(
            f"The {name} must be real numbers, float32 at best. Got dtype {rows.dtype}."
        )
    return rows


def _refuse_non_finite(rows: Float32Array, first: int, name: str) -> None:
    row = int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])
    raise InvalidSelectionInput(
        f"The {name} of sample {first + row} hold a value that is not a finite float32 number. "
        "Leave the sample out or embed it again.",
        sample=first + row,
    )


def _choose_scale(largest: float) -> float:
    """Return a power of two that brings extreme coordinates to a magnitude of about one."""
    if largest == 0.0 or _SMALLEST_UNSCALED <= largest <= _LARGEST_UNSCALED:
        return 1.0
    return float(2.0 ** -min(120, max(-100, math.frexp(largest)[1])))
