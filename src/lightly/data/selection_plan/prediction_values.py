"""Predictions as the engine takes them: class shares per sample, or counts of objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightly._kit.errors import BadInput
from lightly.data.selection_plan.inputs import Column, TaskPredictions

_Row = NDArray[np.float64]
_SEGMENTS = "SEMANTIC_SEGMENTATION"


def read_class_shares(
    predictions: TaskPredictions, task: str, n_samples: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return one row of class shares per sample, and where samples have no predictions.

    A classification gives its probabilities; objects the sum of theirs; segments of a semantic
    segmentation the share of the image that each covers. A prediction without probabilities counts
    as 1 for its category.

    Args:
        predictions: Of a task; read once.
        task: Its name, for errors.
        n_samples: N.

    Returns:
        Shapes ``[N, C]``, columns in the order of the categories, and ``[N]``.

    Raises:
        BadInput: If a prediction does not fit the categories of its task.
    """
    columns = {id_: column for column, (id_, _) in enumerate(predictions.categories)}
    rows = np.zeros((n_samples, len(columns)))
    missing = np.ones(n_samples, dtype=np.bool_)
    for sample, singletons in predictions.samples:
        missing[sample] = False
        for singleton in singletons:
            rows[sample] += _rate(singleton, columns, task)
        # Segments may overlap or leave pixels out: their shares are of what they cover.
        if singletons and singletons[0]["type"] == _SEGMENTS and rows[sample].any():
            rows[sample] /= rows[sample].sum()
    return rows, missing


def count_objects(
    predictions: TaskPredictions, task: str, n_samples: int, categories: Sequence[str] | None
) -> Column:
    """Return how many predictions of some categories each sample has.

    Args:
        predictions: Of a task; read once.
        task: Its name, for errors.
        n_samples: N.
        categories: Names of what is counted; everything if None.

    Raises:
        BadInput: If the task does not have a category.
    """
    names = [name for _, name in predictions.categories]
    wanted = find_classes(names if categories is None else categories, names, f"Task '{task}'")
    ids = {predictions.categories[column][0] for column in wanted}
    counts, missing = np.zeros(n_samples), np.ones(n_samples, dtype=np.bool_)
    for sample, singletons in predictions.samples:
        missing[sample] = False
        counts[sample] = sum(singleton["categoryId"] in ids for singleton in singletons)
    return Column(counts, missing)


def find_classes(wanted: Sequence[str], known: Sequence[str], owner: str) -> list[int]:
    """Return the position of each wanted class among the known ones.

    Raises:
        BadInput: If one is not known; says which are.
    """
    places = {name: place for place, name in enumerate(known)}
    for name in wanted:
        if name not in places:
            listed = ", ".join(ascii(other)[:40] for other in list(known)[:20])
            more = ", ..." if len(known) > len(list(known)[:20]) else ""
            raise BadInput(f"{owner} has no class {ascii(name)[:60]}. Known are: {listed}{more}.")
    return [places[name] for name in wanted]


def _rate(singleton: Mapping[str, Any], columns: Mapping[int, int], task: str) -> _Row:
    """Return what one prediction adds to its sample's shares."""
    row = np.zeros(len(columns))
    column = columns.get(singleton["categoryId"])
    if column is None:
        raise BadInput(
            f"A prediction of task '{task[:60]}' has category {singleton['categoryId']}, which "
            "the task does not have. Add the category to the task or correct the prediction."
        )
    if singleton["type"] == _SEGMENTS:
        lengths = singleton["segmentation"]
        row[column] = sum(lengths[1::2]) / (sum(lengths) or 1)
        return row
    probabilities = singleton.get("probabilities")
    if not probabilities:
        row[column] = 1.0
        return row
    if len(probabilities) != len(columns):
        raise BadInput(
            f"A prediction of task '{task[:60]}' has {len(probabilities)} probabilities. It needs "
            f"one for each of the {len(columns)} categories of the task."
        )
    return np.asarray(probabilities, dtype=np.float64)
