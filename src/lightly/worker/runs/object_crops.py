"""EMBEDDING_OBJECT_CROPS: vectors of the objects that a task has predicted."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np

from lightly._kit.errors import BadInput
from lightly.embedding.pool import EmbeddingPool, count_processes
from lightly.embedding.registry import EmbeddingModel
from lightly.selection import Objects
from lightly.worker.runs.context import RunContext
from lightly.worker.runs.image_contents import read_images
from lightly.worker.sources.annotations import Annotations

log = logging.getLogger("lightly.worker")

Box = Sequence[float]


class ObjectEmbedder:
    """Embeds the objects of a run's samples.

    Args:
        context: Of the run.
        model: What to embed with.
        annotations: Has the boxes.
    """

    def __init__(
        self, context: RunContext, model: EmbeddingModel, annotations: Annotations
    ) -> None:
        self._context = context
        self._model = model
        self._annotations = annotations

    def embed(self, task: str, names: Sequence[str]) -> Objects:
        """Return the objects of a task.

        Args:
            task: The prediction task.
            names: File names of the samples, in their order.

        Raises:
            BadInput: If its predictions have no boxes.
        """
        lease = self._context.lease
        boxes = self._find_boxes(task, names)
        n_boxes = sum(map(len, boxes.values()))
        lease.report_state("EMBEDDING_OBJECT_CROPS", f"Embedding {n_boxes} objects.")
        path = self._context.folder.path("objects.f32")
        owners: list[int] = []
        with path.open("wb") as file:
            for position, vectors in self._embed(boxes, names):
                file.write(np.ascontiguousarray(vectors).tobytes())
                owners += [position] * len(vectors)
                lease.report_progress(len(owners), n_boxes)
        matrix = np.empty((0, self._model.dim), np.float32)
        if owners:
            matrix = np.memmap(path, np.float32, "r").reshape(-1, self._model.dim)
        return Objects(matrix, owners=np.array(owners, np.int64), n_samples=len(names))

    def _find_boxes(self, task: str, names: Sequence[str]) -> dict[int, list[Box]]:
        """Return the boxes of each sample that has any, by position."""
        found = {}
        for position, name in enumerate(names):
            predictions = self._annotations.find_predictions(task, name)
            boxes = [one["bbox"] for one in predictions if one.get("bbox") is not None]
            if boxes:
                found[position] = boxes
        if not found:
            raise BadInput(
                f"No prediction of the task {task[:80]!r} has a box, so there are no objects to "
                "compare. Use a task of object detection, or leave 'task' out of the input."
            )
        return found

    def _embed(
        self, boxes: dict[int, list[Box]], names: Sequence[str]
    ) -> Iterator[tuple[int, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]]:
        wanted = {names[position]: position for position in boxes}
        asked: deque[str] = deque()

        def items() -> Iterator[tuple[bytes, list[Box]]]:
            for name, content in read_images(self._context, wanted):
                asked.append(name)
                yield content, boxes[wanted[name]]

        context = self._context
        n_processes = context.settings.n_processes or context.options.n_processes
        with EmbeddingPool(
            self._model, n_processes=n_processes or count_processes(self._model)
        ) as pool:
            for answer in pool.embed_crops(items()):
                name = asked.popleft()
                if isinstance(answer, str):
                    log.warning("The objects of %s are left out: %s", name, answer)
                else:
                    yield wanted[name], answer
