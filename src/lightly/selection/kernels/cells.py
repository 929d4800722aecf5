"""The nearest neighbours of rows among the picks of some cells."""

from __future__ import annotations

import numpy as np
from numba import types

from lightly.selection.kernels.compiled import (
    _BYTES,
    _FLOATS,
    _INTS,
    _LONGS,
    _NEVER,
    _PANELS,
    _STARTS,
    _compile,
    _f64,
    _i64,
    _limit,
    _measure_exactly,
    _measure_fast,
    _measure_roughly,
)
from lightly.selection.kernels.neighbours import _insert_numbered
from lightly.selection.kernels.tiles import (
    PANEL_PICKS,
    TILE_ROWS,
    address_of,
    count_trailing_zeros,
    screen_tile,
    step_from,
)


@_compile(
    types.void(
        _LONGS, _LONGS, _LONGS, _LONGS, _LONGS, _i64, _LONGS, _BYTES, _INTS, _FLOATS, _PANELS,
        _STARTS, _FLOATS, _i64, _LONGS, _i64, _f64, _f64,
        types.float64[:, ::1], types.int64[:, ::1],
    )
)  # fmt: skip
def extend_nearest(  # type: ignore[no-untyped-def]
    rows, row_ends, firsts, lasts, own, points, point_places, codes, lengths2, errors, panels,
    starts, widest, picks, pick_places, n_dims, unit, step, nearest, numbers,
):  # fmt: skip
    """Take the picks of cells into the nearest ones of rows.

    ``rows`` are those that look into each cell, cell by cell, and ``row_ends`` where those of a
    cell end; a cell's picks are from ``firsts`` up to ``lasts``. Row i is pick ``own[i]``, and not
    its own neighbour. ``nearest`` has each row's smallest defined squared distances, ascending,
    infinity at first, and ``numbers`` which picks they are; of picks that are as far as the last
    one, any may be left out.
    """
    n_steps, width = codes.shape[1] // 4, codes.shape[1]
    offsets = np.zeros(TILE_ROWS, dtype=np.int64)
    limits = np.empty(TILE_ROWS, dtype=np.int32)
    masks = np.zeros(TILE_ROWS, dtype=np.uint32)
    n_near = nearest.shape[1]
    # Twice what either of two sums of rounded squares can be off, and squares that underflow.
    relative, underflow = (2 * n_dims + 10) * 2.0**-53, 0.0
    if unit == 1.0:
        relative, underflow = (n_dims + 8) * 2.0**-23, n_dims * 2.0**-125
    row_start = 0
    for c in range(len(firsts)):
        first, last = firsts[c], lasts[c]
        for begin in range(row_start, row_ends[c], TILE_ROWS):
            in_tile = min(TILE_ROWS, row_ends[c] - begin)
            for t in range(TILE_ROWS):
                offsets[t] = rows[begin + t] * width if t < in_tile else 0
            error = -1.0
            for b in range(first // PANEL_PICKS, (last + PANEL_PICKS - 1) // PANEL_PICKS):
                if widest[b] > error or widest[b] < 0.7 * error:
                    error = widest[b] * 1.02
                    for t in range(TILE_ROWS):
                        limits[t] = _NEVER
                        if t < in_tile:
                            i = rows[begin + t]
                            bar = nearest[i, n_near - 1]
                            limits[t] = _limit(bar, errors[i], error, lengths2[i], step)
                screen_tile(
                    address_of(codes),
                    address_of(offsets),
                    step_from(address_of(panels), b * n_steps * 4 * PANEL_PICKS),
                    n_steps,
                    step_from(address_of(starts), b * 4 * PANEL_PICKS),
                    address_of(limits),
                    address_of(masks),
                )
                for t in range(in_tile):
                    if masks[t] == 0:
                        continue
                    i, mask = rows[begin + t], np.int64(masks[t])
                    left = points + 4 * n_dims * point_places[i]
                    before = nearest[i, n_near - 1]
                    while mask != 0:
                        other = b * PANEL_PICKS + count_trailing_zeros(mask)
                        mask &= mask - 1
                        if other < first or other >= last or other == own[i]:
                            continue
                        right = picks + 4 * n_dims * pick_places[other]
                        if unit == 1.0:
                            value = np.float64(_measure_roughly(left, right, n_dims))
                        else:
                            value = _measure_fast(left, right, n_dims) * unit
                        if value * (1.0 - relative) - underflow >= nearest[i, n_near - 1]:
                            continue
                        value = _measure_exactly(left, right, n_dims) * unit
                        if value < nearest[i, n_near - 1]:
                            _insert_numbered(nearest[i], numbers[i], n_near, value, other)
                    if nearest[i, n_near - 1] < before:
                        bar = nearest[i, n_near - 1]
                        limits[t] = _limit(bar, errors[i], error, lengths2[i], step)
        row_start = row_ends[c]
