"""Farthest-point traversal that measures every row against every pick.

Rows lie in panels of `PANEL_ROWS`, coordinate by coordinate, so that one vector holds the same
coordinate of several rows. A float32 sum of squared differences bounds a distance, and a vector of
bounds is compared at once. Where bounds leave a comparison open, the panel is measured in the
defined arithmetic: each row's sum grows coordinate after coordinate, each step rounded as the
definition says, and still all lanes are used.

Rows are those of a space without scaling: no float32 square overflows.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, njit, types
from numba.extending import intrinsic

from lightly.selection.kernels.compiled import (
    _DOUBLES,
    _FLOATS,
    _INTS,
    _LONGS,
    _compile,
    _f64,
    _i64,
    _pointer,
)
from lightly.selection.kernels.tiles import _load, _long, _loop, address_of, step_from

PANEL_ROWS = 64

_INT, _LONG, _FLOAT, _DOUBLE = ir.IntType(32), ir.IntType(64), ir.FloatType(), ir.DoubleType()
_NARROW, _WIDE, _NUMBERS = (ir.VectorType(kind, PANEL_ROWS) for kind in (_FLOAT, _DOUBLE, _INT))
_ADDRESS, _PICKS = types.voidptr, types.float32[:, ::1]
_f32 = types.float32
# float32 values that come into the cache together.
_LINE = 16


@intrinsic
def _screen_panel(
    _: Any,
    panel: Any,  # noqa: ARG001  typed by the signature, as all below
    pick: Any,  # noqa: ARG001
    n_dims: Any,  # noqa: ARG001
    number: Any,  # noqa: ARG001
    margin: Any,  # noqa: ARG001
    underflow: Any,  # noqa: ARG001
    best: Any,  # noqa: ARG001
    nearest: Any,  # noqa: ARG001
    top: Any,  # noqa: ARG001
) -> Any:
    """Take over a pick for the rows of a panel that it is clearly nearer to.

    Args:
        panel: float32, shape ``[n_dims, PANEL_ROWS]``.
        pick: float32, shape ``[n_dims]``.
        n_dims: At least 1.
        number: Which pick it is.
        margin: Share by which two sums must differ to tell which distance is larger.
        underflow: By how much more they must differ.
        best: float32 per row, the least sum so far.
        nearest: int32 per row, the pick it belongs to.
        top: Receives the largest of ``best``.

    Returns:
        One bit per row for which it is open whether the pick is nearer.
    """
    signature = types.uint64(
        _ADDRESS, _ADDRESS, types.int64, types.int32, _f32, _f32, _ADDRESS, _ADDRESS, _ADDRESS
    )

    def emit(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        panel, pick, n_dims, number, margin, underflow, best_at, nearest_at, top_at = arguments

        def add(rows: Any, value: Any, total: Any) -> Any:
            left = builder.fsub(rows, value)
            square = builder.fmul(left, left, flags=("contract",))
            return builder.fadd(total, square, flags=("contract",))

        total = _add_up(builder, (panel, pick, n_dims), _NARROW, add)
        best = _load(builder, best_at, _long(0), _NARROW, 4)
        one, floor = ir.Constant(_FLOAT, 1.0), _spread(builder, underflow, _NARROW)
        below = _spread(builder, builder.fsub(one, margin), _NARROW)
        above = _spread(builder, builder.fadd(one, margin), _NARROW)
        nearer = builder.fsub(builder.fmul(best, below), floor)
        farther = builder.fadd(builder.fmul(best, above), floor)
        is_clear = builder.fcmp_ordered("<", total, nearer)
        is_near = builder.fcmp_ordered("<=", total, farther)
        best = builder.select(is_clear, total, best)
        numbers = _load(builder, nearest_at, _long(0), _NUMBERS, 4)
        numbers = builder.select(is_clear, _spread(builder, number, _NUMBERS), numbers)
        _store(builder, best, best_at)
        _store(builder, numbers, nearest_at)
        _store(builder, _find_largest(builder, best), top_at)
        return builder.bitcast(builder.and_(is_near, builder.not_(is_clear)), _LONG)

    return signature, emit


@intrinsic
def _measure_panel(_: Any, panel: Any, pick: Any, n_dims: Any, sums: Any) -> Any:  # noqa: ARG001  typed by the signature
    """Write the defined squared distance of each row of a panel to a pick, as float64."""
    signature = types.void(_ADDRESS, _ADDRESS, types.int64, _ADDRESS)

    def emit(context: Any, builder: Any, _: Any, arguments: Any) -> Any:
        def add(rows: Any, value: Any, total: Any) -> Any:
            left = builder.fsub(builder.fpext(rows, _WIDE), builder.fpext(value, _WIDE))
            return builder.fadd(total, builder.fmul(left, left))

        _store(builder, _add_up(builder, arguments[:3], _WIDE, add), arguments[3])
        return context.get_dummy_value()

    return signature, emit


def _add_up(builder: Any, arguments: Any, kind: Any, add: Any) -> Any:
    """Emit a loop over coordinates that adds up one sum per row."""
    panel_base, pick_base, n_dims = arguments

    def advance(step: Any, sums: list[Any]) -> list[Any]:
        rows = _load(builder, panel_base, builder.mul(step, _long(4 * PANEL_ROWS)), _NARROW, 4)
        value = _load(builder, pick_base, builder.mul(step, _long(4)), _FLOAT, 4)
        return [add(rows, _spread(builder, value, _NARROW), sums[0])]

    (total,) = _loop(builder, n_dims, [ir.Constant(kind, [0.0] * PANEL_ROWS)], advance, kind)
    return total


def _spread(builder: Any, value: Any, kind: Any) -> Any:
    """Return a vector of one value in all lanes."""
    undefined = ir.Constant(kind, ir.Undefined)
    single = builder.insert_element(undefined, value, ir.Constant(_INT, 0))
    lanes = ir.Constant(ir.VectorType(_INT, kind.count), [0] * kind.count)
    return builder.shuffle_vector(single, undefined, lanes)


def _find_largest(builder: Any, values: Any) -> Any:
    """Return the largest value of a vector, halving it again and again."""
    n_lanes = PANEL_ROWS
    while n_lanes > 1:
        n_lanes //= 2
        halves = []
        for first in (0, n_lanes):
            lanes = ir.Constant(ir.VectorType(_INT, n_lanes), list(range(first, first + n_lanes)))
            halves.append(builder.shuffle_vector(values, values, lanes))
        values = builder.select(builder.fcmp_ordered(">", *halves), *halves)
    return builder.extract_element(values, ir.Constant(_INT, 0))


def _store(builder: Any, value: Any, address: Any) -> None:
    builder.store(value, builder.bitcast(address, value.type.as_pointer())).align = 4


@njit(nogil=True, forceinline=True)
def _find_errors(n_dims):
    """Return by what share, and by how much more, a float32 squared distance can be off.

    Each difference and each sum is rounded (Higham, 2002, section 3.1), whether or not products
    are; squares may underflow, flushed to zero or gradually.
    """
    return 1.05 * (n_dims + 4) * 2.0**-24, n_dims * 2.0**-125


@_compile(types.void(_i64, _LONGS, _i64, _i64, _FLOATS))
def pack_panels(rows, places, first, n_dims, panels):
    """Lay out rows in panels, the first of them, a multiple of `PANEL_ROWS`, as row ``first``."""
    for begin in range(0, len(places), PANEL_ROWS):
        base = (first + begin) * n_dims
        n_rows = min(PANEL_ROWS, len(places) - begin)
        for line in range(0, n_dims, _LINE):
            n_values = min(_LINE, n_dims - line)
            for lane in range(n_rows):
                address = rows + 4 * (n_dims * places[begin + lane] + line)
                values = carray(_pointer(address), (n_values,))
                at = base + line * PANEL_ROWS + lane
                for j in range(n_values):
                    panels[at + j * PANEL_ROWS] = values[j]


@njit(nogil=True, forceinline=True)
def _measure_row(panels, row, pick):
    """Return the defined squared distance of one row to a pick."""
    n_dims, total = len(pick), 0.0
    base = (row // PANEL_ROWS) * n_dims * PANEL_ROWS + row % PANEL_ROWS
    for j in range(n_dims):
        difference = np.float64(panels[base + j * PANEL_ROWS]) - np.float64(pick[j])
        total += difference * difference
    return total


@njit(nogil=True, forceinline=True)
def _resolve(panels, row, picks, best, nearest, exact, exact_for):
    """Know the defined squared distance of a row to its nearest pick."""
    if exact_for[row] != nearest[row]:
        exact[row] = _measure_row(panels, row, picks[nearest[row]])
        exact_for[row] = nearest[row]
        best[row] = np.float32(exact[row])


@_compile(types.void(_FLOATS, _PICKS, _i64, _FLOATS, _INTS, _DOUBLES, _INTS, _FLOATS))
def account_all(panels, picks, number, best, nearest, exact, exact_for, tops):
    """Measure all rows against a pick, and note where it is nearer."""
    n_dims, short = picks.shape[1], np.int32(number)
    error, underflow = _find_errors(n_dims)
    # Two intervals of twice the error, and the rounding of the comparison itself.
    margin, floor = np.float32(3.0 * error), np.float32(4.0 * underflow)
    pick = step_from(address_of(picks), number * n_dims * 4)
    values = np.empty(PANEL_ROWS, dtype=np.float64)
    for begin in range(0, len(best), PANEL_ROWS):
        panel = step_from(address_of(panels), begin * n_dims * 4)
        is_open = _screen_panel(
            panel, pick, n_dims, short, margin, floor,
            step_from(address_of(best), begin * 4),
            step_from(address_of(nearest), begin * 4),
            step_from(address_of(tops), begin // PANEL_ROWS * 4),
        )  # fmt: skip
        if is_open == 0:
            continue
        _measure_panel(panel, pick, n_dims, address_of(values))
        top = np.float32(-np.inf)
        for lane in range(PANEL_ROWS):
            row = begin + lane
            if is_open & (np.uint64(1) << np.uint64(lane)):
                _resolve(panels, row, picks, best, nearest, exact, exact_for)
                if values[lane] < exact[row]:
                    nearest[row] = exact_for[row] = short
                    exact[row] = values[lane]
                    best[row] = np.float32(exact[row])
            top = max(top, best[row])
        tops[begin // PANEL_ROWS] = top


@njit(nogil=True, forceinline=True)
def _find_farthest(panels, picks, best, nearest, exact, exact_for, tops):
    """Return the row farthest from the selection, the first of equals; -1 if none is left."""
    highest = np.float64(-np.inf)
    for top in tops:
        highest = max(highest, np.float64(top))
    if highest == -np.inf:
        return -1
    error, underflow = _find_errors(picks.shape[1])
    bar = highest * (1.0 - 3.0 * error) - 4.0 * underflow
    farthest = -1
    for panel in range(len(tops)):
        if tops[panel] < bar:
            continue
        for row in range(panel * PANEL_ROWS, (panel + 1) * PANEL_ROWS):
            if best[row] >= bar:
                _resolve(panels, row, picks, best, nearest, exact, exact_for)
                if farthest < 0 or exact[row] > exact[farthest]:
                    farthest = row
    return farthest


@_compile(
    _i64(
        _FLOATS, _PICKS, _i64, _i64, _f64, _FLOATS, _INTS, _DOUBLES, _INTS, _FLOATS,
        _LONGS, _DOUBLES, _INTS, _LONGS,
    )
)  # fmt: skip
def pick_from_all(
    panels, picks, n_selected, n_most, least_distance, best, nearest, exact, exact_for, tops,
    picked, distances2, neighbours, counts,
):  # fmt: skip
    """Pick the farthest row again and again; all rows must be up to date.

    Returns:
        Picks made. ``counts`` receives the number of selected samples, and whether the next pick
        would be nearer than ``least_distance``.
    """
    n_picked, n_dims = 0, picks.shape[1]
    counts[1] = 0
    while n_picked < n_most:
        row = _find_farthest(panels, picks, best, nearest, exact, exact_for, tops)
        if row < 0:
            break
        if math.sqrt(exact[row]) < least_distance:
            counts[1] = 1
            break
        picked[n_picked], distances2[n_picked] = row, exact[row]
        neighbours[n_picked] = nearest[row]
        n_picked += 1
        best[row] = -np.inf
        panel, lane = row // PANEL_ROWS, row % PANEL_ROWS
        if exact[row] == 0.0:
            tops[panel] = best[panel * PANEL_ROWS : (panel + 1) * PANEL_ROWS].max()
            continue
        for j in range(n_dims):
            picks[n_selected, j] = panels[(panel * n_dims + j) * PANEL_ROWS + lane]
        account_all(panels, picks, n_selected, best, nearest, exact, exact_for, tops)
        n_selected += 1
    counts[0] = n_selected
    return n_picked


@njit(nogil=True, forceinline=True)
def _find_largest_magnitude(rows, n_values):
    """Return the largest magnitude of float32 values; not finite if one of them is not."""
    # As integers, magnitudes have the same order, and vectors of them are compared at once.
    bits = carray(_pointer(rows), (n_values,)).view(np.int32)
    largest = np.zeros(1, dtype=np.int32)
    for i in range(n_values):
        largest[0] = max(largest[0], np.int32(bits[i] & np.int32(0x7FFFFFFF)))
    return largest.view(np.float32)[0]


@njit(nogil=True, forceinline=True)
def _pack_all(rows, n_rows, n_dims, panels):
    """Lay out all rows in panels."""
    for begin in range(0, n_rows, PANEL_ROWS):
        base = begin * n_dims
        n_lanes = min(PANEL_ROWS, n_rows - begin)
        for line in range(0, n_dims, _LINE):
            n_values = min(_LINE, n_dims - line)
            for lane in range(n_lanes):
                address = rows + 4 * (n_dims * (begin + lane) + line)
                values = carray(_pointer(address), (n_values,))
                at = base + line * PANEL_ROWS + lane
                for j in range(n_values):
                    panels[at + j * PANEL_ROWS] = values[j]


@_compile(
    types.Tuple((_i64, types.boolean))(
        _i64, _i64, _i64, _f64, _f64, _f64, _LONGS, _DOUBLES, _LONGS
    )
)  # fmt: skip
def pick_from_start(
    rows, n_rows, n_dims, smallest, largest, least_distance, picked, distances2, neighbours
):
    """Pick the first row, and then the farthest one again and again.

    Args:
        rows: Address of all rows.
        n_rows: At least 1.
        n_dims: At least 1.
        smallest: Least magnitude that the largest coordinate may have.
        largest: Largest magnitude that a coordinate may have.
        least_distance: Stop before a pick that is nearer to the picks.
        picked: Receives rows, as many as there are to be.
        distances2: Receives squared distances, infinite for the first.
        neighbours: Receives the nearest row that was picked before, -1 for the first.

    Returns:
        Picks made, -1 if coordinates are not within the given magnitudes; and whether the next
        pick would be nearer than ``least_distance``.
    """
    n_most = len(picked)
    # No comparison with NaN holds.
    if not smallest <= _find_largest_magnitude(rows, n_rows * n_dims) <= largest:
        return -1, False
    n_panels = (n_rows + PANEL_ROWS - 1) // PANEL_ROWS
    panels = np.empty(n_panels * PANEL_ROWS * n_dims, dtype=np.float32)
    _pack_all(rows, n_rows, n_dims, panels)
    picks = np.empty((n_most, n_dims), dtype=np.float32)
    best = np.full(n_panels * PANEL_ROWS, np.float32(-np.inf))
    best[1:n_rows] = np.inf
    closest = np.zeros(len(best), dtype=np.int32)
    exact = np.empty(len(best), dtype=np.float64)
    exact_for = np.full(len(best), np.int32(-1))
    tops = np.full(n_panels, np.float32(np.inf))
    picked[0], distances2[0], neighbours[0] = 0, np.inf, -1
    for j in range(n_dims):
        picks[0, j] = panels[j * PANEL_ROWS]
    account_all(panels, picks, 0, best, closest, exact, exact_for, tops)
    numbers, counts = np.empty(n_most, dtype=np.int32), np.empty(2, dtype=np.int64)
    n_later = pick_from_all(
        panels, picks, 1, n_most - 1, least_distance, best, closest, exact, exact_for, tops,
        picked[1:], distances2[1:], numbers[1:], counts,
    )  # fmt: skip
    # Picks are numbered in order; a row that equals a pick gets no number.
    added, n_added = np.empty(n_most, dtype=np.int64), 0
    for i in range(n_later + 1):
        if i > 0:
            neighbours[i] = added[numbers[i]]
        if distances2[i] > 0.0:
            added[n_added] = picked[i]
            n_added += 1
    return n_later + 1, counts[1] == 1


@_compile(types.void(_FLOATS, _INTS, _DOUBLES, _INTS, _i64, _DOUBLES, _DOUBLES))
def write_bounds(best, nearest, exact, exact_for, n_dims, upper, lower):
    """Write what is known of each row's squared distance."""
    error, underflow = _find_errors(n_dims)
    for row in range(len(upper)):
        value = np.float64(best[row])
        is_known = exact_for[row] == nearest[row] and value >= 0.0
        upper[row] = exact[row] if is_known else value * (1.0 + error) + underflow
        lower[row] = exact[row] if is_known else value * (1.0 - error) - underflow
