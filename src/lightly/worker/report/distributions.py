"""Distributions of values over several sets of images, as the contract's report has them.

The sets are `input`, `selected`, `random` (as many as selected, by chance), and with a datapool
`preselectedDatapool` and `selectedWithDatapool`. All share one range, so histograms can be laid
over each other.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

N_BINS = 50
#: Most values of a category that a report lists; the rest is one entry.
MAX_CATEGORIES = 200
OTHERS = "(all others)"


def describe_numbers(sets: Mapping[str, ArrayLike], *, n_bins: int = N_BINS) -> dict[str, Any]:
    """Return the contract's `NumericDistributionPerSet`; missing values (NaN) are left out.

    Args:
        sets: Values by name of the set; empty sets are left out, but for `selected`.
        n_bins: How many bins the shared range is cut into.

    >>> found = describe_numbers({"selected": [0.0, 1.0]}, n_bins=2)
    >>> found["range"], found["selected"]["counts"], found["selected"]["metrics"]["mean"]
    ([0.0, 1.0], [1, 1], 0.5)
    """
    values = {name: _keep_finite(given) for name, given in sets.items()}
    everything = np.concatenate([np.empty(0), *values.values()])
    low, high = (
        (float(everything.min()), float(everything.max())) if everything.size else (0.0, 0.0)
    )
    return {
        "bins": n_bins,
        "range": [low, high],
        **{
            name: _describe(found, low, high, n_bins)
            for name, found in values.items()
            if found.size or name == "selected"
        },
    }


def describe_categories(sets: Mapping[str, Sequence[Hashable]]) -> dict[str, Any]:
    """Return the contract's `CategoricalDistributionPerSet`; None counts as no value.

    >>> describe_categories({"input": ["a", "b"], "selected": ["a"]})["selected"]["counts"]
    {'a': 1}
    """
    counters = {
        name: Counter(str(value) for value in values if value is not None)
        for name, values in sets.items()
    }
    return describe_counts(counters)


def describe_counts(sets: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """Return the contract's `CategoricalDistributionPerSet` from counts by category."""
    total: Counter[str] = Counter()
    for counts in sets.values():
        total.update(counts)
    shown = {name for name, _ in total.most_common(MAX_CATEGORIES)}
    described = {}
    for name, counts in sets.items():
        kept = {key: int(count) for key, count in counts.items() if key in shown and count}
        rest = sum(int(count) for key, count in counts.items() if key not in shown)
        if rest:
            kept[OTHERS] = rest
        described[name] = {"counts": kept, "metrics": measure_balance(list(kept.values()))}
    return described


def measure_balance(counts: Sequence[int]) -> dict[str, float]:
    """Return how evenly counts are spread.

    Returns:
        `giniImbalance`: 0 when all are equal, towards 1 when one has all (half the mean difference
        of two counts over their mean). `normalizedEntropy`: 1 when all are equal, 0 when one has
        all (Shannon's entropy over its largest value).

    >>> measure_balance([5, 5])
    {'giniImbalance': 0.0, 'normalizedEntropy': 1.0}
    """
    total, n = sum(counts), len(counts)
    if not total or n == 0:
        return {"giniImbalance": 0.0, "normalizedEntropy": 0.0}
    ordered = sorted(counts)
    weighted = sum((2 * place - n - 1) * count for place, count in enumerate(ordered, 1))
    shares = [count / total for count in counts if count]
    entropy = -math.fsum(share * math.log(share) for share in shares)
    return {
        "giniImbalance": weighted / (n * total),
        "normalizedEntropy": entropy / math.log(n) if n > 1 else 1.0,
    }


def _keep_finite(given: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(given, np.float64).ravel()
    return values[np.isfinite(values)]


def _describe(values: NDArray[np.float64], low: float, high: float, n_bins: int) -> dict[str, Any]:
    if not values.size:
        metrics = dict.fromkeys(("mean", "std", "min", "median", "max"), 0.0)
        return {"counts": [0] * n_bins, "metrics": metrics}
    # A range of one value has no width; all values fall into the first bin then.
    top = high if high > low else low + 1.0
    counts, _ = np.histogram(values, bins=n_bins, range=(low, top))
    metrics = {
        "mean": float(values.mean()),
        "std": float(values.std()),
        "min": float(values.min()),
        "median": float(np.median(values)),
        "max": float(values.max()),
    }
    return {"counts": counts.tolist(), "metrics": metrics}
