"""The task that selects samples and makes a tag of them."""

from __future__ import annotations

import math
from decimal import Decimal

from lightly.openapi_generated.swagger_client.models.tag_creator import TagCreator
from lightly.selection import Diversity, Random, Strategy, Weights
from lightly.server.coverages import coverage_task
from lightly.server.embeddings.sampling_input import SamplingInput
from lightly.server.embeddings.task_inputs import find_vectors, require_vectors
from lightly.server.jobs.task import Task
from lightly.server.neighborhoods import neighborhood_task
from lightly.server.selections import selection_task
from lightly.server.selections.carrying_out import SelectionOrder, carry_out
from lightly.server.selections.material import FileNames, Material, load_material
from lightly.server.tags.scores import read_scores

#: The request has no seed. A fixed one keeps the promise that the same request picks the same.
_SEED = 0


def run(task: Task) -> None:
    """Select, explain, and make the tag with its report."""
    for other in (selection_task, neighborhood_task, coverage_task):
        if other.is_meant(task):
            other.run(task)
            return
    wanted = SamplingInput(**task.input)
    material = load_material(task, wanted.query_tag_id, wanted.preselected_tag_id)
    order = SelectionOrder(
        n_samples=count_new_samples(wanted.n_samples, material),
        strategies=_make_strategies(task, wanted, material),
        vectors=find_vectors(task),
        request=wanted.to_json(),
        tag_name=wanted.new_tag_name,
        method=wanted.method,
        creator=TagCreator(f"SAMPLER_{wanted.method}").value,
        preselected_tag_id=wanted.preselected_tag_id,
    )
    carry_out(task, material, order)


def count_new_samples(n_samples: float | None, material: Material) -> int | None:
    """Return how many samples to add; None for all until another condition stops.

    The number that a request names counts preselected samples. A share is one of all samples of
    the query tag, computed in decimal, so that 0.1 of 10 is 1; it is at least one sample.
    """
    if n_samples is None:
        return None
    target = int(n_samples)
    if 0 < n_samples < 1:
        share = Decimal(repr(n_samples)) * len(material.candidates)
        target = max(1, math.floor(share))
    return max(0, target - len(material.preselected))


def _make_strategies(task: Task, wanted: SamplingInput, material: Material) -> list[Strategy]:
    if wanted.method == "RANDOM":
        names = FileNames(task.database, material.dataset.key, material.n_samples)
        return [Weights(Random(names, seed=_SEED))]
    strategies: list[Strategy] = []
    n_samples = material.n_samples
    if wanted.method in {"CORESET", "CORAL"}:
        vectors = require_vectors(task, material)
        n_samples = len(vectors)
        strategies.append(Diversity(vectors, min_distance=wanted.min_distance))
    if wanted.score_type is not None:
        with task.database.read() as connection:
            scores = read_scores(connection, material.query_tag_id, wanted.score_type)
        values, is_missing = material.align(scores)
        strategies.append(Weights(values[:n_samples], missing=is_missing[:n_samples]))
    return strategies
