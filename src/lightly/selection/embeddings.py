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
from collections.abc import Mapping
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lightly.selection.errors import InvalidSelectionInput
from lightly.selection.kernels.loading import get_loaded_kernels
from lightly.selection.progress import Pulse
from lightly.selection.row_source import RowSource, as_matrix

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]
IndexArray = NDArray[np.int64]

# The proven bound of the screen needs (d + 16) * 2**-24 << 1; no embedding model comes close.
MAX_DIMENSIONS = 65_536
# Rows are read, centred and converted in pieces of about this size: it stays within the cache.
CHUNK_BYTES = 4 << 20
FEWEST_CHUNK_ROWS = 64
# Between these, squares of float32 coordinates neither overflow nor vanish: no scaling is needed.
SMALLEST_UNSCALED, LARGEST_UNSCALED = 2.0**-40, 2.0**40
_UNIT_ROUNDOFF = 2.0**-24
# Rows are measured in pieces of about this size. Shorter rows than this are squared first.
_MEASURED_BYTES, _FEWEST_DOT_DIMENSIONS, _CACHED_BYTES = 1 << 19, 32, 16 << 20


class EmbeddingSpace:
    """A read-only view of embeddings with exact and with screened squared distances.

    Distances are in units of the space: the true squared distance times a power of two that is
    one for ordinary data. Multiplying by a power of two is exact, so order and ties are untouched.

    Args:
        parts: Arrays under the names that error messages call them by, stacked in this order; each
            of shape ``[N, d]`` with the same d, any real dtype and memory layout. Rows are
            converted to float32 when read; a memory map is never copied as a whole.
        pulse: Beats once per chunk of the first pass.
        is_brief: Expect a few picks only: the first pass takes lengths of rows, if it can, and
            leaves the rest for when it is needed.

    Attributes:
        n_rows: Rows of all parts.
        true_unit: Multiply by this to turn the space's squared distances into true ones.

    Raises:
        InvalidSelectionInput: If a shape or dtype is wrong or a value is not finite as float32.
    """

    def __init__(
        self, parts: Mapping[str, ArrayLike], *, pulse: Pulse, is_brief: bool = False
    ) -> None:
        self._parts = [_check_matrix(rows, name) for name, rows in parts.items()]
        self._names, self._pulse = list(parts), pulse
        self._starts = np.cumsum([0] + [len(part) for part in self._parts])
        self.n_rows, self.n_dims = int(self._starts[-1]), int(self._parts[0].shape[1])
        _check_dimensions(self._parts, list(parts))
        whole = self.whole if is_brief else None
        self._lengths2 = None if whole is None else measure_lengths(whole)
        is_usual = self._lengths2 is not None
        self._scale = np.float32(1.0 if is_usual else _choose_scale(self._extent.largest))
        self._error = _find_error(self.n_dims)
        self._underflow = _find_underflow(self.n_dims)
        self.true_unit = float(self._scale) ** -2

    def give_lengths2(self) -> Float32Array | None:
        """Return squared lengths of the rows of `whole` in float32, summed in any order.

        They are there once, and only if they were what the first pass took. The caller owns them.
        """
        lengths2, self._lengths2 = self._lengths2, None
        return lengths2

    @cached_property
    def _extent(self) -> _Extent:
        extent = _Extent(self.n_dims)
        for name, part in zip(self._names, self._parts, strict=True):
            _scan(part, name, self.rows_per_chunk, self._pulse, extent)
        return extent

    @property
    def largest(self) -> float:
        """Largest magnitude of a scaled coordinate."""
        return self._extent.largest * self.scale

    @cached_property
    def largest_offset(self) -> float:
        """Largest magnitude of a coordinate after scaling and shifting."""
        return self._extent.find_largest_offset(self.scale, self.shift)

    @property
    def scale(self) -> float:
        """Power of two that coordinates are multiplied with; its square is the space's unit."""
        return float(self._scale)

    @cached_property
    def shift(self) -> Float32Array:
        """What is subtracted from every scaled row before it is screened, about the mean."""
        mean = self._extent.sums / max(1, self.n_rows) * self.scale
        return mean.astype(np.float32)

    @property
    def whole(self) -> Float32Array | None:
        """All rows as they lie in memory, if they are one C-ordered float32 array."""
        return view_plain(self._parts[0]) if len(self._parts) == 1 else None

    def locate(self, samples: IndexArray) -> tuple[Float32Array, IndexArray]:
        """Return a C-ordered float32 matrix and where in it samples are; no copy if possible."""
        owner = 0
        if len(self._parts) > 1 and len(samples):
            owner = int(np.searchsorted(self._starts, samples.min(), side="right")) - 1
        plain = view_plain(self._parts[owner])
        if plain is not None and (
            len(self._parts) == 1 or not len(samples) or samples.max() < self._starts[owner + 1]
        ):
            return plain, samples - self._starts[owner] if owner else samples
        return self.read(samples), np.arange(len(samples))

    @property
    def is_read(self) -> bool:
        """Whether rows have to be read from somewhere."""
        parts: list[object] = list(self._parts)
        return any(isinstance(part, RowSource) for part in parts)

    def can_spare(self, size_bytes: int) -> bool:
        """Return whether there is memory for what only saves time."""
        parts: list[object] = list(self._parts)
        spares = (part.spare_bytes for part in parts if isinstance(part, RowSource))
        return all(spare is None or size_bytes <= spare for spare in spares)

    @property
    def screen_width(self) -> int:
        """Columns of the screened form: the coordinates, then length terms of the bound."""
        return self.n_dims + 2

    def read(self, samples: IndexArray) -> Float32Array:
        """Return rows as float32, C-ordered, shape ``[len(samples), d]``."""
        if len(self._parts) == 1:
            return np.ascontiguousarray(self._parts[0][samples], dtype=np.float32)
        rows = np.empty((len(samples), self.n_dims), dtype=np.float32)
        owners = np.searchsorted(self._starts, samples, side="right") - 1
        for owner, part in enumerate(self._parts):
            places = np.flatnonzero(owners == owner)
            rows[places] = part[samples[places] - self._starts[owner]]
        return rows

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
        np.subtract(rows, self.shift, out=centred)
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
        offsets: Float64Array = lengths * lengths * (1.0 - self._error) - self._underflow
        return offsets

    def screen_widths(
        self, point_lengths: Float64Array, pivot_lengths: Float64Array
    ) -> Float64Array:
        """Return how far above the screened lower bound the defined value can lie."""
        reach = point_lengths + pivot_lengths
        widths: Float64Array = reach * reach * (2.02 * self._error) + 2.0 * self._underflow
        return widths

    @property
    def rows_per_chunk(self) -> int:
        """How many rows make about ``CHUNK_BYTES``."""
        return max(FEWEST_CHUNK_ROWS, CHUNK_BYTES // (4 * self.screen_width))


class _Extent:
    """Column sums, which cannot overflow in float64, and the range of each column."""

    def __init__(self, n_dims: int) -> None:
        self.sums = np.zeros(n_dims)
        self.low = np.full(n_dims, np.inf, dtype=np.float32)
        self.high = np.full(n_dims, -np.inf, dtype=np.float32)

    @property
    def largest(self) -> float:
        """The largest magnitude of all coordinates; 0 without rows."""
        return max(0.0, float(self.high.max()), -float(self.low.min()))

    def find_largest_offset(self, scale: float, shift: Float32Array) -> float:
        """Return the largest magnitude that is left of a coordinate after scaling and shifting."""
        if not np.isfinite(self.low).all():
            return 0.0
        low, high = (np.float64(scale) * end - shift for end in (self.low, self.high))
        return float(max(high.max(), -low.min()))


def _scan(
    part: NDArray[np.generic], name: str, rows_per_chunk: int, pulse: Pulse, extent: _Extent
) -> None:
    """Take a part's rows into the extent; refuse values that are not finite."""
    kernels, plain = get_loaded_kernels(), view_plain(part)
    for start in range(0, len(part), rows_per_chunk):
        pulse.beat()
        if kernels is not None and (plain is not None or isinstance(part, RowSource)):
            rows = np.ascontiguousarray(part[start : start + rows_per_chunk], dtype=np.float32)
            address = rows.__array_interface__["data"][0]
            kernels.scan(address, *rows.shape, extent.sums, extent.low, extent.high)
            if np.isfinite(extent.sums).all():
                continue
        with np.errstate(over="ignore"):
            rows = part[start : start + rows_per_chunk].astype(np.float32, copy=False)
        sums = rows.sum(axis=0, dtype=np.float64)
        if not np.isfinite(sums).all():
            _refuse_non_finite(rows, start, name)
        extent.sums += sums
        np.minimum(extent.low, rows.min(axis=0), out=extent.low)
        np.maximum(extent.high, rows.max(axis=0), out=extent.high)


def measure_lengths(
    rows: Float32Array, products: Float32Array | None = None
) -> Float32Array | None:
    """Return squared lengths of rows, if they tell that all is finite and needs no scaling.

    They are float32, summed in any order. The caller owns them.

    Args:
        rows: C-ordered.
        products: Receives products of all rows with the first one, for which they need not be read
            once more.
    """
    if not len(rows):
        return None
    lengths2 = np.empty(len(rows), dtype=np.float32)
    # Beyond the cache nothing is faster than one pass from start to end.
    is_one_pass = products is None and rows.nbytes > _CACHED_BYTES
    step = len(rows) if is_one_pass else max(1, _MEASURED_BYTES // (4 * rows.shape[1]))
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(rows), step):
            some = slice(start, start + step)
            _add_squares(rows[some], lengths2[some])
            if products is not None:
                np.matmul(rows[some], rows[0], out=products[some])
    # The largest coordinate is between the roots of the longest row's mean and sum of squares.
    # A value that is not finite makes its length so, and no comparison with NaN holds.
    top = float(lengths2.max())
    least, most = rows.shape[1] * SMALLEST_UNSCALED**2, LARGEST_UNSCALED**2
    return lengths2 if 1.01 * least < top < 0.99 * most else None


def _add_squares(rows: Float32Array, lengths2: Float32Array) -> None:
    n_dims = rows.shape[1]
    if rows.nbytes > _CACHED_BYTES:
        np.einsum("ij,ij->i", rows, rows, out=lengths2)
    elif n_dims >= _FEWEST_DOT_DIMENSIONS:
        np.vecdot(rows, rows, out=lengths2)
    else:
        # Two to four times as fast as dot products of short rows.
        np.matmul(rows * rows, np.ones(n_dims, dtype=np.float32), out=lengths2)


def find_direct_error(n_dims: int, largest2: float) -> float:
    """Return how far a squared distance in float32 is off whose terms are not shifted.

    The terms are |x|^2, |p|^2 and 2 x p, each summed in any order. With X and Y the lengths, they
    are off by gamma(d) (X + Y)^2 together, adding them up by 2.1 u (X + Y)^2 more, and the defined
    value is rounded too. All of it, and that the largest length is rounded, is below
    1.05 (d + 8) u (X + Y)^2, beside what underflows.

    Args:
        n_dims: Dimensions, d.
        largest2: Largest squared length of all rows, computed in float32.
    """
    error = 1.05 * (n_dims + 8) * _UNIT_ROUNDOFF
    return error * 4.0 * largest2 * (1.0 + 2.0 * error) + _find_underflow(n_dims)


def _find_error(n_dims: int) -> float:
    return 1.05 * (2 * n_dims + 16) * _UNIT_ROUNDOFF


def _find_underflow(n_dims: int) -> float:
    return (n_dims + 8) * 2.0**-123


def view_plain(part: NDArray[np.generic]) -> Float32Array | None:
    """Return a part as it lies in memory if compiled loops can read it there."""
    if isinstance(part, RowSource):
        return None
    is_plain = part.dtype == np.float32 and part.dtype.isnative and part.flags.c_contiguous
    return part if is_plain and part.flags.aligned else None  # type: ignore[return-value]  # its dtype was checked


def _check_matrix(embeddings: ArrayLike, name: str) -> NDArray[np.generic]:
    rows = as_matrix(embeddings)
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


def _check_dimensions(parts: list[NDArray[np.generic]], names: list[str]) -> None:
    for part, name in zip(parts, names, strict=True):
        if part.shape[1] != parts[0].shape[1]:
            raise InvalidSelectionInput(
                f"The {name} must have as many dimensions as the {names[0]}, "
                f"{parts[0].shape[1]}. Got {part.shape[1]}."
            )


def _refuse_non_finite(rows: Float32Array, first: int, name: str) -> None:
    row = int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])
    raise InvalidSelectionInput(
        f"The {name} of sample {first + row} hold a value that is not a finite float32 number. "
        "Leave the sample out or embed it again.",
        sample=first + row,
    )


def _choose_scale(largest: float) -> float:
    """Return a power of two that brings extreme coordinates to a magnitude of about one."""
    if largest == 0.0 or SMALLEST_UNSCALED <= largest <= LARGEST_UNSCALED:
        return 1.0
    return float(2.0 ** -min(120, max(-100, math.frexp(largest)[1])))
