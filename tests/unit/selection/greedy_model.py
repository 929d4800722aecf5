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

from lightly.selection import (
    Balance,
    Diversity,
    Objects,
    Representative,
    Similarity,
    Threshold,
    Typicality,
)
from lightly.selection.portable_math import take_exp
from tests.unit.selection.representative_model import PreparedRepresentative

SMALLEST = np.finfo(np.float64).tiny


class TooFewToCompare(Exception):
    """Typicality of one sample alone is not defined."""


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
    if isinstance(strategy, Diversity):
        return PreparedDiversity(strategy)
    if isinstance(strategy, Similarity):
        return prepare_similarity(strategy, free, preselection)
    if isinstance(strategy, Typicality):
        return prepare_typicality(strategy, free, preselection)
    if isinstance(strategy, Balance):
        return PreparedBalance(strategy, free, preselection)
    if isinstance(strategy, Representative):
        return PreparedRepresentative(strategy, free, preselection)
    return PreparedWeights(
        {c: float(v) for c, v in enumerate(strategy.values)}, strategy, max_sum=strategy.max_sum
    )


def prepare_similarity(strategy, free, preselection):
    parts, rows = split(strategy.embeddings)
    wanted = [o for c in free + preselection for o in parts[c]]
    distance = {o: min(math.sqrt(distance2(q, rows[o])) for q in strategy.queries) for o in wanted}
    averaged = [distance[o] for c in free for o in parts[c]]
    mean = math.fsum(averaged) / max(1, len(averaged))
    values = {o: exponential(-d / mean) if mean else 1.0 for o, d in distance.items()}
    return rate_by_objects(strategy, parts, values, free + preselection, rate=max)


def prepare_typicality(strategy, free, preselection):
    parts, rows = split(strategy.embeddings)
    members = [o for c in sorted(free + preselection) for o in parts[c]]
    k = min(strategy.n_neighbours, len(members) - 1)
    if k < 1:
        raise TooFewToCompare
    near = {i: nearest_distances(rows, members, i)[:k] for i in members}
    mean = math.fsum(d for row in near.values() for d in row) / (len(members) * k)
    values = {
        i: running_sum(exponential(-d / mean) for d in row) / k if mean else 1.0
        for i, row in near.items()
    }
    return rate_by_objects(strategy, parts, values, free + preselection, rate=average)


def rate_by_objects(strategy, parts, values, samples, *, rate):
    rated = {c: [values[o] for o in parts[c]] for c in samples}
    return PreparedWeights(
        {c: rate(own) if own else 0.0 for c, own in rated.items()},
        strategy,
        added={c: running_sum(own) for c, own in rated.items()},
        empty={c for c, own in rated.items() if not own},
        max_sum=strategy.max_sum,
        min_value=getattr(strategy, "min_typicality", None),
    )


def split(embeddings):
    """Return the rows of each sample, and all rows; a sample without objects is one row."""
    if not isinstance(embeddings, Objects):
        return [[i] for i in range(len(embeddings))], embeddings
    owners = [int(owner) for owner in embeddings.owners]
    samples = range(embeddings.n_samples)
    return [[o for o, owner in enumerate(owners) if owner == c] for c in samples], list(
        embeddings.embeddings
    )


class PreparedDiversity:
    def __init__(self, strategy):
        self.parts, self.rows = split(strategy.embeddings)
        self.strength, self.min_distance = strategy.strength, strategy.min_distance

    def list_parts(self, samples):
        return [o for sample in samples for o in self.parts[sample]]

    def distance2(self, selection, c):
        """Return the mean over objects of the squared distance to the nearest selected object."""
        chosen = self.list_parts(selection)
        return average([distance2_to(self.rows, chosen, o) for o in self.parts[c]])


class PreparedWeights:
    def __init__(self, values, strategy, *, added=None, empty=(), max_sum=None, min_value=None):
        self.values, self.added, self.empty = values, added or values, empty
        self.strength, self.max_sum, self.min_value = strategy.strength, max_sum, min_value


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
    if isinstance(strategy, PreparedRepresentative):
        return strategy.phi([*selection, c])
    if not isinstance(strategy, PreparedDiversity):
        return -1.0 if c in strategy.empty else strategy.values[c]
    if not strategy.parts[c]:
        return -1.0
    return strategy.distance2(selection, c) if strategy.list_parts(selection) else 0.0


def state_of(strategy, selection):
    """Return what the objective of the selection is before a pick."""
    if isinstance(strategy, (PreparedBalance, PreparedRepresentative)):
        return None
    if isinstance(strategy, PreparedWeights):
        return running_sum(strategy.added[i] for i in selection)
    members = strategy.list_parts(selection)
    if len(members) < 2:
        return 0.0
    return running_sum(
        distance2_to(strategy.rows, [j for j in members if j != i], i) for i in members
    )


def objective(strategy, state, selection, c):
    """Return Phi(S + c)."""
    if isinstance(strategy, PreparedRepresentative):
        return strategy.phi([*selection, c])
    if isinstance(strategy, PreparedBalance):
        with localcontext(prec=70):
            return 1 / strategy.cross_entropy([*selection, c])
    if isinstance(strategy, PreparedWeights):
        return 0.0 if c in strategy.empty else state + strategy.values[c]
    if not strategy.parts[c]:
        return 0.0
    return state + strategy.distance2(selection, c) if strategy.list_parts(selection) else 1.0


def find_stop(scorers, selection, c):
    """Return why ``c`` may not be picked, or None."""
    reasons = set()
    for s in scorers:
        if isinstance(s, PreparedDiversity):
            is_tested = s.min_distance is not None and s.list_parts(selection) and s.parts[c]
            if is_tested and math.sqrt(s.distance2(selection, c)) < s.min_distance:
                reasons.add("min_distance")
        elif isinstance(s, PreparedWeights):
            if s.min_value and c not in s.empty and s.values[c] < s.min_value:
                reasons.add("min_typicality")
            if s.max_sum is not None and state_of(s, selection) + s.added[c] > s.max_sum:
                reasons.add("max_sum")
    order = ("min_distance", "min_typicality", "max_sum")
    return next((reason for reason in order if reason in reasons), None)


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


def average(values):
    """Return the mean of float64 numbers, summed in order."""
    return running_sum(values) / len(values)


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


def score_candidates(strategies, preselected, picks):
    """Return the logarithm of each candidate's product of objectives after some picks."""
    selection = list(preselected)
    free = [c for c in range(strategies[0].n_samples) if c not in selection]
    scorers = [prepare(s, free, list(selection)) for s in strategies]
    selection += picks
    states = [state_of(s, selection) for s in scorers]
    return {
        c: sum(
            s.strength * math.log(max(objective(s, x, selection, c), SMALLEST))
            for s, x in zip(scorers, states, strict=True)
        )
        for c in free
        if c not in picks
    }
