"""Picks of DIVERSITY times sums of values, made inside a pool."""

from __future__ import annotations

import math

import numpy as np
from numba import carray, njit, types

from lightly.selection.kernels.compiled import (
    _BYTES,
    _DOUBLES,
    _FLOATS,
    _INTS,
    _LONGS,
    _NEVER,
    _ZERO_CODE,
    _compile,
    _f64,
    _i64,
    _limit,
    _measure_exactly,
    _measure_fast,
    _meet,
    _pointer,
)
from lightly.selection.kernels.tiles import SLAB_ROWS, address_of, screen_slab, step_from

_TINY = 2.2250738585072014e-308
# A product of a few float64 numbers is off by a few last places; this is far more.
_PRODUCT_MARGIN = 1e-12
# Between these no factor has overflowed or vanished.
_LEAST_PRODUCT, _MOST_PRODUCT = 1e-200, 1e200


@njit(nogil=True)
def _pack(code, place, slabs):  # type: ignore[no-untyped-def]
    """Lay out unsigned codes as one row of a slab."""
    n_steps = len(code) // 4
    base = (place // SLAB_ROWS) * n_steps * 4 * SLAB_ROWS + (place % SLAB_ROWS) * 4
    for k in range(n_steps):
        for c in range(4):
            slabs[base + k * 4 * SLAB_ROWS + c] = code[4 * k + c]


@_compile(
    types.void(
        _BYTES, _INTS, _FLOATS, _DOUBLES, _f64, _f64, _i64, types.uint8[::1], _INTS, _INTS, _FLOATS
    )
)
def pack_rows(  # type: ignore[no-untyped-def]
    codes, lengths2, errors, distances2, widest, step, first,
    slabs, limits, own_lengths2, own_errors,
):  # fmt: skip
    """Lay out rows from place ``first`` on, with the limits that their distances set."""
    for i in range(len(codes)):
        place = first + i
        _pack(codes[i], place, slabs)
        own_lengths2[place], own_errors[place] = lengths2[i], errors[i]
        limits[place] = _limit(distances2[i], errors[i], widest, lengths2[i], step)


@_compile(types.void(_DOUBLES, _f64, _f64, _INTS, _FLOATS, _INTS))
def set_limits(distances2, widest, step, lengths2, errors, limits):  # type: ignore[no-untyped-def]
    """Set the limits of laid out rows anew."""
    for i in range(len(distances2)):
        limits[i] = _limit(distances2[i], errors[i], widest, lengths2[i], step)


@njit(nogil=True)
def _screen(slabs, limits, n_rows, code, start, masks):  # type: ignore[no-untyped-def]
    """Tell which of the laid out rows a sample may be near, a bit per row."""
    n_steps = len(code) // 4
    for begin in range(0, n_rows, SLAB_ROWS):
        screen_slab(
            step_from(address_of(slabs), begin * n_steps * 4),
            address_of(code),
            n_steps,
            start,
            step_from(address_of(limits), begin * 4),
            step_from(address_of(masks), begin // 8),
        )


@njit(nogil=True)
def _spread(  # type: ignore[no-untyped-def]
    latest, distance2, masks, members, member_places, n_dims, unit,
    distances, limits, lengths2, errors, widest, step,
):  # fmt: skip
    """Take the latest member into the distances of members; return their sum."""
    left = members + 4 * n_dims * member_places[latest]
    relative = (2 * n_dims + 10) * 2.0**-53
    for m in range((latest + 63) // 64):
        if masks[m] == 0:
            continue
        for bit in range(64):
            i = 64 * m + bit
            if i >= latest or not masks[m] & (np.uint64(1) << np.uint64(bit)):
                continue
            right = members + 4 * n_dims * member_places[i]
            if _measure_fast(left, right, n_dims) * unit * (1.0 - relative) >= distances[i]:
                continue
            exact = _measure_exactly(left, right, n_dims) * unit
            if exact < distances[i]:
                distances[i] = exact
                limits[i] = _limit(exact, errors[i], widest, lengths2[i], step)
    distances[latest] = distance2
    limits[latest] = _limit(distance2, errors[latest], widest, lengths2[latest], step)
    total = 0.0
    for i in range(latest + 1):
        total += distances[i]
    return total


@njit(nogil=True)
def _score(spread, upper, strengths, totals, values, row, is_simple):  # type: ignore[no-untyped-def]
    """Return the product of objectives if all strengths are 1, or else its logarithm."""
    if is_simple:
        product = max(spread + upper, _TINY)
        for w in range(len(totals)):
            product *= max(totals[w] + values[w, row], _TINY)
        return product
    score = strengths[0] * math.log(max(spread + upper, _TINY))
    for w in range(len(totals)):
        score += strengths[w + 1] * math.log(max(totals[w] + values[w, row], _TINY))
    return score


@njit(nogil=True)
def _find_two(scores):  # type: ignore[no-untyped-def]
    """Return the places of the highest score and of the next."""
    best, second = -1, -1
    for i in range(len(scores)):
        if best < 0 or scores[i] > scores[best]:
            best, second = i, best
        elif second < 0 or scores[i] > scores[second]:
            second = i
    return best, second


@njit(nogil=True)
def _compare_alike(rows, scores, bar, best, upper, lower, values):  # type: ignore[no-untyped-def]
    """Return a row in reach of the best that is not exact yet, or else whether all are alike."""
    are_alike = True
    for i in range(len(rows)):
        if scores[i] < bar:
            continue
        if lower[rows[i]] != upper[rows[i]]:
            return i, False
        are_alike = are_alike and upper[rows[i]] == upper[rows[best]]
        for w in range(len(values)):
            are_alike = are_alike and values[w, rows[i]] == values[w, rows[best]]
    # The best is the first of them; rows are ascending.
    return -1, are_alike


@njit(nogil=True)
def _grow(before, now, low, high, strength):  # type: ignore[no-untyped-def]
    """Return the most that strength times the logarithm of a bound grew; NaN if unknown."""
    if before == now:
        return 0.0
    if min(before, now) + low < _TINY:
        return np.nan
    first = math.log((now + low) / (before + low))
    last = math.log((now + high) / (before + high))
    return strength * (max(first, last) if strength > 0 else min(first, last))


@njit(nogil=True)
def _bound_growth(marks, spread, totals, strengths):  # type: ignore[no-untyped-def]
    """Return the most that the score of a row outside grew since the mark; NaN if unknown."""
    growth = _grow(marks[0, 0], spread, marks[0, 1], marks[0, 2], strengths[0])
    for w in range(len(totals)):
        growth += _grow(
            marks[w + 1, 0], totals[w], marks[w + 1, 1], marks[w + 1, 2], strengths[w + 1]
        )
    return growth


@njit(nogil=True)
def _find_outside(spread, unit, strengths, totals, values, upper, is_inside, is_simple):  # type: ignore[no-untyped-def]
    """Return the highest score that a row outside the pool can have, as a logarithm."""
    highest = -np.inf
    if is_simple and len(totals) == 1:
        total, own = totals[0], values[0]
        for row in range(len(upper)):
            product = max(spread + upper[row] * unit, _TINY) * max(total + own[row], _TINY)
            is_free = is_inside[row] == 0 and upper[row] > -np.inf
            highest = max(highest, product if is_free else -np.inf)
    else:
        for row in range(len(upper)):
            if is_inside[row] == 0 and upper[row] > -np.inf:
                score = _score(spread, upper[row] * unit, strengths, totals, values, row, is_simple)
                highest = max(highest, score)
    if is_simple and highest > -np.inf:
        return math.log(max(highest, _TINY))
    return highest


@_compile(
    _i64(
        _LONGS, _i64, _LONGS, _BYTES, _LONGS, types.uint8[::1], _INTS, _INTS, _FLOATS,
        _LONGS, _i64, _LONGS, _i64, _LONGS, types.boolean, types.uint8[::1], _INTS, _INTS, _FLOATS,
        _DOUBLES, _i64, _f64, _f64, _f64, _f64, _DOUBLES, _DOUBLES, _INTS,
        _DOUBLES, _DOUBLES, types.float64[:, ::1], types.float64[:, ::1], _DOUBLES,
        types.uint8[::1], _f64, _f64,
        _LONGS, _DOUBLES, _INTS,
    )
)  # fmt: skip
def mix_from_pool(  # type: ignore[no-untyped-def]
    rows, points, point_places, codes, code_rows, slabs, limits, lengths2, errors,
    samples, n_selected, selected, members, member_places, has_copies,
    member_slabs, member_limits, member_lengths2, member_errors,
    distances, n_dims, widest, unit, true_unit, step, upper, lower, nearest,
    strengths, totals, values, marks, outside, is_inside, margin, least_distance,
    picked, distances2, neighbours,
):  # fmt: skip
    """Pick the row with the highest product while nothing else can be as good.

    ``marks`` has a line per objective: its sum when ``outside`` was found, which no row outside
    exceeded then, and the least and the largest value that a candidate adds. They and ``totals``,
    the sums of values, are brought up to date.

    Returns:
        Picks made. It ends before the first that needs more than float64, or may be a stop.
    """
    n_picked = 0
    code = np.empty(codes.shape[1], dtype=np.int8)
    masks = np.empty((max(len(slabs), len(member_slabs)) // len(code) + 63) // 64, dtype=np.uint64)
    spread = 0.0
    for member in range(n_selected):
        spread += distances[member]
    spread = spread * true_unit if n_selected > 1 else 0.0
    scores = np.empty(len(rows))
    is_simple = True
    for strength in strengths:
        is_simple = is_simple and strength == 1.0
    while n_picked < len(picked):
        for i in range(len(rows)):
            row = rows[i]
            scores[i] = -np.inf
            if upper[row] > -np.inf:
                scores[i] = _score(
                    spread, upper[row] * true_unit, strengths, totals, values, row, is_simple
                )
        best, is_clear = -1, False
        while True:
            best, second = _find_two(scores)
            unsure = best
            if best < 0 or scores[best] == -np.inf:
                break
            if lower[rows[best]] == upper[rows[best]]:
                slack = _PRODUCT_MARGIN * scores[best] if is_simple else 2.0 * margin
                is_clear = second < 0 or scores[second] < scores[best] - slack
                if is_clear:
                    break
                unsure, is_clear = _compare_alike(
                    rows, scores, scores[best] - slack, best, upper, lower, values
                )
                if unsure < 0:
                    break
            row = rows[unsure]
            left = points + 4 * n_dims * point_places[unsure]
            known = members + 4 * n_dims * member_places[nearest[row]]
            upper[row] = lower[row] = _measure_exactly(left, known, n_dims) * unit
            scores[unsure] = _score(
                spread, upper[row] * true_unit, strengths, totals, values, row, is_simple
            )
        if not is_clear:
            break
        highest = scores[best]
        if is_simple:
            if not _LEAST_PRODUCT < highest < _MOST_PRODUCT:
                break
            highest = math.log(highest)
        if outside[0] > -np.inf:
            reach = outside[0] + _bound_growth(marks, spread, totals, strengths)
            if not highest - reach > 3.0 * margin:
                # What sums grew by says too little about the others by now: look at each.
                outside[0] = _find_outside(
                    spread, true_unit, strengths, totals, values, upper, is_inside, is_simple
                )
                marks[0, 0] = spread
                marks[1:, 0] = totals
                if not highest - outside[0] > 3.0 * margin:
                    break
        row = rows[best]
        value = upper[row]
        if math.sqrt(value * true_unit) < least_distance:
            break
        picked[n_picked] = row
        distances2[n_picked] = value * true_unit
        neighbours[n_picked] = nearest[row]
        n_picked += 1
        upper[row] = lower[row] = -np.inf
        limits[best] = _NEVER
        for w in range(len(totals)):
            totals[w] += values[w, row]
        place, total = code_rows[best], np.int64(0)
        for k in range(len(code)):
            signed = np.int64(codes[place, k]) - _ZERO_CODE
            code[k], total = signed, total + signed
        start = np.int32(-(np.int64(lengths2[best]) >> 1) - _ZERO_CODE * total)
        selected[n_selected], member_places[n_selected] = samples[row], samples[row]
        if has_copies:
            member_places[n_selected] = n_selected
            source = carray(_pointer(points + 4 * n_dims * point_places[best]), (n_dims,))
            target = carray(_pointer(members + 4 * n_dims * n_selected), (n_dims,))
            target[:] = source
        _pack(codes[place], n_selected, member_slabs)
        member_lengths2[n_selected], member_errors[n_selected] = lengths2[best], errors[best]
        member_limits[n_selected] = _NEVER
        _screen(member_slabs, member_limits, n_selected, code, start, masks)
        spread = true_unit * _spread(
            n_selected, value, masks, members, member_places, n_dims, unit,
            distances, member_limits, member_lengths2, member_errors, widest, step,
        )  # fmt: skip
        _screen(slabs, limits, len(rows), code, start, masks)
        for m in range((len(rows) + 63) // 64):
            if masks[m] == 0:
                continue
            for bit in range(64):
                i = 64 * m + bit
                if i >= len(rows) or not masks[m] & (np.uint64(1) << np.uint64(bit)):
                    continue
                left = points + 4 * n_dims * point_places[i]
                if _meet(
                    rows[i], n_selected, left, members, member_places, n_dims, unit,
                    upper, lower, nearest,
                ):  # fmt: skip
                    limits[i] = _limit(upper[rows[i]], errors[i], widest, lengths2[i], step)
        n_selected += 1
    return n_picked
