"""LOADING_METADATA and LOADING_PREDICTION: what users put into `.lightly/` beside their images."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lightly.data.datasource_files.names import (
    METADATA_SCHEMA_FILE,
    PREDICTIONS_FOLDER,
    TASKS_FILE,
    name_task_schema,
)
from lightly.data.made_tasks import AUTO_TAGS_TASK, PRETAGGING_TASK
from lightly.worker.errors import RunRefused
from lightly.worker.runs.context import RunContext
from lightly.worker.sources.annotations import Annotations
from lightly.worker.sources.reading import FileReader

log = logging.getLogger("lightly.worker")

#: Input types whose `task` names predictions.
_TASK_INPUTS = frozenset({"PREDICTIONS", "SCORES", "EMBEDDINGS"})


def load_annotations(context: RunContext) -> Annotations:
    """Read metadata and predictions; the owner closes what is returned.

    Raises:
        RunRefused: If the selection needs a task or metadata that are not there.
        RunFailed: If all files of a kind break a rule.
    """
    path = context.folder.path("annotations.sqlite")
    annotations = Annotations(path, are_frames=context.holds_videos)
    try:
        _load(context, annotations)
    except BaseException:
        annotations.close()
        raise
    return annotations


def _load(context: RunContext, annotations: Annotations) -> None:
    lease, side = context.lease, context.lightly_side
    reader = FileReader(context.link.stores, check=lease.check)
    lease.report_state("LOADING_METADATA", "Reading metadata.")
    place = side.locate(METADATA_SCHEMA_FILE)
    n_read = annotations.read_metadata(reader, place, side.iterate_metadata())
    if annotations.metadata_schema:
        log.info("%d files have metadata.", n_read)
    lease.report_state("LOADING_PREDICTION", "Reading predictions.")
    tasks = annotations.read_tasks(reader, side.locate(TASKS_FILE))
    _check_tasks(context.options.selection, tasks)
    for task in tasks:
        place, files = side.locate(name_task_schema(task)), side.iterate_predictions(task)
        n_read = annotations.read_predictions(task, reader, place, files)
        log.info("%d files have predictions of the task %r.", n_read, task)
        if not n_read and task in list_needed_tasks(context.options.selection):
            raise _refuse_without_predictions(task, "There are no files with predictions")


def _check_tasks(selection: Mapping[str, Any], tasks: list[str]) -> None:
    made = {AUTO_TAGS_TASK, PRETAGGING_TASK} | {
        task["name"] for task in selection.get("autoTasks") or []
    }
    for task in list_needed_tasks(selection):
        if task not in made and task not in tasks:
            known = ", ".join(tasks[:20]) or "none"
            raise RunRefused(
                f"The selection needs predictions of the task {task[:80]!r}; {TASKS_FILE} has: "
                f"{known}. Add the task there, with its schema and predictions."
            )


def check_predictions(
    annotations: Annotations, selection: Mapping[str, Any], names: Sequence[str]
) -> None:
    """Raise `RunRefused` if a task that the selection needs was applied to none of its images.

    Args:
        annotations: The predictions.
        selection: Its configuration.
        names: File names of all images.
    """
    for task in dict.fromkeys(list_needed_tasks(selection)):
        is_known = task in annotations.tasks and len(names)
        if is_known and not any(annotations.has_predictions(task, name) for name in names):
            raise _refuse_without_predictions(
                task, f"None of the {len(names)} images has a file with predictions"
            )


def _refuse_without_predictions(task: str, found: str) -> RunRefused:
    return RunRefused(
        f"{found} of the task {task[:80]!r}, which the selection needs. Write one for each image "
        f"below {PREDICTIONS_FOLDER}{task[:80]}/, under the name of the image with .json in place "
        "of its extension; one that has no objects has an empty list."
    )


def list_needed_tasks(selection: Mapping[str, Any]) -> Iterator[str]:
    """Yield the prediction tasks that a selection names."""
    for entry in selection.get("strategies") or []:
        source = entry["input"]
        if source["type"] in _TASK_INPUTS and source.get("task"):
            yield source["task"]
