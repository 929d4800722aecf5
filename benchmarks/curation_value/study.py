"""Accuracies of all methods over many pools, and what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.curation_value.accuracy import measure_accuracy
from benchmarks.curation_value.bank import Bank
from benchmarks.curation_value.methods import AUTO, METHODS
from benchmarks.curation_value.pools import KINDS

# Within this of the best is as good as the best, and so is what chance can explain.
AS_GOOD = 0.01
N_STANDARD_ERRORS = 2.0


@dataclass(frozen=True)
class Study:
    """Accuracies on pools of one source and one kind.

    Attributes:
        source: Where the images are from.
        kind: How the pools were drawn.
        n_images: Images of the smallest pool.
        budgets: Numbers of labels.
        accuracies: By method, shape ``[seeds, budgets]``.
    """

    source: str
    kind: str
    n_images: int
    budgets: tuple[int, ...]
    accuracies: dict[str, NDArray[np.float64]]

    def mean(self, method: str) -> NDArray[np.float64]:
        """Mean over seeds, per budget."""
        return self.accuracies[method].mean(axis=0)

    def standard_error(self, method: str) -> NDArray[np.float64]:
        """Standard error of the mean, per budget."""
        return _take_standard_error(self.accuracies[method])

    def judge(self) -> list[Verdict]:
        """Compare AUTO with the best of the others at each budget."""
        others = [method for method in self.accuracies if method != AUTO]
        verdicts = []
        for place, budget in enumerate(self.budgets):
            best = max(others, key=lambda method: self.mean(method)[place])
            lead = self.accuracies[best][:, place] - self.accuracies[AUTO][:, place]
            error = float(_take_standard_error(lead))
            verdicts.append(Verdict(budget, best, float(lead.mean()), error))
        return verdicts


@dataclass(frozen=True)
class Verdict:
    """How far AUTO is behind the best other method at one budget.

    Attributes:
        budget: Number of labels.
        best: The best other method.
        lead: By how much it is better, mean over seeds; negative if AUTO is better.
        error: Standard error of that, from differences on the same pools.
    """

    budget: int
    best: str
    lead: float
    error: float

    @property
    def is_as_good(self) -> bool:
        """Whether AUTO is within one point or two standard errors."""
        return self.lead <= max(AS_GOOD, N_STANDARD_ERRORS * self.error)


def run_study(
    source: str,
    bank: Bank,
    kind: str,
    *,
    seeds: Sequence[int],
    budgets: Sequence[int],
    methods: Sequence[str] = tuple(METHODS),
) -> Study:
    """Draw a pool per seed, pick with every method, label the picks, train and test."""
    pools = [KINDS[kind](bank, np.random.default_rng(seed)) for seed in seeds]
    n_images = min(len(pool.labels) for pool in pools)
    affordable = tuple(budget for budget in budgets if budget < n_images)
    found = {method: np.empty((len(seeds), len(affordable))) for method in methods}
    for row, (seed, pool) in enumerate(zip(seeds, pools, strict=True)):
        for method, accuracies in found.items():
            picks = METHODS[method](pool.embeddings, affordable, seed)
            accuracies[row] = [measure_accuracy(pool, picks[budget]) for budget in affordable]
    return Study(source, kind, n_images, affordable, found)


def _take_standard_error(values: NDArray[np.float64]) -> NDArray[np.float64]:
    error: NDArray[np.float64] = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    return error
