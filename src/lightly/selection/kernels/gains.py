"""Gains of facility location: which candidate of a pool lowers distances most."""

from __future__ import annotations

from numba import njit, types

from lightly.selection.kernels.compiled import _INTS, _LONGS, _compile, _i64


@njit(nogil=True, forceinline=True)
def _find_first_largest(values):  # type: ignore[no-untyped-def]
    largest = values[0]
    for i in range(len(values)):
        largest = max(largest, values[i])
    for i in range(len(values)):
        if values[i] == largest:
            return i
    return -1


@_compile(_i64(_LONGS, _LONGS, _LONGS, _i64, _i64, _LONGS, _LONGS, _INTS, _INTS, _LONGS, _LONGS))
def find_best(  # type: ignore[no-untyped-def]
    rows, bounds, known_at, n_picks, least, spots, starts, numbers, distances, reach, weights
):  # fmt: skip
    """Return the place of the row with the largest gain, the first of equals, made known.

    The search ends early with a row whose bound is below ``least``, known or not.

    Args:
        rows: Candidates, ascending, at least one.
        bounds: Most that each of them may gain; brought up to date where that is needed.
        known_at: How many picks there were when each bound was measured.
        n_picks: Picks so far.
        least: As said.
        spots: Spot of each candidate, by row.
        starts: Where followers of each spot begin.
        numbers: Followers.
        distances: To them.
        reach: Distance of each spot to what is selected.
        weights: How many samples each spot has.
    """
    while True:
        best = _find_first_largest(bounds)
        if bounds[best] < least or known_at[best] == n_picks:
            return best
        spot = spots[rows[best]]
        gain = reach[spot] * weights[spot]
        for place in range(starts[spot], starts[spot + 1]):
            follower = numbers[place]
            gain += max(reach[follower] - distances[place], 0) * weights[follower]
        bounds[best], known_at[best] = gain, n_picks


@_compile(_i64(_i64, _LONGS, _INTS, _INTS, _LONGS, _LONGS))
def take_spot(spot, starts, numbers, distances, reach, weights):  # type: ignore[no-untyped-def]
    """Select a spot: lower distances to what is selected; return by how much in all."""
    gain = reach[spot] * weights[spot]
    reach[spot] = 0
    for place in range(starts[spot], starts[spot + 1]):
        follower = numbers[place]
        lowered = reach[follower] - distances[place]
        if lowered > 0:
            gain += lowered * weights[follower]
            reach[follower] = distances[place]
    return gain


@_compile(types.void(_LONGS, _INTS, _INTS, _LONGS, _INTS, _INTS))
def list_followers(  # type: ignore[no-untyped-def]
    starts, numbers, distances, ends, followers, follower_distances
):  # fmt: skip
    """Turn neighbours round: list, for each spot, whose neighbour it is, ascending.

    Args:
        starts: Where neighbours of each spot begin.
        numbers: Neighbours.
        distances: To them.
        ends: Where followers of each spot begin; advanced to where they end.
        followers: Receives followers.
        follower_distances: Receives distances to them.
    """
    for spot in range(len(starts) - 1):
        for place in range(starts[spot], starts[spot + 1]):
            at = ends[numbers[place]]
            followers[at], follower_distances[at] = spot, distances[place]
            ends[numbers[place]] = at + 1
