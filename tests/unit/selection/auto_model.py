"""AUTO as written down: Python integers, all pairs, every gain computed again for every pick."""

from __future__ import annotations

import math

import numpy as np


def pick_automatically(embeddings, n_samples, preselected=()):
    """Return the picks, without shortcuts, of an input small enough to be examined whole."""
    grid = round_to_grid(np.asarray(embeddings, dtype=np.float32))
    squares = [[sum((a - b) ** 2 for a, b in zip(p, q, strict=True)) for q in grid] for p in grid]
    total = sum(sum(a * a for a in p) for p in grid)
    reach2 = total // (9 * len(grid))
    weights = [round_half_even(2**16, sum(s <= reach2 for s in row)) for row in squares]
    distances = [[round_root(s) for s in row] for row in squares]
    selected = list(dict.fromkeys(preselected))
    n_before = len(selected)
    while len(selected) < min(n_before + n_samples, len(grid)):
        pick = None
        if len(selected) < len(grid) // 4:
            pick = find_representative(distances, weights, selected)
        if pick is None:
            pick = find_farthest(embeddings, selected)
        selected.append(pick)
    return selected[n_before:]


def find_representative(distances, weights, selected):
    rows = range(len(weights))
    reach = [min((distances[i][s] for s in selected), default=2**24) for i in rows]
    gains = {
        row: sum(weights[i] * max(0, reach[i] - distances[i][row]) for i in rows)
        for row in rows
        if row not in selected
    }
    best = max(gains, key=lambda row: (gains[row], -row))
    return best if gains[best] > 0 else None


def find_farthest(embeddings, selected):
    rows = [[float(value) for value in row] for row in np.asarray(embeddings, dtype=np.float32)]
    free = [row for row in range(len(rows)) if row not in selected]
    if not selected:
        return free[0]

    def measure(row):
        return min(
            sum_in_order((a - b) ** 2 for a, b in zip(rows[row], rows[s], strict=True))
            for s in selected
        )

    return max(free, key=lambda row: (measure(row), -row))


def round_to_grid(rows):
    """Centre, scale by a power of two, round to integers; float64 sums in order of rows."""
    columns = [[float(value) for value in column] for column in rows.T]
    means = [sum_in_order(column) / len(column) for column in columns]
    centred = [[v - m for v in column] for column, m in zip(columns, means, strict=True)]
    spread = math.sqrt(
        sum_in_order(sum_in_order(v * v for v in column) for column in centred) / len(rows)
    )
    exponent = 13 - math.frexp(spread)[1] if spread > 0 else 0
    limit = math.floor(2.0**23 / math.sqrt(len(columns)))
    grid = [
        [max(-limit, min(limit, round(math.ldexp(v, exponent)))) for v in column]
        for column in centred
    ]
    return list(zip(*grid, strict=True))


def sum_in_order(values):
    """Add floats one by one: ``sum`` of newer Pythons compensates for rounding."""
    total = 0.0
    for value in values:
        total += value
    return total


def round_half_even(numerator, denominator):
    return round(numerator / denominator)


def round_root(square):
    """The nearest integer to a square root that is never half-way."""
    root = math.isqrt(square)
    return root + (square - root * root > root)
