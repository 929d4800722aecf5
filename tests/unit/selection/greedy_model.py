"""The selection rule, written to be read: no bounds, no screening, no state, no speed.

Distances are float64 sums over ascending coordinates, running sums are float64 sums in order of
selection. Products of objectives are compared as exact fractions, or to 50 digits where logarithms
are part of an objective.
"""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np

from lightly.selection import Balance, Diversity, Similarity, Threshold, Typicality
from lightly.selection.portable_math import take_exp

SMALLEST = np.finfo(np.float64).tiny


def select_plainly(*, n_samples, strategies, preselected=(), candidates=None):
    """Return the picks and the stop reason."""
    n_inputs = strategies[0].n_samples
    selection = list(dict.fromkeys(int(p) for p in preselected))
    offered = range(n_inputs) if candidates is None else candidates
    free = [c for c in offered if c not in selection and _passes(strategies, c)]
    free.sort()
    if not free:
        return [], "no_candidates"
    preselection = list(selection)
    scorers = [prepare(s, free, preselection) for s in strategies if not isinstance(s, Threshold)]
    limit = len(free) if n_samples in (None, -1) else n_samples
    picks: list[int] = []
    while free and len(picks) < limit:
        best = choose(scorers, selection, free)
        reason = find_stop(scorers, selection, best)
        if reason:
            return picks, reason
        picks.append(best)
        selection.append(best)
        free.remove(best)
    return picks, "count" if len(picks) == n_samples else "exhausted"


def prepare(strategy, free, preselection):
    """Return a strategy with everything computed that does not depend on picks."""
    if isinstance(strategy, Similarity):
        distance = {
            c: min(math.sqrt(distance2(q, strategy.embeddings[c])) for q in strategy.queries)
            for c in free + preselection
        }
        mean = math.fsum(distance[c] for c in free) / len(free)
        values = {c: exponential(-d / mean) if mean else 1.0 for c, d in distance.items()}
        return DerivedWeights(values, strategy.strength, strategy.max_sum, None)
    if isinstance(strategy, Typicality):
        members = free + preselection
        k = min(strategy.n_neighbours, len(members) - 1)
        near = {i: nearest_distances(strategy.embeddings, members, i)[:k] for i in members}
        mean = math.fsum(d for row in near.values() for d in row) / (len(members) * k)
        values = {
            i: running_sum(exponential(-d / mean) for d in row) / k if mean else 1.0
            for i, row in near.items()
        }
        return DerivedWeights(values, strategy.strength, strategy.max_sum, strategy.min_typicality)
    if isinstance(strategy, Balance):
        return PreparedBalance(strategy, free, preselection)
    return strategy


class DerivedWeights:
    max_sum = None

    def __init__(self, values, strength, max_sum, min_value):
        self.values, self.strength = values, strength
        self.max_sum, self.min_value = max_sum, min_value


class PreparedBalance:
    """Rows over classes plus one for all others, and the target over the same."""

    def __init__(self, strategy, free, preselection):
        self.strength = strategy.strength
        rows = np.asarray(strategy.classes)
        if rows.ndim == 1:
            n_classes = int(rows.max(initial=0)) + 1
            rows = np.array([[float(k == c) for k in range(n_classes)] for c in rows])
        rows = [[float(v) for v in row] for row in rows]
        classes = range(len(rows[0]))
        if strategy.target == "UNIFORM":
            seen = free + preselection
            target = {k: 1.0 for k in classes if any(rows[i][k] > 0 for i in seen)}
        elif strategy.target == "INPUT":
            target = {k: running_sum(rows[i][k] for i in free) for k in classes}
        else:
            target = dict(strategy.target)
            rest = 1.0 - math.fsum(target.values())
            if rest > 1e-9:
                unnamed = [k for k in classes if k not in target]
                rows = [[*row, running_sum(row[k] for k in unnamed)] for row in rows]
                rows = [[0.0 if k in unnamed else v for k, v in enumerate(row)] for row in rows]
                target[len(classes)] = rest
        self.rows = rows
        self.target = [Decimal(target.get(k, 0.0)) for k in range(len(rows[0]))]

    def cross_entropy(self, selection):
        sums = [running_sum(self.rows[i][k] for i in selection) for k in range(len(self.target))]
        total = sum(Decimal(v) for v in sums)
        entropy = Decimal(0)
        for t, v in zip(self.target, sums, strict=True):
            if t:
                share = Decimal(v) / total if total else Decimal(0)
                entropy -= t / sum(self.target) * max(share, Decimal("1e-10")).ln()
        return max(entropy, Decimal("1e-10"))


def choose(scorers, selection, free):
    """Return the candidate with the largest product of objectives; the first of equals."""
    active = [s for s in scorers if s.strength != 0]
    if not active:
        return free[0]
    if len(active) == 1 and not isinstance(active[0], PreparedBalance):
        sign = math.copysign(1.0, active[0].strength)
        return max(free, key=lambda c: sign * lone_gain(active[0], selection, c))
    states = [state_of(s, selection) for s in active]
    factors = {
        c: [objective(s, x, selection, c) for s, x in zip(active, states, strict=True)]
        for c in free
    }
    strengths = [Fraction(s.strength) for s in active]
    if any(isinstance(s, PreparedBalance) for s in active):
        return max(free, key=lambda c: logarithm(factors[c], strengths))
    scale = math.lcm(*(s.denominator for s in strengths))
    return max(
        free,
        key=lambda c: math.prod(
            Fraction(max(x, SMALLEST)) ** int(s * scale)
            for x, s in zip(factors[c], strengths, strict=True)
        ),
    )


def logarithm(factors, strengths):
    """Return the logarithm of the product to 50 digits."""
    with localcontext(prec=70):
        total = sum(
            Decimal(s.numerator) / s.denominator * Decimal(max(x, Decimal(SMALLEST))).ln()
            for x, s in zip(factors, strengths, strict=True)
        )
        return round(total, 50)


def lone_gain(strategy, selection, c):
    """Return what decides when a strategy is alone: the part of its objective due to ``c``."""
    if isinstance(strategy, Diversity):
        return distance2_to(strategy.embeddings, selection, c) if selection else 0.0
    return float(strategy.values[c])


def state_of(strategy, selection):
    """Return what the objective of the selection is before a pick."""
    if isinstance(strategy, PreparedBalance):
        return None
    if not isinstance(strategy, Diversity):
        return running_sum(float(strategy.values[i]) for i in selection)
    if len(selection) < 2:
        return 0.0
    return running_sum(
        distance2_to(strategy.embeddings, [j for j in selection if j != i], i) for i in selection
    )


def objective(strategy, state, selection, c):
    """Return Phi(S + c)."""
    if isinstance(strategy, PreparedBalance):
        with localcontext(prec=70):
            return 1 / strategy.cross_entropy([*selection, c])
    if not isinstance(strategy, Diversity):
        return state + float(strategy.values[c])
    return state + distance2_to(strategy.embeddings, selection, c) if selection else 1.0


def find_stop(scorers, selection, c):
    """Return why ``c`` may not be picked, or None."""
    reasons = set()
    for s in scorers:
        if isinstance(s, Diversity) and s.min_distance is not None and selection:
            if math.sqrt(distance2_to(s.embeddings, selection, c)) < s.min_distance:
                reasons.add("min_distance")
        elif isinstance(s, DerivedWeights) and s.min_value and s.values[c] < s.min_value:
            reasons.add("min_typicality")
        elif getattr(s, "max_sum", None) is not None and exceeds(s, selection, c):
            reasons.add("max_sum")
    order = ("min_distance", "min_typicality", "max_sum")
    return next((reason for reason in order if reason in reasons), None)


def exceeds(strategy, selection, c):
    """Return whether picking ``c`` takes the running sum above its maximum."""
    return state_of(strategy, selection) + float(strategy.values[c]) > strategy.max_sum


def trace_distances(embeddings, preselected, picks):
    """Return each pick's distance to the nearest earlier sample, and which that is."""
    selection = list(dict.fromkeys(int(p) for p in preselected))
    trace = []
    for pick in picks:
        found = [(distance2(embeddings[i], embeddings[pick]), i) for i in selection]
        nearest2, neighbour = min(found, key=lambda pair: pair[0], default=(math.inf, -1))
        trace.append((math.sqrt(nearest2), neighbour))
        selection.append(pick)
    return trace


def nearest_distances(embeddings, members, i):
    """Return the distances of ``i`` to all other members, ascending."""
    return sorted(math.sqrt(distance2(embeddings[i], embeddings[j])) for j in members if j != i)


def distance2_to(embeddings, selection, c):
    """Return the squared distance of ``c`` to its nearest member of the selection."""
    return min(distance2(embeddings[i], embeddings[c]) for i in selection)


def distance2(a, b):
    """Return the squared distance, summed over ascending coordinates."""
    differences = [float(x) - float(y) for x, y in zip(a, b, strict=True)]
    # Not a power: the C library may round one differently from a product.
    return running_sum(difference * difference for difference in differences)


def exponential(x):
    """Return the engine's exponential, whose accuracy has a test of its own."""
    return float(take_exp(np.array([x]))[0])


def running_sum(values: Any) -> float:
    total = 0.0
    for value in values:
        total += value
    return total


def _passes(strategies, c):
    compare = {
        "SMALLER": lambda v, t: v < t,
        "SMALLER_EQUAL": lambda v, t: v <= t,
        "BIGGER": lambda v, t: v > t,
        "BIGGER_EQUAL": lambda v, t: v >= t,
    }
    return all(
        compare[s.operation](float(s.values[c]), s.threshold)
        for s in strategies
        if isinstance(s, Threshold)
    )
