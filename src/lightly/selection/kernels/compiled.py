"""The engine's inner loops, compiled for this processor and kept beside the package.

Arrays of float32 rows come as addresses: a memory map, a read-only array and an ordinary one are
one and the same then, and one compiled version serves all. The caller keeps them alive.

Nothing here is compiled with relaxed floating point, except for sums that only bound a value and
whose bounds hold in any order: `_measure_roughly`, `_measure_fast`, `encode` and `scan`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import carray, njit, types
from numba.core.errors import NumbaError
from numba.extending import intrinsic

from lightly.selection.kernels.tiles import (
    PANEL_PICKS,
    SLAB_ROWS,
    TILE_ROWS,
    address_of,
    can_run,
    screen_slab,
    screen_tile,
    step_from,
)

_NEVER = np.int32(2**31 - 1)
_LOWEST = np.int32(-(2**31) + 1)
# Picks that are not there yet start so low that no sum reaches any limit.
_ABSENT = np.int32(-(2**31))
_ZERO_CODE = 128
# Picks are also kept in steps this many times finer.
_FINER = 254

_i32, _i64, _f64 = types.int32, types.int64, types.float64
_BYTES, _PANELS, _FINE = types.uint8[:, ::1], types.int8[:, :, :, ::1], types.int16[:, ::1]
_INTS, _LONGS, _FLOATS, _DOUBLES = (
    types.int32[::1],
    types.int64[::1],
    types.float32[::1],
    types.float64[::1],
)
_STARTS = types.int32[:, ::1]


def _compile(signature: Any, **options: Any) -> Any:
    """Return a decorator that compiles now, or takes what was compiled before."""

    def decorate(function: Any) -> Any:
        common = {"nogil": True, "error_model": "numpy", "boundscheck": False, **options}
        try:
            return njit(signature, cache=True, **common)(function)
        except (RuntimeError, OSError, NumbaError):
            # There is no folder to keep compiled code in: it lasts as long as the process.
            return njit(signature, **common)(function)

    return decorate


@intrinsic
def _pointer(_: Any, address: Any) -> Any:  # noqa: ARG001  typed by the signature
    """Return an integer as an address of float32 values."""
    kind = types.CPointer(types.float32)

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return kind(types.int64), emit


@_compile(types.void(_i64, _i64, _i64, _DOUBLES, _FLOATS, _FLOATS), fastmath={"reassoc"})
def scan(address, n_rows, n_dims, sums, smallest, largest):
    """Add rows to sums and extremes per dimension."""
    rows = carray(_pointer(address), (n_rows, n_dims))
    for i in range(n_rows):
        for j in range(n_dims):
            value = rows[i, j]
            sums[j] += value
            smallest[j] = min(smallest[j], value)
            largest[j] = max(largest[j], value)


@_compile(
    types.void(_i64, _LONGS, _f64, _FLOATS, _f64, _f64, _BYTES, _INTS, _FLOATS),
    fastmath={"reassoc"},
)
def encode(address, places, scale, shift, step, rounding, codes, lengths2, errors):
    """Write the codes of rows, their squared lengths, and how far off they are at most.

    ``rounding`` is what centring in float64 can be off over all dimensions.
    """
    n_dims = len(shift)
    for i in range(len(places)):
        row = carray(_pointer(address + 4 * n_dims * places[i]), (n_dims,))
        inverse, off2, length2 = 1.0 / step, 0.0, np.int32(0)
        for j in range(n_dims):
            centred = row[j] * scale - np.float64(shift[j])
            code = np.rint(centred * inverse)
            code = min(max(code, -127.0), 127.0)
            left = centred - code * step
            off2 += left * left
            short = np.int32(code)
            length2 += short * short
            codes[i, j] = np.uint8(short + _ZERO_CODE)
        codes[i, n_dims:] = _ZERO_CODE
        lengths2[i] = length2
        # A millionth covers the rounding of sums and of the conversion.
        errors[i] = np.float32(math.sqrt(off2) * (1.0 + 1e-6) + rounding + 1e-30)


@njit(nogil=True, forceinline=True)
def _append(
    code, length2, error, place, panels, starts, widest,
    row, scale, shift, step, rounding, fine, fine_errors,
):  # fmt: skip
    """Write the codes of one pick, whose row is at the address ``row``."""
    block, lane = place // PANEL_PICKS, place % PANEL_PICKS
    if lane == 0:
        panels[block] = 0
        starts[block] = _ABSENT
        widest[block] = 0.0
    total = np.int64(0)
    for k in range(len(code)):
        value = np.int64(code[k]) - _ZERO_CODE
        panels[block, k // 4, lane, k % 4] = value
        fine[place, k] = value * _FINER
        total += value
    starts[block, lane] = np.int32(-(np.int64(length2) >> 1) - _ZERO_CODE * total)
    widest[block] = max(widest[block], error)
    values, off2 = carray(_pointer(row), (len(shift),)), 0.0
    for j in range(len(shift)):
        left = values[j] * scale - np.float64(shift[j]) - (np.float64(code[j]) - _ZERO_CODE) * step
        more = min(max(np.rint(left / step * _FINER), -127.0), 127.0)
        fine[place, j] += np.int16(more)
        left -= more * step / _FINER
        off2 += left * left
    fine_errors[place] = np.float32(math.sqrt(off2) * (1.0 + 1e-6) + 2.0 * rounding + 1e-30)


@_compile(
    types.void(
        _i64, _LONGS, _f64, _FLOATS, _f64, _f64,
        _BYTES, _INTS, _FLOATS, _i64, _PANELS, _STARTS, _FLOATS, _FINE, _FLOATS,
    )
)  # fmt: skip
def append_picks(
    rows, row_places, scale, shift, step, rounding,
    codes, lengths2, errors, first, panels, starts, widest, fine, fine_errors,
):  # fmt: skip
    """Write the codes of picks into panels, the first of them at place ``first``."""
    for i in range(len(codes)):
        _append(
            codes[i], lengths2[i], errors[i], first + i, panels, starts, widest,
            rows + 4 * len(shift) * row_places[i], scale, shift, step, rounding, fine, fine_errors,
        )  # fmt: skip


@njit(nogil=True, forceinline=True, fastmath={"reassoc", "contract"})
def _measure_codes(code, fine):
    """Return the squared distance, in fine steps, of a row's code and a pick's fine code."""
    total = np.float32(0.0)
    for k in range(len(fine)):
        wide = np.float32(code[k]) - np.float32(_ZERO_CODE)
        difference = wide * np.float32(_FINER) - np.float32(fine[k])
        total += difference * difference
    return total


@njit(nogil=True, forceinline=True)
def _limit(upper, error, widest, length2, step):
    """Return the sum below which a pick is certainly no nearer than ``upper``.

    Codes are as far from each other as their samples, give or take both errors. So a pick within
    the root of ``upper`` has codes within ``reach``, whence twice the product of codes is at least
    both squared lengths minus the square of ``reach``.
    """
    if upper == -np.inf:
        return _NEVER
    reach = (math.sqrt(upper) + error + widest) / step * (1.0 + 1e-9)
    least = math.floor((length2 - reach * reach) * 0.5) - 1.0
    return np.int32(min(max(least, np.float64(_LOWEST)), np.float64(_NEVER)))


@njit(nogil=True, forceinline=True, fastmath={"reassoc", "contract"})
def _measure_fast(left, right, n_dims):
    """Return a squared distance, summed in any order."""
    a, b = carray(_pointer(left), (n_dims,)), carray(_pointer(right), (n_dims,))
    total = 0.0
    for j in range(n_dims):
        difference = np.float64(a[j]) - np.float64(b[j])
        total += difference * difference
    return total


@njit(nogil=True, forceinline=True, fastmath={"reassoc", "contract"})
def _measure_roughly(left, right, n_dims):
    """Return a squared distance in float32, summed in any order."""
    a, b = carray(_pointer(left), (n_dims,)), carray(_pointer(right), (n_dims,))
    total = np.float32(0.0)
    for j in range(n_dims):
        difference = a[j] - b[j]
        total += difference * difference
    return total


@njit(nogil=True, forceinline=True)
def _measure_exactly(left, right, n_dims):
    """Return the defined squared distance: coordinates ascending, every step rounded."""
    a, b = carray(_pointer(left), (n_dims,)), carray(_pointer(right), (n_dims,))
    total = 0.0
    for j in range(n_dims):
        difference = np.float64(a[j]) - np.float64(b[j])
        total += difference * difference
    return total


@_compile(types.void(_i64, _LONGS, _i64, _LONGS, _i64, _f64, _DOUBLES))
def measure_pairs(rows, row_places, picks, pick_places, n_dims, unit, result):
    """Write the defined squared distance of each pair."""
    for i in range(len(result)):
        left, right = rows + 4 * n_dims * row_places[i], picks + 4 * n_dims * pick_places[i]
        result[i] = _measure_exactly(left, right, n_dims) * unit


@_compile(types.void(_i64, _LONGS, _i64, _LONGS, _i64, _DOUBLES, _INTS))
def measure_nearest(rows, places, picks, counts, n_dims, distances2, neighbours):
    """Write the defined squared distance of each row to the nearest of the first picks.

    Args:
        rows: Address of rows whose squares do not overflow.
        places: Which of them.
        picks: Address of picks.
        counts: How many of the picks count for each row, at least one.
        n_dims: Dimensions.
        distances2: Receives distances.
        neighbours: Receives which pick is the nearest, the first of equals.
    """
    # Twice what a sum of float32 squares can be off; the other is for squares that underflow.
    error, underflow = (n_dims + 8) * 2.0**-23, n_dims * 2.0**-125
    rough = np.empty(max(1, counts.max()) if len(counts) else 0, dtype=np.float64)
    for i in range(len(places)):
        left, least = rows + 4 * n_dims * places[i], np.inf
        for pick in range(counts[i]):
            rough[pick] = _measure_roughly(left, picks + 4 * n_dims * pick, n_dims)
            least = min(least, rough[pick])
        bar = (least * (1.0 + error) + 2.0 * underflow) / (1.0 - error)
        distances2[i] = np.inf
        for pick in range(counts[i]):
            if rough[pick] <= bar:
                value = _measure_exactly(left, picks + 4 * n_dims * pick, n_dims)
                if value < distances2[i]:
                    distances2[i], neighbours[i] = value, pick


@njit(nogil=True, forceinline=True)
def _is_out_of_reach(code, error, fine, fine_errors, pick, upper, step):
    """Return whether the fine code of a pick shows that it is no nearer than ``upper``."""
    reach = (math.sqrt(upper) + error + fine_errors[pick]) / step * _FINER
    # Twice what a sum of so many float32 squares can be off.
    least = np.float64(_measure_codes(code, fine[pick])) * (1.0 - (len(code) + 8) * 2.0**-23)
    return least > reach * reach * (1.0 + 1e-9)


@njit(nogil=True, forceinline=True)
def _meet(row, pick, left, picks, pick_places, n_dims, unit, upper, lower, nearest):
    """Take over a pick where it is nearer; return whether the bounds changed."""
    right = picks + 4 * n_dims * pick_places[pick]
    if unit == 1.0:
        # Nothing overflows then; the last term is for squares that underflow.
        rough = np.float64(_measure_roughly(left, right, n_dims))
        if rough * (1.0 - (n_dims + 8) * 2.0**-23) - n_dims * 2.0**-125 > upper[row]:
            return False
    value = _measure_fast(left, right, n_dims) * unit
    # Twice what either of two sums of n_dims rounded squares can be off (Higham, 2002, section 3).
    margin = value * (2 * n_dims + 10) * 2.0**-53
    if value - margin > upper[row]:
        return False
    if value + margin < lower[row]:
        upper[row], lower[row], nearest[row] = value + margin, value - margin, pick
        return True
    if lower[row] != upper[row]:
        known = picks + 4 * n_dims * pick_places[nearest[row]]
        upper[row] = lower[row] = _measure_exactly(left, known, n_dims) * unit
    value = _measure_exactly(left, right, n_dims) * unit
    if value < upper[row]:
        upper[row], lower[row], nearest[row] = value, value, pick
    return True


@njit(nogil=True, forceinline=True)
def _bound_by_codes(code, error, fine, fine_errors, pick, step):
    """Return bounds of the squared distance of a row and a pick that their codes prove."""
    value2 = np.float64(_measure_codes(code, fine[pick]))
    # Twice what a sum of so many float32 squares can be off.
    rounding = (len(code) + 8) * 2.0**-23
    off, unit = np.float64(error) + fine_errors[pick], step / _FINER
    high = (math.sqrt(value2 * (1.0 + rounding)) * unit + off) * (1.0 + 1e-9)
    low = max(0.0, math.sqrt(value2 * (1.0 - rounding)) * unit - off) * (1.0 - 1e-9)
    return low * low, high * high


@njit(nogil=True, forceinline=True)
def _meet_code(row, pick, code, error, fine, fine_errors, step, open_since, upper, lower, nearest):
    """Take over a pick by codes alone; return since which pick the nearest one is not known, or -1.

    While it is not known, the upper bound holds for all picks so far, the lower one too, and
    ``nearest`` for those before ``open_since``.
    """
    low, high = _bound_by_codes(code, error, fine, fine_errors, pick, step)
    if low > upper[row]:
        return open_since
    if high < lower[row]:
        upper[row], lower[row], nearest[row] = high, low, pick
        return np.int64(-1)
    # The bounds stay apart, so that the row is measured before it counts as known.
    upper[row], lower[row] = min(upper[row], high), min(lower[row], low)
    return np.int64(pick) if open_since < 0 else open_since


@njit(nogil=True)
def _catch_up_batch(
    order, rows, floors, last, points, point_places, codes, code_rows, lengths2, errors,
    panels, starts, widest, fine, fine_errors, picks, pick_places, n_dims, unit, step,
    upper, lower, seen, nearest, stays,
):  # fmt: skip
    for i in order:
        stays[i] = upper[rows[i]] >= floors[i]
    n_rows, n_steps, width = len(order), codes.shape[1] // 4, codes.shape[1]
    active = np.empty(n_rows, dtype=np.int64)
    open_since = np.empty(n_rows, dtype=np.int64)
    offsets = np.empty(n_rows + TILE_ROWS, dtype=np.int64)
    limits = np.empty(n_rows + TILE_ROWS, dtype=np.int32)
    masks = np.zeros(TILE_ROWS, dtype=np.uint32)
    n_active, joining, block, error = 0, 0, np.int64(0), np.float64(0.0)
    while True:
        if n_active == 0:
            if joining == n_rows or seen[rows[order[joining]]] >= last:
                return
            block = max(block, np.int64(seen[rows[order[joining]]]) // PANEL_PICKS)
        first = block * PANEL_PICKS
        if first >= last:
            for a in range(n_active):
                if open_since[a] >= 0:
                    seen[rows[active[a]]], stays[active[a]] = open_since[a], 2
            return
        stop = min(first + PANEL_PICKS, last)
        refresh = widest[block] > error or widest[block] < 0.7 * error
        if refresh:
            error = widest[block] * 1.02
            for a in range(n_active):
                i = active[a]
                place = code_rows[i]
                limits[a] = _limit(upper[rows[i]], errors[place], error, lengths2[place], step)
        while joining < n_rows and seen[rows[order[joining]]] < stop:
            i = order[joining]
            row, place = rows[i], code_rows[i]
            if seen[row] == 0:
                # Without any bound every pick would have to be measured.
                if point_places[i] < 0:
                    lower[row], upper[row] = _bound_by_codes(
                        codes[place], errors[place], fine, fine_errors, 0, step
                    )
                    nearest[row] = 0
                else:
                    left = points + 4 * n_dims * point_places[i]
                    _meet(row, 0, left, picks, pick_places, n_dims, unit, upper, lower, nearest)
                seen[row] = 1
            active[n_active] = i
            open_since[n_active] = -1
            stays[i] = 1
            offsets[n_active] = place * width
            limits[n_active] = _limit(upper[row], errors[place], error, lengths2[place], step)
            n_active += 1
            joining += 1
        for a in range(n_active, n_active + TILE_ROWS):
            offsets[a], limits[a] = 0, _NEVER
        for begin in range(0, n_active, TILE_ROWS):
            screen_tile(
                address_of(codes),
                step_from(address_of(offsets), begin * 8),
                step_from(address_of(panels), block * n_steps * 4 * PANEL_PICKS),
                n_steps,
                step_from(address_of(starts), block * 4 * PANEL_PICKS),
                step_from(address_of(limits), begin * 4),
                address_of(masks),
            )
            for t in range(min(TILE_ROWS, n_active - begin)):
                if masks[t] == 0:
                    continue
                a = begin + t
                i = active[a]
                row, mask, changed = rows[i], np.int64(masks[t]), False
                left = points + 4 * n_dims * point_places[i]
                for lane in range(max(0, np.int64(seen[row]) - first), stop - first):
                    if mask & (np.int64(1) << lane):
                        if _is_out_of_reach(
                            codes[code_rows[i]], errors[code_rows[i]], fine, fine_errors,
                            first + lane, upper[row], step,
                        ):  # fmt: skip
                            continue
                        if point_places[i] < 0:
                            open_since[a] = _meet_code(
                                row, first + lane, codes[code_rows[i]], errors[code_rows[i]],
                                fine, fine_errors, step, open_since[a], upper, lower, nearest,
                            )  # fmt: skip
                            changed = True
                            continue
                        changed |= _meet(
                            row, first + lane, left, picks, pick_places, n_dims, unit,
                            upper, lower, nearest,
                        )  # fmt: skip
                if changed:
                    place = code_rows[i]
                    limits[a] = _limit(upper[row], errors[place], error, lengths2[place], step)
        kept = 0
        for a in range(n_active):
            i = active[a]
            seen[rows[i]] = stop
            if upper[rows[i]] >= floors[i]:
                active[kept], offsets[kept], limits[kept] = i, offsets[a], limits[a]
                open_since[kept] = open_since[a]
                kept += 1
            else:
                stays[i] = 0
                if open_since[a] >= 0:
                    seen[rows[i]] = open_since[a]
        n_active = kept
        block += 1


@_compile(
    types.void(
        _LONGS, _i64, _LONGS, _DOUBLES, _i64, _i64, _LONGS, _BYTES, _LONGS, _INTS, _FLOATS,
        _PANELS, _STARTS, _FLOATS, _FINE, _FLOATS, _i64, _LONGS, _i64, _f64, _f64,
        _DOUBLES, _DOUBLES, _INTS, _INTS, types.uint8[::1],
    )
)  # fmt: skip
def catch_up(
    order, batch, rows, floors, last, points, point_places, codes, code_rows, lengths2, errors,
    panels, starts, widest, fine, fine_errors, picks, pick_places, n_dims, unit, step,
    upper, lower, seen, nearest, stays,
):  # fmt: skip
    """Measure rows against the first ``last`` picks.

    Rows that fall below their floor leave at once, with what they have seen by then; ``stays``
    tells which did not. ``order`` ranks places in ``rows`` by how much the rows have seen. A batch
    of them is done with before the next, so that its rows stay in the second-level cache.

    Rows whose place among points is negative are measured by codes. ``stays`` becomes 2 for those
    that codes cannot tell the nearest pick of; they count as not having seen the doubtful picks.
    """
    for begin in range(0, len(order), batch):
        _catch_up_batch(
            order[begin : begin + batch], rows, floors, last, points, point_places,
            codes, code_rows, lengths2, errors,
            panels, starts, widest, fine, fine_errors, picks, pick_places, n_dims, unit, step,
            upper, lower, seen, nearest, stays,
        )  # fmt: skip


@_compile(types.void(_BYTES, _LONGS, types.uint8[::1]))
def pack_slabs(codes, code_rows, slabs):
    """Lay out the codes of rows for `screen_slab`."""
    n_steps = codes.shape[1] // 4
    for i in range(len(code_rows)):
        base = (i // SLAB_ROWS) * n_steps * 4 * SLAB_ROWS + (i % SLAB_ROWS) * 4
        place = code_rows[i]
        for k in range(n_steps):
            for c in range(4):
                slabs[base + k * 4 * SLAB_ROWS + c] = codes[place, 4 * k + c]


@_compile(types.void(_LONGS, _LONGS, _INTS, _FLOATS, _f64, _f64, _DOUBLES, _INTS))
def set_limits(rows, code_rows, lengths2, errors, widest, step, upper, limits):
    """Write the limits of rows; places beyond them never reach theirs."""
    limits[:] = _NEVER
    for i in range(len(rows)):
        place = code_rows[i]
        limits[i] = _limit(upper[rows[i]], errors[place], widest, lengths2[place], step)


@_compile(
    types.void(
        _LONGS, _i64, _LONGS, types.uint8[::1], _BYTES, _LONGS, _INTS, _FLOATS, _INTS, _f64,
        _PANELS, _STARTS, _FINE, _FLOATS, _i64, _i64, _LONGS, _i64, _f64, _f64,
        _DOUBLES, _DOUBLES, _INTS, types.int8[::1],
    )
)  # fmt: skip
def account(
    rows, points, point_places, slabs, codes, code_rows, lengths2, errors, limits, widest,
    panels, starts, fine, fine_errors, pick, picks, pick_places, n_dims, unit, step,
    upper, lower, nearest, code,
):  # fmt: skip
    """Measure all rows of a pool against one pick."""
    n_steps = panels.shape[1]
    block, lane = pick // PANEL_PICKS, pick % PANEL_PICKS
    for k in range(n_steps):
        for c in range(4):
            code[4 * k + c] = panels[block, k, lane, c]
    start = starts[block, lane]
    masks = np.zeros(SLAB_ROWS // 64, dtype=np.uint64)
    for begin in range(0, len(rows), SLAB_ROWS):
        screen_slab(
            step_from(address_of(slabs), begin * n_steps * 4),
            address_of(code),
            n_steps,
            start,
            step_from(address_of(limits), begin * 4),
            address_of(masks),
        )
        for m in range(SLAB_ROWS // 64):
            if masks[m] == 0:
                continue
            for bit in range(64):
                i = begin + 64 * m + bit
                if i >= len(rows) or not masks[m] & (np.uint64(1) << np.uint64(bit)):
                    continue
                row = rows[i]
                place = code_rows[i]
                if _is_out_of_reach(
                    codes[place], errors[place], fine, fine_errors, pick, upper[row], step
                ):
                    continue
                left = points + 4 * n_dims * point_places[i]
                if _meet(row, pick, left, picks, pick_places, n_dims, unit, upper, lower, nearest):
                    limits[i] = _limit(upper[row], errors[place], widest, lengths2[place], step)


@njit(nogil=True, forceinline=True)
def _find_highest(values, n_values):
    """Return the first place of the highest value.

    Bits of floats that are not negative rank as the integers they are, and any negative one below
    them: unlike floats, integers are compared sixteen at a time.
    """
    bits = values.view(np.int64)
    highest = np.int64(-(2**63))
    for i in range(n_values):
        highest = max(highest, bits[i])
    for i in range(n_values):
        if bits[i] == highest:
            return i
    return -1


@_compile(
    _i64(
        _LONGS, _i64, _LONGS, types.uint8[::1], _BYTES, _LONGS, _INTS, _FLOATS, _INTS, _f64,
        _PANELS, _STARTS, _FLOATS, _FINE, _FLOATS, _f64, _FLOATS, _f64,
        _LONGS, _i64, _i64, _LONGS, _i64, _f64, _f64,
        _DOUBLES, _DOUBLES, _INTS, types.int8[::1],
        _LONGS, _f64, _i64, _i64, _f64, _f64, _LONGS, _DOUBLES, _INTS, _LONGS, types.boolean,
    )
)  # fmt: skip
def pick_from_pool(
    rows, points, point_places, slabs, codes, code_rows, lengths2, errors, limits, widest,
    panels, starts, block_errors, fine, fine_errors, scale, shift, rounding,
    selected, n_selected, picks, pick_places, n_dims, unit, step,
    upper, lower, nearest, code,
    samples, bar, last_tie, n_most, least_distance, true_unit, picked, distances2, neighbours,
    counts, has_copies,
):  # fmt: skip
    """Pick the farthest row of a pool while it is ahead of every row outside.

    Returns:
        Picks made. ``counts`` receives the number of selected samples, and whether the next pick
        would be nearer than ``least_distance``.
    """
    n_picked, counts[1] = 0, 0
    values = np.empty(len(rows), dtype=np.float64)
    while n_picked < n_most:
        for i in range(len(rows)):
            values[i] = upper[rows[i]]
        best = _find_highest(values, len(rows))
        if best < 0 or values[best] < 0.0:
            break
        row = rows[best]
        if lower[row] != upper[row]:
            left = points + 4 * n_dims * point_places[best]
            known = picks + 4 * n_dims * pick_places[nearest[row]]
            upper[row] = lower[row] = _measure_exactly(left, known, n_dims) * unit
            continue
        value = upper[row]
        if not (value > bar or (value == bar and row <= last_tie)):
            break
        if math.sqrt(value * true_unit) < least_distance:
            counts[1] = 1
            break
        picked[n_picked] = row
        distances2[n_picked] = value * true_unit
        neighbours[n_picked] = nearest[row]
        n_picked += 1
        upper[row] = lower[row] = -np.inf
        limits[best] = _NEVER
        if value == 0.0:
            continue
        place = code_rows[best]
        selected[n_selected] = samples[row]
        pick_places[n_selected] = point_places[best]
        if has_copies:
            pick_places[n_selected] = n_selected
            source = carray(_pointer(points + 4 * n_dims * point_places[best]), (n_dims,))
            target = carray(_pointer(picks + 4 * n_dims * n_selected), (n_dims,))
            target[:] = source
        _append(
            codes[place], lengths2[place], errors[place], n_selected, panels, starts, block_errors,
            points + 4 * n_dims * point_places[best], scale, shift, step, rounding,
            fine, fine_errors,
        )  # fmt: skip
        account(
            rows, points, point_places, slabs, codes, code_rows, lengths2, errors, limits, widest,
            panels, starts, fine, fine_errors, n_selected, picks, pick_places, n_dims, unit, step,
            upper, lower, nearest, code,
        )  # fmt: skip
        n_selected += 1
    counts[0] = n_selected
    return n_picked


HAS_KERNELS = can_run()
