"""The nearest neighbours of rows, all pairs screened with 8-bit codes."""

from __future__ import annotations

import numpy as np
from numba import njit, types

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
from lightly.selection.kernels.tiles import (
    PANEL_PICKS,
    TILE_ROWS,
    address_of,
    count_trailing_zeros,
    screen_tile,
    step_from,
)

# Pairs of a row that may still be among the nearest; a row with more is resolved on the way.
_MOST_PAIRS = 1_024
# With more neighbours than this, a resolved row would fill up at once again.
MOST_NEIGHBOURS = _MOST_PAIRS // 4


@njit(nogil=True)
def _insert(values, n_values, value):  # type: ignore[no-untyped-def]
    """Insert a value into sorted ones, whose largest leaves if there is no room."""
    place = min(n_values, len(values) - 1)
    while place > 0 and values[place - 1] > value:
        values[place] = values[place - 1]
        place -= 1
    values[place] = value


@njit(nogil=True)
def _insert_numbered(values, numbers, n_values, value, number):  # type: ignore[no-untyped-def]
    """Insert a value into sorted ones, with its number; of equal ones the lower number is first."""
    place = min(n_values, len(values) - 1)
    while place > 0 and (
        values[place - 1] > value or (values[place - 1] == value and numbers[place - 1] > number)
    ):
        values[place], numbers[place] = values[place - 1], numbers[place - 1]
        place -= 1
    values[place], numbers[place] = value, number


@njit(nogil=True)
def _resolve(  # type: ignore[no-untyped-def]
    left,
    pairs,
    lows,
    n_pairs,
    bar,
    picks,
    pick_places,
    n_dims,
    unit,
    nearest,
    numbers,
):
    """Write the defined squared distances of the nearest pairs; return how many there are."""
    n_found = 0
    for p in range(n_pairs):
        if lows[p] > bar:
            continue
        right = picks + 4 * n_dims * pick_places[pairs[p]]
        value = _measure_exactly(left, right, n_dims) * unit
        is_behind = value > nearest[-1] or (value == nearest[-1] and pairs[p] > numbers[-1])
        if n_found == len(nearest) and is_behind:
            continue
        _insert_numbered(nearest, numbers, n_found, value, pairs[p])
        n_found = min(n_found + 1, len(nearest))
    return n_found


@njit(nogil=True)
def _compact(  # type: ignore[no-untyped-def]
    left,
    pairs,
    lows,
    highs,
    bar,
    picks,
    pick_places,
    n_dims,
    unit,
):
    """Make room among the pairs of a row; return how many stay."""
    kept = 0
    for p in range(len(pairs)):
        if lows[p] <= bar:
            pairs[kept], lows[kept] = pairs[p], lows[p]
            kept += 1
    if 2 * kept < len(pairs):
        return kept
    # Many are equally far, as far as can be told: find out, once for all.
    n_exact = 0
    for p in range(kept):
        pair = pairs[p]
        value = _measure_exactly(left, picks + 4 * n_dims * pick_places[pair], n_dims) * unit
        if n_exact == len(highs) and value >= highs[n_exact - 1]:
            continue
        place = min(n_exact, len(highs) - 1)
        while place > 0 and highs[place - 1] > value:
            highs[place], pairs[place], lows[place] = (
                highs[place - 1],
                pairs[place - 1],
                lows[place - 1],
            )
            place -= 1
        highs[place], lows[place], pairs[place] = value, value, pair
        n_exact = min(n_exact + 1, len(highs))
    return n_exact


@_compile(
    types.void(
        _i64, _i64, _i64, _LONGS, _BYTES, _INTS, _FLOATS, _PANELS, _STARTS, _FLOATS,
        _i64, _i64, _LONGS, _i64, _f64, _f64, types.float64[:, ::1], types.int64[:, ::1],
    )
)  # fmt: skip
def find_nearest(  # type: ignore[no-untyped-def]
    first_row, n_rows, points, point_places, codes, lengths2, errors, panels, starts, widest,
    n_picks, picks, pick_places, n_dims, unit, step, nearest, numbers,
):  # fmt: skip
    """Write each row's smallest defined squared distances to other picks, ascending.

    Row i is pick ``first_row + i``, and not its own neighbour. ``nearest`` has one column per
    neighbour; there are more picks than columns. ``numbers`` receives which picks they are; of
    picks that are as far as the last one, any may be left out.
    """
    n_near, n_steps, width = nearest.shape[1], codes.shape[1] // 4, codes.shape[1]
    n_blocks = (n_picks + PANEL_PICKS - 1) // PANEL_PICKS
    offsets = np.zeros(TILE_ROWS, dtype=np.int64)
    limits = np.empty(TILE_ROWS, dtype=np.int32)
    masks = np.zeros(TILE_ROWS, dtype=np.uint32)
    highs = np.empty((TILE_ROWS, n_near))
    lows = np.empty((TILE_ROWS, _MOST_PAIRS))
    pairs = np.empty((TILE_ROWS, _MOST_PAIRS), dtype=np.int64)
    bars, counts, seen = (
        np.empty(TILE_ROWS),
        np.empty(TILE_ROWS, np.int64),
        np.empty(TILE_ROWS, np.int64),
    )
    # Twice what either of two sums of rounded squares can be off, and squares that underflow.
    relative, underflow = (2 * n_dims + 10) * 2.0**-53, 0.0
    if unit == 1.0:
        relative, underflow = (n_dims + 8) * 2.0**-23, n_dims * 2.0**-125
    for begin in range(0, n_rows, TILE_ROWS):
        in_tile = min(TILE_ROWS, n_rows - begin)
        for t in range(TILE_ROWS):
            offsets[t] = (begin + t) * width if t < in_tile else 0
            bars[t], counts[t], seen[t] = np.inf, 0, 0
        error = -1.0
        # Rows that lie together are often near each other: they soon tell what is far.
        home = (first_row + begin) // PANEL_PICKS
        for b in range(n_blocks):
            block = (home + b) % n_blocks
            if widest[block] > error or widest[block] < 0.7 * error:
                error = widest[block] * 1.02
                for t in range(TILE_ROWS):
                    limits[t] = _NEVER
                    if t < in_tile:
                        i = begin + t
                        limits[t] = _limit(bars[t], errors[i], error, lengths2[i], step)
            screen_tile(
                address_of(codes),
                address_of(offsets),
                step_from(address_of(panels), block * n_steps * 4 * PANEL_PICKS),
                n_steps,
                step_from(address_of(starts), block * 4 * PANEL_PICKS),
                address_of(limits),
                address_of(masks),
            )
            for t in range(in_tile):
                if masks[t] == 0:
                    continue
                i = begin + t
                left, mask, before = (
                    points + 4 * n_dims * point_places[i],
                    np.int64(masks[t]),
                    bars[t],
                )
                while mask != 0:
                    other = block * PANEL_PICKS + count_trailing_zeros(mask)
                    mask &= mask - 1
                    if other == first_row + i:
                        continue
                    if other >= n_picks:
                        break
                    right = picks + 4 * n_dims * pick_places[other]
                    if unit == 1.0:
                        value = np.float64(_measure_roughly(left, right, n_dims))
                    else:
                        value = _measure_fast(left, right, n_dims) * unit
                    low = value * (1.0 - relative) - underflow
                    high = value * (1.0 + relative) + underflow
                    if low >= bars[t]:
                        continue
                    if high < bars[t]:
                        _insert(highs[t], seen[t], high)
                        seen[t] = min(seen[t] + 1, n_near)
                        if seen[t] == n_near:
                            bars[t] = highs[t, n_near - 1]
                    if counts[t] == _MOST_PAIRS:
                        counts[t] = _compact(
                            left,
                            pairs[t],
                            lows[t],
                            highs[t],
                            bars[t],
                            picks,
                            pick_places,
                            n_dims,
                            unit,
                        )
                        bars[t] = highs[t, n_near - 1]
                    pairs[t, counts[t]], lows[t, counts[t]] = other, low
                    counts[t] += 1
                if bars[t] < before:
                    limits[t] = _limit(bars[t], errors[i], error, lengths2[i], step)
        for t in range(in_tile):
            left = points + 4 * n_dims * point_places[begin + t]
            _resolve(
                left, pairs[t], lows[t], counts[t], bars[t], picks, pick_places, n_dims, unit,
                nearest[begin + t], numbers[begin + t],
            )  # fmt: skip
