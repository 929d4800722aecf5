"""The task of `POST /ext/v1/datasets/{datasetId}/selection`."""

from __future__ import annotations

from lightly.data.selection_plan.memory import check_memory
from lightly.openapi_generated.swagger_client.models.tag_creator import TagCreator
from lightly.selection import count_share
from lightly.server.embeddings.task_inputs import find_vectors, require_vectors
from lightly.server.jobs.task import Task
from lightly.server.selections.carrying_out import SelectionOrder, carry_out
from lightly.server.selections.material import Material, load_material
from lightly.server.selections.requests import SelectionCreateRequest
from lightly.server.selections.selection_input import SelectionInput
from lightly.server.selections.service import BY_DISTANCE
from lightly.server.selections.strategies import StrategyMaker

#: What the history of a tag calls a selection of several strategies.
_METHOD = "SELECTION"


def is_meant(task: Task) -> bool:
    """Tell whether a sampling job is one of ours."""
    return "selection" in task.input


def run(task: Task) -> None:
    """Select, explain, and make the tag with its report."""
    wanted = SelectionInput(**task.input)
    body = wanted.read_request()
    material = load_material(task, wanted.query_tag_id, wanted.preselected_tag_id)
    needs_vectors = any(strategy.type in BY_DISTANCE for strategy in body.strategies)
    vectors = require_vectors(task, material) if needs_vectors else None
    maker = StrategyMaker(task, material, vectors)
    strategies = [maker.make(strategy, place) for place, strategy in enumerate(body.strategies)]
    n_samples = count_new_samples(body, material)
    check_memory(strategies, n_samples)
    order = SelectionOrder(
        n_samples=n_samples,
        strategies=strategies,
        vectors=find_vectors(task),
        request=wanted.selection,
        tag_name=wanted.new_tag_name,
        method=_METHOD,
        creator=TagCreator.UNKNOWN.value,
        preselected_tag_id=wanted.preselected_tag_id,
        class_names=maker.class_names,
    )
    carry_out(task, material, order)


def count_new_samples(body: SelectionCreateRequest, material: Material) -> int | None:
    """Return how many samples to add; None for no limit."""
    if body.proportion_samples is not None:
        n_candidates = len(material.candidates) - len(material.preselected)
        return count_share(body.proportion_samples, n_candidates)
    return None if body.n_samples == -1 else body.n_samples
