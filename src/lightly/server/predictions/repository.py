"""Queries on prediction tasks and predictions. All are bound to a dataset."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import sqlalchemy as sa

from lightly.server.db.prediction_tables import prediction_tasks, sample_predictions
from lightly.server.predictions.models import PackedPredictions, PredictionTask

_COLUMNS = [prediction_tasks.c[name] for name in PredictionTask.__dataclass_fields__]

# The same on SQLite and PostgreSQL.
_UPSERT = sa.text(
    "INSERT INTO sample_predictions (dataset_key, idx, task_key, size_bytes, positions_json, "
    "singletons, segmentations) VALUES (:dataset_key, :idx, :task_key, :size_bytes, "
    ":positions_json, :singletons, :segmentations) "
    "ON CONFLICT (dataset_key, idx, task_key) DO UPDATE SET size_bytes = excluded.size_bytes, "
    "positions_json = excluded.positions_json, singletons = excluded.singletons, "
    "segmentations = excluded.segmentations"
)


def list_tasks(connection: sa.Connection, dataset_key: int) -> list[PredictionTask]:
    """Return all tasks of a dataset, oldest first."""
    query = (
        sa.select(*_COLUMNS)
        .where(prediction_tasks.c.dataset_key == dataset_key)
        .order_by(prediction_tasks.c.key)
    )
    return [PredictionTask(*row) for row in connection.execute(query)]


def find_task(connection: sa.Connection, dataset_key: int, name: str) -> PredictionTask | None:
    """Return a task of a dataset by its exact name."""
    row = connection.execute(
        sa.select(*_COLUMNS).where(
            prediction_tasks.c.dataset_key == dataset_key, prediction_tasks.c.name == name
        )
    ).one_or_none()
    return None if row is None else PredictionTask(*row)


def insert_task(connection: sa.Connection, task: PredictionTask, now_ms: int) -> None:
    """Add a task; the database chooses its key."""
    values = {name: getattr(task, name) for name in PredictionTask.__dataclass_fields__}
    del values["key"]
    connection.execute(
        sa.insert(prediction_tasks).values(
            **values, created_at_ms=now_ms, last_modified_at_ms=now_ms
        )
    )


def update_task(connection: sa.Connection, task_key: int, now_ms: int, **values: object) -> None:
    """Change columns of a task and note when."""
    connection.execute(
        sa.update(prediction_tasks)
        .where(prediction_tasks.c.key == task_key)
        .values(last_modified_at_ms=now_ms, **values)
    )


def mark_used(connection: sa.Connection, task_keys: Collection[int]) -> None:
    """Note that these tasks have predictions."""
    connection.execute(
        sa.update(prediction_tasks)
        .where(prediction_tasks.c.key.in_(task_keys))
        .values(has_predictions=True)
    )


def put_predictions(
    connection: sa.Connection, dataset_key: int, rows: Iterable[tuple[int, int, PackedPredictions]]
) -> None:
    """Store predictions in the place of those of the same samples and tasks.

    Args:
        connection: An open write transaction.
        dataset_key: The dataset.
        rows: Sample index, task key and predictions; no pair of the first two twice.
    """
    parameters = [
        {
            "dataset_key": dataset_key,
            "idx": idx,
            "task_key": task_key,
            "size_bytes": packed.size_bytes,
            "positions_json": packed.positions_json,
            "singletons": packed.singletons,
            "segmentations": packed.segmentations,
        }
        for idx, task_key, packed in rows
    ]
    if parameters:
        connection.execute(_UPSERT, parameters)


def read_sizes(
    connection: sa.Connection, dataset_key: int, start: int, stop: int, task_key: int | None
) -> list[tuple[int, int]]:
    """Return index and bytes of JSON of the samples in a range that have predictions, in order."""
    query = (
        sa.select(sample_predictions.c.idx, sa.func.sum(sample_predictions.c.size_bytes))
        .where(*_is_in_range(dataset_key, start, stop, task_key))
        .group_by(sample_predictions.c.idx)
        .order_by(sample_predictions.c.idx)
    )
    return [(idx, int(size_bytes)) for idx, size_bytes in connection.execute(query)]


def read_predictions(
    connection: sa.Connection,
    dataset_key: int,
    start: int,
    stop: int,
    *,
    task_key: int | None = None,
    has_segmentations: bool = True,
) -> list[tuple[int, int, PackedPredictions]]:
    """Return the predictions of the samples with `start <= idx < stop`, in order.

    Args:
        connection: An open transaction.
        dataset_key: The dataset.
        start: First sample index.
        stop: The one behind the last.
        task_key: Only those of this task.
        has_segmentations: Read run lengths too.

    Returns:
        Sample index, task key and predictions.
    """
    table = sample_predictions.c
    segmentations = table.segmentations if has_segmentations else sa.null()
    query = (
        sa.select(
            table.idx,
            table.task_key,
            table.size_bytes,
            table.positions_json,
            table.singletons,
            segmentations,
        )
        .where(*_is_in_range(dataset_key, start, stop, task_key))
        .order_by(table.idx, table.task_key)
    )
    return [
        (idx, key, PackedPredictions(*packed)) for idx, key, *packed in connection.execute(query)
    ]


def _is_in_range(
    dataset_key: int, start: int, stop: int, task_key: int | None
) -> list[sa.ColumnElement[bool]]:
    table = sample_predictions.c
    conditions = [table.dataset_key == dataset_key, table.idx >= start, table.idx < stop]
    return conditions if task_key is None else [*conditions, table.task_key == task_key]
