"""Ways to choose which images to label."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from lightly_mundig import Selection
from lightly_mundig import Typicality as ReferenceTypicality
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from lightly.selection import Auto, Diversity, Random, Strategy, Typicality, Weights, select
from lightly.selection.typicality import DEFAULT_NEIGHBOURS

Embeddings = NDArray[np.float32]
Picks = NDArray[np.int64]
Method = Callable[[Embeddings, Sequence[int], int], dict[int, Picks]]

AUTO, RANDOM = "auto", "random"


def _pick_greedily(describe: Callable[[Embeddings, int], list[Strategy]]) -> Method:
    """One run for all budgets: the first picks of a long run are those of a short one."""

    def pick(embeddings: Embeddings, budgets: Sequence[int], seed: int) -> dict[int, Picks]:
        result = select(n_samples=max(budgets), strategies=describe(embeddings, seed))
        return {budget: result.indices[:budget] for budget in budgets}

    return pick


def _pick_medoids(embeddings: Embeddings, budgets: Sequence[int], seed: int) -> dict[int, Picks]:
    """The image nearest to the centre of each of n k-means clusters."""
    return {budget: _find_medoids(embeddings, budget, seed) for budget in budgets}


def _find_medoids(embeddings: Embeddings, n_clusters: int, seed: int) -> Picks:
    clusters = KMeans(n_clusters, n_init=1, max_iter=20, random_state=seed)
    distances = clusters.fit_transform(embeddings)
    own = distances[np.arange(len(distances)), clusters.labels_]
    members = (np.flatnonzero(clusters.labels_ == label) for label in range(n_clusters))
    return np.array([rows[own[rows].argmin()] for rows in members if len(rows)])


def _run_reference(
    embeddings: Embeddings, budgets: Sequence[int], *, with_typicality: bool
) -> dict[int, Picks]:
    selection = Selection()
    selection.add_diversifying_strategy(embeddings, strength=1.0)
    if with_typicality:
        values = ReferenceTypicality(embeddings).calculate_typicality(DEFAULT_NEIGHBOURS)
        selection.add_weighting_strategy(values, strength=1.0)
    picks = selection.run_selection(
        preselected_indices=[], n_total_samples=len(embeddings), n_samples_to_select=max(budgets)
    )
    return {budget: np.array(picks[:budget]) for budget in budgets}


METHODS: dict[str, Method] = {
    RANDOM: _pick_greedily(
        lambda rows, seed: [Weights(Random([str(i) for i in range(len(rows))], seed=seed))]
    ),
    "diversity": _pick_greedily(lambda rows, _: [Diversity(rows)]),
    "typicality": _pick_greedily(lambda rows, _: [Typicality(rows)]),
    "typicality x diversity": _pick_greedily(lambda rows, _: [Typicality(rows), Diversity(rows)]),
    "cluster medoids": _pick_medoids,
    "reference: diversity": lambda rows, budgets, _: _run_reference(
        rows, budgets, with_typicality=False
    ),
    "reference: typicality x diversity": lambda rows, budgets, _: _run_reference(
        rows, budgets, with_typicality=True
    ),
    AUTO: _pick_greedily(lambda rows, _: [Auto(rows)]),
}
