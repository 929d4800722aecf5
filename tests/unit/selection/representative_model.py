"""REPRESENTATIVE as its rule is written: all distances, no graph, no bounds."""

from __future__ import annotations

import math

import numpy as np

from tests.unit.selection.pair_model import measure_distances

DISTANCE_BITS, SUM_BITS = 31, 53


class PreparedRepresentative:
    """Distances of all samples, in whole numbers, as far as they count."""

    def __init__(self, strategy, free, preselection):
        self.strength = strategy.strength
        self.known = sorted({*free, *preselection})
        rows = np.asarray(strategy.embeddings, dtype=np.float32) + np.float32(0.0)
        distances = measure_distances(rows)
        different = {rows[i].tobytes(): i for i in reversed(self.known)}
        others = {
            i: sorted(distances[i, j] for j in different.values() if distances[i, j] > 0)
            for i in self.known
        }
        self.n_neighbours = min(strategy.n_neighbours, len(different) - 1)
        if self.n_neighbours == 0:
            self.reach = dict.fromkeys(self.known, 1)
            self.distances = {i: dict.fromkeys(self.known, 0) for i in self.known}
            return
        reach = {i: others[i][self.n_neighbours - 1] for i in self.known}
        largest = max(reach.values())
        n_bits = min(DISTANCE_BITS, SUM_BITS - math.ceil(math.log2(len(self.known) + 1)) - 1)
        exponent = n_bits - math.frexp(largest)[1]
        self.reach = {i: round(math.ldexp(reach[i], exponent)) for i in self.known}
        self.distances = {
            i: {
                j: round(math.ldexp(distances[i, j], exponent))
                for j in self.known
                if distances[i, j] < reach[i]
            }
            for i in self.known
        }

    def phi(self, selection):
        """Return how much nearer the samples are than if nothing were selected."""
        total = 0
        for i in self.known:
            near = [self.distances[i][j] for j in selection if j in self.distances[i]]
            total += self.reach[i] - min([self.reach[i], *near])
        return total
