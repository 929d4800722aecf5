"""Rules of prediction tasks and predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from lightly._kit.ids import make_id
from lightly.data.made_tasks import AUTO_TAGS_TASK
from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action, Dataset
from lightly.server.datasets.repository import lock_dataset, update_dataset
from lightly.server.errors import Conflict, PredictionTaskUnknown
from lightly.server.platform import PlatformState
from lightly.server.predictions import repository
from lightly.server.predictions.bodies import (
    NewPredictions,
    check_use,
    read_predictions,
    read_predictions_of_many,
    read_task,
)
from lightly.server.predictions.models import PackedPredictions, PredictionTask
from lightly.server.predictions.packing import read_scores, unpack_predictions
from lightly.server.predictions.tag_blocks import put_tags
from lightly.server.samples.bulk import find_indices
from lightly.server.samples.changes import note_changes
from lightly.server.samples.service import load_sample


def load_task(connection: sa.Connection, dataset: Dataset, name: str) -> PredictionTask:
    """Return a task of a dataset that was loaded for the caller; the one way to a task.

    Raises:
        PredictionTaskUnknown: If the dataset has no such task.
    """
    # No name has a NUL in it, and PostgreSQL refuses to compare with one.
    task = None if "\0" in name else repository.find_task(connection, dataset.key, name)
    if task is None:
        raise PredictionTaskUnknown(
            f"The dataset has no prediction task '{name[:80]}'. Post its schema first."
        )
    return task


def list_tasks(platform: PlatformState, caller: User, dataset_id: str) -> list[PredictionTask]:
    """Return all tasks of a dataset, oldest first."""
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        return repository.list_tasks(connection, dataset.key)


def get_task(platform: PlatformState, caller: User, dataset_id: str, name: str) -> PredictionTask:
    """Return one task."""
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        return load_task(connection, dataset, name)


def put_task(
    platform: PlatformState, caller: User, dataset_id: str, body: bytes, version_ms: int | None
) -> str:
    """Store the schema of a task, in the place of the one that it has; return the task's id.

    Predictions stay as they are, also those of categories that the schema no longer has.

    Args:
        platform: The server.
        caller: Who asks.
        dataset_id: The dataset.
        body: A `PredictionTaskSchema` as JSON.
        version_ms: What answers carry as `predictionUUIDTimestamp`; None is now.

    Raises:
        Conflict: If the task has predictions of another type.
    """
    name, type_, categories_json = read_task(body)
    now_ms = platform.clock.now_ms()
    version_ms = now_ms if version_ms is None else version_ms
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        n_samples = lock_dataset(connection, dataset.key)
        known = repository.find_task(connection, dataset.key, name)
        if known is None:
            task = PredictionTask(
                0, make_id(), dataset.key, name, type_, categories_json, version_ms, False
            )
            repository.insert_task(connection, task, now_ms)
        else:
            task = known
            _check_type(task, type_)
            repository.update_task(
                connection,
                task.key,
                now_ms,
                type=type_,
                categories_json=categories_json,
                version_ms=version_ms,
            )
            if task.has_predictions and task.categories_json != categories_json:
                # Columns have the names of categories.
                note_changes(connection, dataset.key, range(n_samples))
        update_dataset(connection, dataset.key, now_ms)
    return task.id


def _check_type(task: PredictionTask, type_: str) -> None:
    if task.has_predictions and task.type != type_:
        raise Conflict(
            f"The task '{task.name[:80]}' has predictions of type {task.type}, so it cannot become "
            f"{type_}. Give the new task another name."
        )


def put_predictions(
    platform: PlatformState, caller: User, dataset_id: str, sample_id: str, body: bytes
) -> str:
    """Store predictions of a sample in the place of those that it has of the same tasks.

    Returns:
        The sample's id: its predictions have none of their own.

    Raises:
        PredictionTaskUnknown: If one is of a task that the dataset does not have.
        MalformedRequest: If one does not fit the schema of its task.
    """
    new = read_predictions(body)
    now_ms = platform.clock.now_ms()
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        lock_dataset(connection, dataset.key)
        sample = load_sample(connection, dataset, sample_id)
        _store(connection, dataset, [sample.idx], new, now_ms)
    return sample_id


def put_predictions_of_many(
    platform: PlatformState, caller: User, dataset_id: str, body: bytes
) -> None:
    """Store predictions of many samples, of all or of none; errors as of `put_predictions`.

    A sample that is named twice ends as if the items came one by one.

    Raises:
        SampleUnknown: If a sample is not in the dataset.
    """
    references, new = read_predictions_of_many(body)
    now_ms = platform.clock.now_ms()
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        lock_dataset(connection, dataset.key)
        indices = find_indices(connection, dataset, references)
        _store(connection, dataset, indices, new, now_ms)


def _store(
    connection: sa.Connection,
    dataset: Dataset,
    indices: Sequence[int],
    new: NewPredictions,
    now_ms: int,
) -> None:
    tasks = {name: load_task(connection, dataset, name) for name in new.tasks}
    for name, use in new.tasks.items():
        check_use(tasks[name], use)
    rows = {
        (idx, tasks[name].key): packed
        for idx, by_task in zip(indices, new.rows, strict=True)
        for name, packed in by_task.items()
    }
    repository.put_predictions(connection, dataset.key, [(*key, rows[key]) for key in rows])
    if AUTO_TAGS_TASK in tasks:
        _index_tags(connection, dataset, tasks[AUTO_TAGS_TASK].key, rows)
    unmarked = [task.key for task in tasks.values() if not task.has_predictions]
    if unmarked:
        repository.mark_used(connection, unmarked)
    if rows:
        note_changes(connection, dataset.key, {idx for idx, _ in rows})
        update_dataset(connection, dataset.key, now_ms)


def _index_tags(
    connection: sa.Connection,
    dataset: Dataset,
    task_key: int,
    rows: Mapping[tuple[int, int], PackedPredictions],
) -> None:
    """Keep tags as tag search reads them, too."""
    put_tags(
        connection,
        dataset.key,
        ((idx, read_scores(packed)) for (idx, key), packed in rows.items() if key == task_key),
    )


def get_predictions(
    platform: PlatformState, caller: User, dataset_id: str, sample_id: str
) -> bytes:
    """Return the JSON list of all predictions of a sample."""
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        idx = load_sample(connection, dataset, sample_id).idx
        tasks = {task.key: task for task in repository.list_tasks(connection, dataset.key)}
        rows = repository.read_predictions(connection, dataset.key, idx, idx + 1)
    return unpack_predictions([(tasks[task_key], packed) for _, task_key, packed in rows])
