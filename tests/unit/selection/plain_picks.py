"""Vectors of many kinds, and farthest-point traversal without any bound."""

from __future__ import annotations

import numpy as np

KINDS = [
    "normal",
    "unit",
    "grid",
    "duplicates",
    "all equal",
    "offset 1000",
    "one far away",
    "heavy tails",
    "tiny",
    "tiny differences",
    "huge",
]


def make_vectors(kind, rng, shape):
    normal = rng.normal(size=shape)
    return {
        "normal": lambda: normal,
        "unit": lambda: normal / np.linalg.norm(normal, axis=1, keepdims=True),
        "grid": lambda: rng.integers(0, 3, size=shape),
        "duplicates": lambda: normal[rng.integers(0, shape[0], size=shape[0]) // 3],
        "all equal": lambda: np.full(shape, 0.3),
        "offset 1000": lambda: 1000 + 0.01 * normal,
        "one far away": lambda: np.where(np.arange(shape[0])[:, None] == 5, 1e4 * normal, normal),
        "heavy tails": lambda: np.clip(rng.standard_cauchy(size=shape) ** 3, -1e30, 1e30),
        "tiny": lambda: normal * 1e-42,
        "tiny differences": lambda: np.round(normal, 1) * 1e-22 + (np.arange(shape[1]) == 0),
        "huge": lambda: normal * 1e37,
    }[kind]().astype(np.float32)


def pick_plainly(vectors, n_picks, preselected=(), min_distance=0.0):
    """Farthest-point traversal, one float64 addition after another."""
    rows = vectors.astype(np.float64)
    nearest = np.full(len(rows), np.inf)

    def add(pick):
        total = np.zeros(len(rows))
        for column in rows.T:
            total += (column - column[pick]) ** 2
        np.minimum(nearest, total, out=nearest)

    taken = list(preselected)
    for pick in taken:
        add(pick)
    nearest[taken] = -np.inf
    picks, distances = [], []
    while len(picks) < min(n_picks, len(rows) - len(preselected)):
        pick = int(nearest.argmax())
        if np.sqrt(nearest[pick]) < min_distance:
            break
        picks.append(pick)
        distances.append(float(np.sqrt(nearest[pick])))
        add(pick)
        taken.append(pick)
        nearest[taken] = -np.inf
    return picks, distances
