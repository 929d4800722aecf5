"""Near-duplicates and outliers in plain float64, as their rules are written."""

from __future__ import annotations

import numpy as np


def measure_distances(rows):
    """Return all distances: float64 sums over ascending coordinates of float32 values."""
    exact = np.asarray(rows, dtype=np.float32).astype(np.float64)
    squares = np.zeros((len(exact), len(exact)))
    for column in exact.T:
        squares += (column[:, None] - column[None, :]) ** 2
    return np.sqrt(squares)


def group_transitively(rows, max_distance):
    near = measure_distances(rows) <= max_distance
    leaders = np.full(len(near), -1)
    for first in range(len(near)):
        if leaders[first] >= 0:
            continue
        left = [first]
        while left:
            row = left.pop()
            leaders[row] = first
            left += [int(other) for other in np.flatnonzero(near[row] & (leaders < 0))]
    return leaders.tolist()


def group_in_stars(rows, max_distance):
    near = measure_distances(rows) <= max_distance
    centres, leaders = [], []
    for row in range(len(near)):
        leader = next((centre for centre in centres if near[row, centre]), row)
        leaders.append(leader)
        if leader == row:
            centres.append(row)
    return leaders


def score_by_mean(rows, n_neighbours):
    distances = measure_distances(rows)
    scores = []
    for row in range(len(distances)):
        nearest = sorted(np.delete(distances[row], row).tolist())[:n_neighbours]
        total = 0.0
        for distance in nearest:
            total += distance
        scores.append(total / len(nearest))
    return scores
