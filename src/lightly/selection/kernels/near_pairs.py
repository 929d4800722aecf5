"""Pairs of samples within a distance of each other, screened with 8-bit codes."""

from __future__ import annotations

import math

import numpy as np
from numba import njit, types

from lightly.selection.kernels.compiled import (
    _ABSENT,
    _BYTES,
    _FLOATS,
    _INTS,
    _LONGS,
    _NEVER,
    _PANELS,
    _STARTS,
    _ZERO_CODE,
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
    screen_tile,
    step_from,
)


@_compile(types.void(_BYTES, _INTS, _FLOATS, _i64, _PANELS, _STARTS, _FLOATS))
def pack_panels(codes, lengths2, errors, first, panels, starts, widest):
    """Lay out codes for `screen_tile`, the first of them at place ``first``."""
    for i in range(len(codes)):
        block, lane = (first + i) // PANEL_PICKS, (first + i) % PANEL_PICKS
        if lane == 0:
            panels[block], starts[block], widest[block] = 0, _ABSENT, 0.0
        total = np.int64(0)
        for k in range(codes.shape[1]):
            value = np.int64(codes[i, k]) - _ZERO_CODE
            panels[block, k // 4, lane, k % 4] = value
            total += value
        starts[block, lane] = np.int32(-(np.int64(lengths2[i]) >> 1) - _ZERO_CODE * total)
        widest[block] = max(widest[block], errors[i])


@njit(nogil=True, forceinline=True)
def _is_near(left, right, n_dims, largest, is_plain):
    """Return whether the defined distance of two rows is at most ``largest``."""
    bar = largest * largest
    if is_plain:
        # Nothing overflows then; the last term is for squares that underflow.
        rough = np.float64(_measure_roughly(left, right, n_dims))
        if rough * (1.0 - (n_dims + 8) * 2.0**-23) - n_dims * 2.0**-125 > bar * (1.0 + 1e-12):
            return False
    value = _measure_fast(left, right, n_dims)
    # Twice what either of two sums of rounded squares can be off, and the rounding of the bar.
    margin = value * ((2 * n_dims + 10) * 2.0**-53 + 1e-14)
    if value - margin > bar:
        return False
    if value + margin < bar:
        return True
    return math.sqrt(_measure_exactly(left, right, n_dims)) <= largest


@njit(nogil=True, forceinline=True)
def _find_root(parents, row):
    """Return the lowest sample known to be connected with one."""
    while parents[row] != row:
        parents[row] = parents[parents[row]]
        row = parents[row]
    return row


@njit(nogil=True, forceinline=True)
def _find_shared_root(parents, first, last):
    """Return what all samples of a range are connected with, -1 if that is not one sample."""
    root = _find_root(parents, first)
    for row in range(first + 1, last):
        if _find_root(parents, row) != root:
            return -1
    return root


@_compile(
    types.void(
        _i64, _i64, _i64, _LONGS, _BYTES, _INTS, _FLOATS,
        _i64, _i64, _i64, _LONGS, _PANELS, _STARTS, _FLOATS,
        _i64, _f64, _f64, _f64, types.boolean, _LONGS,
    )
)  # fmt: skip
def join_near(
    first_row, n_rows, points, point_places, codes, lengths2, errors,
    first_pick, n_picks, picks, pick_places, panels, starts, widest,
    n_dims, step, upper, largest, is_plain, parents,
):  # fmt: skip
    """Connect rows with the later ones among some others that are within ``largest`` of them.

    Row i has number ``first_row + i``, other j has ``first_pick + j``. Pairs that are connected
    already are not measured. ``upper`` is the square of ``largest`` in units of the space.
    """
    n_steps, width = codes.shape[1] // 4, codes.shape[1]
    n_blocks = (n_picks + PANEL_PICKS - 1) // PANEL_PICKS
    offsets = np.zeros(TILE_ROWS, dtype=np.int64)
    limits = np.empty(TILE_ROWS, dtype=np.int32)
    masks = np.zeros(TILE_ROWS, dtype=np.uint32)
    # One of each block whose samples are all connected: most of a large group is not looked at.
    shared = np.empty(n_blocks, dtype=np.int64)
    for b in range(n_blocks):
        low = first_pick + b * PANEL_PICKS
        shared[b] = _find_shared_root(parents, low, min(low + PANEL_PICKS, first_pick + n_picks))
    for begin in range(0, n_rows, TILE_ROWS):
        in_tile = min(TILE_ROWS, n_rows - begin)
        low = first_row + begin
        for t in range(TILE_ROWS):
            offsets[t] = (begin + t) * width if t < in_tile else 0
        error = -1.0
        root = _find_shared_root(parents, low, low + in_tile)
        for b in range(max(0, low - first_pick) // PANEL_PICKS, n_blocks):
            if root >= 0 and shared[b] >= 0:
                root = _find_root(parents, root)
                if _find_root(parents, shared[b]) == root:
                    continue
            if widest[b] > error or widest[b] < 0.7 * error:
                error = widest[b] * 1.02
                for t in range(TILE_ROWS):
                    limits[t] = _NEVER
                    if t < in_tile:
                        i = begin + t
                        limits[t] = _limit(upper, errors[i], error, lengths2[i], step)
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
                row, mask = first_row + begin + t, np.int64(masks[t])
                left = points + 4 * n_dims * point_places[begin + t]
                own = _find_root(parents, row)
                for lane in range(PANEL_PICKS):
                    place = b * PANEL_PICKS + lane
                    other = first_pick + place
                    if not mask & (np.int64(1) << lane) or place >= n_picks or other <= row:
                        continue
                    root_of_other = _find_root(parents, other)
                    if root_of_other == own:
                        continue
                    right = picks + 4 * n_dims * pick_places[place]
                    if _is_near(left, right, n_dims, largest, is_plain):
                        parents[max(own, root_of_other)] = min(own, root_of_other)
                        own = min(own, root_of_other)


@_compile(
    types.void(
        _LONGS, _i64, _LONGS, _BYTES, _INTS, _FLOATS,
        _i64, _i64, _LONGS, _PANELS, _STARTS, _FLOATS,
        _i64, _f64, _f64, _f64, types.boolean, _LONGS,
    )
)  # fmt: skip
def find_centres(
    rows, points, point_places, codes, lengths2, errors,
    n_picks, picks, pick_places, panels, starts, widest,
    n_dims, step, upper, largest, is_plain, found,
):  # fmt: skip
    """Write the first centre within ``largest`` of each row that has none.

    ``rows`` are places of the rows to look at. ``found`` has one number per place and stays -1
    where there is no such centre.
    """
    n_steps, width = codes.shape[1] // 4, codes.shape[1]
    n_blocks = (n_picks + PANEL_PICKS - 1) // PANEL_PICKS
    offsets = np.zeros(TILE_ROWS, dtype=np.int64)
    limits = np.empty(TILE_ROWS, dtype=np.int32)
    masks = np.zeros(TILE_ROWS, dtype=np.uint32)
    for begin in range(0, len(rows), TILE_ROWS):
        in_tile = min(TILE_ROWS, len(rows) - begin)
        for t in range(TILE_ROWS):
            offsets[t] = rows[begin + t] * width if t < in_tile else 0
        error, n_left = -1.0, in_tile
        for b in range(n_blocks):
            if n_left == 0:
                break
            if widest[b] > error or widest[b] < 0.7 * error:
                error = widest[b] * 1.02
                for t in range(TILE_ROWS):
                    limits[t] = _NEVER
                    if t < in_tile and found[rows[begin + t]] < 0:
                        i = rows[begin + t]
                        limits[t] = _limit(upper, errors[i], error, lengths2[i], step)
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
                for lane in range(PANEL_PICKS):
                    place = b * PANEL_PICKS + lane
                    if place >= n_picks:
                        break
                    if not mask & (np.int64(1) << lane):
                        continue
                    right = picks + 4 * n_dims * pick_places[place]
                    if _is_near(left, right, n_dims, largest, is_plain):
                        found[i] = place
                        limits[t] = _NEVER
                        n_left -= 1
                        break


@_compile(types.void(_LONGS, _i64, _LONGS, _i64, _f64, types.boolean, _LONGS))
def find_own_centres(rows, points, point_places, n_dims, largest, is_plain, found):
    """Make centres of rows, in their order; others join the first centre within ``largest``.

    ``found`` receives the place of each row's centre, its own for a centre.
    """
    centres = np.empty(len(rows), dtype=np.int64)
    n_centres = 0
    for row in rows:
        left = points + 4 * n_dims * point_places[row]
        found[row] = row
        for c in range(n_centres):
            right = points + 4 * n_dims * point_places[centres[c]]
            if _is_near(left, right, n_dims, largest, is_plain):
                found[row] = centres[c]
                break
        if found[row] == row:
            centres[n_centres] = row
            n_centres += 1
