"""From the predictions of a run to what its report says of each task."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightly.data.datasource_files.prediction_files import Prediction
from lightly.data.made_tasks import AUTO_TAGS_TASK
from lightly.data.selection_plan.planning import SelectionPlan
from lightly.selection import Objects
from lightly.worker.report.content import describe_embeddings
from lightly.worker.report.distances import choose_evenly
from lightly.worker.report.facts import SelectionFacts
from lightly.worker.report.task_facts import TaskFacts, gather_task
from lightly.worker.runs.data import RunData
from lightly.worker.runs.selection_inputs import RunInputs

#: Selected images with objects that a report shows.
N_EXAMPLES = 12
#: Selected images that are looked at for objects.
_LOOKED_AT = 500
#: Objects that distances and maps are made of.
_MAX_OBJECTS = 20_000


def gather_tasks(data: RunData, inputs: RunInputs, found: SelectionFacts) -> list[TaskFacts]:
    """Return the facts of every task of a run."""
    sets = _list_sets(len(data.datapool), found)
    return [
        gather_task(
            task,
            schema,
            _iterate(data, inputs.names, task),
            inputs.compute_task_scores(task),
            sets,
            list(_find_examples(data, task, found)),
        )
        for task, schema in data.annotations.tasks.items()
    ]


def _list_sets(n_earlier: int, found: SelectionFacts) -> dict[str, NDArray[np.int64]]:
    """Return positions among all samples, earlier ones first, by name of the set."""
    sets = {
        "input": n_earlier + np.arange(len(found.embeddings)),
        "selected": n_earlier + found.picks,
        "random": n_earlier + found.random,
    }
    if n_earlier:
        sets["preselectedDatapool"] = np.arange(n_earlier)
        sets["selectedWithDatapool"] = np.concatenate([np.arange(n_earlier), sets["selected"]])
    return sets


def _iterate(data: RunData, names: Sequence[str], task: str) -> Iterator[list[Prediction]]:
    for name in names:
        predictions = data.annotations.find_predictions(task, name)
        # Of many possible tags of an image, a report counts the likeliest one.
        yield predictions[:1] if task == AUTO_TAGS_TASK else predictions


def _find_examples(
    data: RunData, task: str, found: SelectionFacts
) -> Iterator[tuple[str, Sequence[Prediction]]]:
    """Yield selected images with objects."""
    n_found = 0
    for place in found.picks[choose_evenly(len(found.picks), _LOOKED_AT)]:
        name = found.names[int(place)]
        predictions = data.annotations.find_predictions(task, name)
        if n_found < N_EXAMPLES and any(one.get("bbox") is not None for one in predictions):
            n_found += 1
            yield name, predictions


def describe_crop_embeddings(
    plan: SelectionPlan, n_earlier: int, found: SelectionFacts
) -> dict[str, dict[str, Any]]:
    """Return the contract's `EmbeddingInformation` of objects, by the task that predicted them.

    Only of tasks whose objects the selection has compared: others were not embedded.

    Args:
        plan: What was asked.
        n_earlier: How many of the samples come from earlier runs; they are the first ones.
        found: The images.
    """
    described = {}
    for planned in plan.planned:
        task, objects = planned.input.get("task"), getattr(planned.engine, "embeddings", None)
        if task and isinstance(objects, Objects) and task not in described:
            described[task] = describe_embeddings(_gather_objects(objects, n_earlier, found))
    return described


def _gather_objects(objects: Objects, n_earlier: int, found: SelectionFacts) -> SelectionFacts:
    """Return objects in the place of images: all of few, evenly chosen ones of many."""
    owners = np.asarray(objects.owners) - n_earlier
    of_picks = np.flatnonzero(np.isin(owners, found.picks))
    chosen = of_picks[choose_evenly(len(of_picks))]
    rows = np.union1d(chosen, choose_evenly(len(owners), _MAX_OBJECTS))
    vectors = np.asarray(objects.embeddings)[rows]
    kept = owners[rows]
    is_own = kept >= 0
    of_own = kept[is_own]
    return SelectionFacts(
        embeddings=vectors[is_own],
        datapool=vectors[~is_own],
        picks=np.flatnonzero(np.isin(of_own, found.picks)),
        random=np.flatnonzero(np.isin(of_own, found.random)),
        names={row: found.names[int(owner)] for row, owner in enumerate(of_own)},
        numbers={},
        categories={},
    )
