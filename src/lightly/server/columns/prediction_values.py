"""What predictions say of samples, as values to filter, sort and colour by.

Of a task named `T`: `lightly.prediction.T` is the class with the highest score, and
`lightly.confidence.T` that score. Of tasks that find several things in an image,
`lightly.objects.T` is how many there are, and `lightly.objects.T.CLASS` how many of a class.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
import sqlalchemy as sa

from lightly.server.db.engine import Database
from lightly.server.predictions import repository
from lightly.server.predictions.models import PackedPredictions, PredictionTask
from lightly.server.predictions.packing import list_scores

CLASS_PREFIX = "lightly.prediction."
CONFIDENCE_PREFIX = "lightly.confidence."
OBJECTS_PREFIX = "lightly.objects."
#: Classes of a task that are counted; of more, nobody reads the histograms.
MAX_COUNTED_CLASSES = 40
_SAMPLES_PER_QUERY = 5_000
_ONE_PER_IMAGE = "CLASSIFICATION"

#: Positions within the block, and the values there.
Values = tuple[list[int], list[Any]]


def read_prediction_values(
    database: Database, dataset_key: int, first: int, n_samples: int
) -> dict[str, Values]:
    """Return what the predictions of neighbouring samples say, by key.

    Args:
        database: Where predictions are.
        dataset_key: The dataset.
        first: Index of the first sample.
        n_samples: How many samples.
    """
    with database.read() as connection:
        tasks = repository.list_tasks(connection, dataset_key)
    found: dict[str, Values] = {}
    for task in tasks:
        if task.has_predictions:
            collector = _Collector(task, found)
            for start in range(first, first + n_samples, _SAMPLES_PER_QUERY):
                stop = min(start + _SAMPLES_PER_QUERY, first + n_samples)
                with database.read() as connection:
                    rows = _read_rows(connection, dataset_key, task, start, stop)
                collector.add(first, rows)
    return found


def _read_rows(
    connection: sa.Connection, dataset_key: int, task: PredictionTask, start: int, stop: int
) -> list[tuple[int, int, PackedPredictions]]:
    return repository.read_predictions(
        connection, dataset_key, start, stop, task_key=task.key, has_segmentations=False
    )


class _Collector:
    """Turns the predictions of one task into values."""

    def __init__(self, task: PredictionTask, found: dict[str, Values]) -> None:
        self._found = found
        self._name = task.name
        self._counts_objects = task.type != _ONE_PER_IMAGE
        categories = orjson.loads(task.categories_json)
        self._names = {category["id"]: category["name"] for category in categories}
        self._counted = {
            category["id"]: category["name"] for category in categories[:MAX_COUNTED_CLASSES]
        }

    def add(self, first: int, rows: Iterable[tuple[int, int, PackedPredictions]]) -> None:
        for idx, _, packed in rows:
            scores = list_scores(packed)
            position = idx - first
            category_id, score = max(scores, key=lambda pair: pair[1])
            name = self._names.get(category_id, f"category {category_id}")
            self._put(CLASS_PREFIX + self._name, position, name)
            self._put(CONFIDENCE_PREFIX + self._name, position, score)
            if self._counts_objects:
                self._count(position, [category for category, _ in scores])

    def _count(self, position: int, category_ids: list[int]) -> None:
        key = OBJECTS_PREFIX + self._name
        self._put(key, position, len(category_ids))
        for category_id, name in self._counted.items():
            self._put(f"{key}.{name}", position, category_ids.count(category_id))

    def _put(self, key: str, position: int, value: str | float) -> None:
        positions, values = self._found.setdefault(key, ([], []))
        positions.append(position)
        values.append(value)
