"""Cross-entropies of a selection plus each of many rows of class shares.

Most rows name few classes. With s the sums of the selection, T their total, and r a row of total R,

    H = B ln (T + R) - A - sum over classes k of r of (t_k ln (s_k + r_k) - t_k ln s_k)

where A and B collect t_k ln s_k and t_k over present classes; classes that are absent before, after
or both count as a fixed small share. So a row costs its own classes only, and every pair of class
and value one logarithm for all rows.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from lightly.selection.embeddings import Float64Array, IndexArray
from lightly.selection.objects import spread_ranges

_LARGEST_COUNT = 256
# Above this share of classes per row, whole rows are as fast.
_DENSE = 0.35
_ROUNDOFF = 2.0**-52
# Values per piece of work: they stay within the second-level cache.
_CHUNK_VALUES = 1 << 16
_NO_INDEX, _NO_VALUE = np.empty(0, dtype=np.int64), np.empty(0)


class ClassRows:
    """Rows of class shares over the columns of a target, stored as they are densest.

    Args:
        pieces: Rows, piece by piece, each of shape ``[m, K]``.
        shares: Target per column, shape ``[K]``.
        smallest_share: Share that an absent class counts as.
    """

    def __init__(
        self, pieces: Iterable[Float64Array], shares: Float64Array, *, smallest_share: float
    ) -> None:
        self._shares = shares
        self._smallest_share, self._smallest_log = smallest_share, float(np.log(smallest_share))
        counts, columns, entries, totals = _gather(pieces)
        self._counts, self._columns, self._entries, self.totals = counts, columns, entries, totals
        self._starts = np.cumsum(counts) - counts
        self._dense: Float64Array | None = None
        if columns.size > _DENSE * len(counts) * len(shares):
            self._dense = self.read(np.arange(len(counts)))
        self._share_logarithms()

    def read(self, rows: IndexArray) -> Float64Array:
        """Return whole rows, shape ``[len(rows), K]``."""
        if self._dense is not None:
            return self._dense[rows]
        whole = np.zeros((len(rows), len(self._shares)))
        places = spread_ranges(self._starts[rows], self._counts[rows])
        owners = np.repeat(np.arange(len(rows)), self._counts[rows])
        whole[owners, self._columns[places]] = self._entries[places]
        return whole

    def can_measure(self, sums: Float64Array) -> bool:
        """Return whether ``measure`` works: no class is all but absent."""
        if not self._counts.size:
            return False
        floor = 2.0 * self._smallest_share * (float(sums.sum()) + self.totals.max())
        if self._dense is not None:
            return bool((sums[self._shares > 0] > floor).all())
        present = sums[(sums > 0) & (self._shares > 0)]
        after = (sums[self._pair_columns] + self._pair_values)[self._shares[self._pair_columns] > 0]
        return bool((present > floor).all() and (after > floor).all())

    def measure(self, sums: Float64Array, rows: IndexArray) -> tuple[Float64Array, Float64Array]:
        """Return H of the selection plus each row, and how far rounding can take it off."""
        if self._dense is not None:
            return self._measure_dense(self._dense, sums, rows)
        is_present = sums > 0
        logs = np.log(np.where(is_present, sums, 1.0))
        before = self._shares * np.where(is_present, logs, self._smallest_log)
        columns = self._pair_columns
        after = np.log(sums[columns] + self._pair_values)
        gains = self._shares[columns] * after - before[columns]
        taken_off = self._add_up(gains, rows)
        weights = np.full(len(rows), float(self._shares[is_present].sum()))
        if not is_present[self._shares > 0].all():
            weights += self._add_up(np.where(is_present[columns], 0.0, self._shares[columns]), rows)
        totals = np.log(np.maximum(float(sums.sum()) + self.totals[rows], np.finfo(float).tiny))
        entropies = np.where(weights > 0, weights * totals, 0.0) - before.sum() - taken_off
        largest = max(np.abs(totals).max(initial=0), np.abs(after).max(initial=0))
        largest = max(largest, np.abs(logs).max(initial=0), -self._smallest_log)
        errors = (16 * len(self._shares) + 128) * _ROUNDOFF * (1.0 + largest)
        return entropies, np.full(len(rows), errors)

    def _measure_dense(
        self, dense: Float64Array, sums: Float64Array, rows: IndexArray
    ) -> tuple[Float64Array, Float64Array]:
        """Do the same where every class of the target is present: a product of logarithms."""
        wanted = np.flatnonzero(self._shares > 0)
        shares, present = self._shares[wanted], sums[wanted]
        entropies = np.log(float(sums.sum()) + self.totals[rows]) * float(shares.sum())
        step = max(1, _CHUNK_VALUES // len(wanted))
        for start in range(0, len(rows), step):
            piece = slice(start, start + step)
            logs = dense[rows[piece]]
            if len(wanted) < logs.shape[1]:
                logs = logs[:, wanted]
            logs += present
            np.log(logs, out=logs)
            entropies[piece] -= logs @ shares
        highest = float(sums.sum()) + float(self.totals.max())
        largest = max(abs(float(np.log(highest))), float(np.abs(np.log(present)).max()))
        errors = (16 * len(self._shares) + 128) * _ROUNDOFF * (1.0 + largest)
        return entropies, np.full(len(rows), errors)

    def _add_up(self, values: Float64Array, rows: IndexArray) -> Float64Array:
        """Return the sum of values per pair over the classes of each row."""
        n_rows = len(self._counts)
        if 4 * len(rows) > n_rows:
            sums = np.bincount(self._owners, weights=values[self._pairs], minlength=n_rows)
            return sums.astype(np.float64)[rows]
        places = spread_ranges(self._starts[rows], self._counts[rows])
        owners = np.repeat(np.arange(len(rows)), self._counts[rows])
        sums = np.bincount(owners, weights=values[self._pairs[places]], minlength=len(rows))
        return sums.astype(np.float64)

    def _share_logarithms(self) -> None:
        """Number the pairs of class and value, so that equal ones are computed once."""
        self._owners = np.repeat(np.arange(len(self._counts)), self._counts)
        entries, columns = self._entries, self._columns
        is_count = bool(((entries < _LARGEST_COUNT) & (entries == np.floor(entries))).all())
        if not is_count or len(self._shares) * _LARGEST_COUNT > len(entries):
            self._pairs = np.arange(len(entries))
            self._pair_columns, self._pair_values = columns, entries
            return
        codes = columns * _LARGEST_COUNT + entries.astype(np.int64)
        occurs = np.flatnonzero(np.bincount(codes, minlength=1))
        numbers = np.zeros(len(self._shares) * _LARGEST_COUNT, dtype=np.int64)
        numbers[occurs] = np.arange(len(occurs))
        self._pairs = numbers[codes]
        self._pair_columns = occurs // _LARGEST_COUNT
        self._pair_values = (occurs % _LARGEST_COUNT).astype(np.float64)


def _gather(
    pieces: Iterable[Float64Array],
) -> tuple[IndexArray, IndexArray, Float64Array, Float64Array]:
    """Return the classes per row, then class and value of each, and the total of each row."""
    counts, columns, entries = [_NO_INDEX], [_NO_INDEX], [_NO_VALUE]
    totals = [_NO_VALUE]
    for piece in pieces:
        places = np.nonzero(piece)
        counts.append(np.count_nonzero(piece, axis=1))
        columns.append(places[1])
        entries.append(piece[places])
        totals.append(piece.sum(axis=1))
    return (
        np.concatenate(counts),
        np.concatenate(columns),
        np.concatenate(entries),
        np.concatenate(totals),
    )
