"""PRETAGGING: objects that a detector of the user finds, as predictions of a task."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from lightly.data.datasource_files.prediction_tasks import Category, TaskSchema
from lightly.data.made_tasks import PRETAGGING_TASK
from lightly.embedding.detection_pool import DetectionPool
from lightly.embedding.detectors import Detector, find_detector
from lightly.embedding.registry import UnusableModel
from lightly.worker.errors import RunRefused
from lightly.worker.options import RunOptions
from lightly.worker.runs.annotating import list_needed_tasks
from lightly.worker.runs.context import RunContext
from lightly.worker.runs.image_contents import read_images
from lightly.worker.sources.annotations import Annotations

log = logging.getLogger("lightly.worker")


def choose_detector(context: RunContext) -> Detector | None:
    """Return what finds objects; None if the run does not ask for any.

    Raises:
        RunRefused: If there is no detector, or it is not clear which one is meant, or the selection
            needs objects that nobody looks for.
    """
    options = context.options
    if not wants_pretagging(options):
        if PRETAGGING_TASK in list_needed_tasks(options.selection):
            raise RunRefused(
                f"The selection needs the task {PRETAGGING_TASK!r}. Set worker_config.pretagging "
                "to true, so that the run makes it."
            )
        return None
    wanted = options.docker.get("pretaggingConfig") or context.settings.detector
    try:
        return find_detector(wanted or None)
    except UnusableModel as error:
        raise RunRefused(f"Pretagging finds objects with a detector of yours. {error}") from error


def wants_pretagging(options: RunOptions) -> bool:
    """Tell whether a run finds objects: `pretagging_upload` alone would have nothing to upload."""
    return bool(options.docker.get("pretagging") or options.docker.get("pretaggingUpload"))


def add_pretagging(
    context: RunContext, detector: Detector | None, annotations: Annotations, names: Sequence[str]
) -> None:
    """Find the objects in images and add them to the predictions of the run.

    Args:
        context: Of the run.
        detector: What finds them; nothing is done without one.
        annotations: Takes them; they are stored in the dataset only with `pretagging_upload`.
        names: File names of the images.
    """
    if detector is None:
        return
    context.lease.report_state("PRETAGGING", f"Finding objects in {len(names)} images.")
    schema = TaskSchema(
        "object-detection",
        tuple(Category(id=label, name=name) for label, name in detector.categories),
    )
    if not context.options.docker.get("pretaggingUpload"):
        annotations.unstored_tasks.add(PRETAGGING_TASK)
    found = _detect(context, detector, names)
    annotations.add_predictions(PRETAGGING_TASK, schema, found)


def _detect(
    context: RunContext, detector: Detector, names: Sequence[str]
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    asked: deque[str] = deque()

    def read() -> Iterator[bytes]:
        for name, content in read_images(context, names):
            asked.append(name)
            yield content

    n_done = n_objects = 0
    options = (context.settings.n_processes, context.options.n_processes)
    n_processes = next((count for count in options if count), None)
    with DetectionPool(detector, n_processes=n_processes) as pool:
        for answer in pool.detect(read()):
            context.lease.check()
            name, n_done = asked.popleft(), n_done + 1
            context.lease.report_progress(n_done, len(names))
            if isinstance(answer, str):
                log.warning("No objects are looked for in %s: %s", name, answer)
                continue
            n_objects += len(answer)
            yield name, answer
    log.info("The detector %r has found %d objects.", detector.id, n_objects)
