"""Crop datasets: the objects of selected images as images of their own, in a child dataset.

Everything here can be done again: names follow from image, task and position, so another attempt
writes the same files and gets the same samples.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightly.api.api_workflow_client import ApiWorkflowClient
from lightly.api.client_base import make_path
from lightly.api.dataset_samples import DatasetSamples, split
from lightly.api.errors import ApiException, BlobTransferFailed
from lightly.api.upload_requests import make_sample_request
from lightly.api.upload_sources import InspectedImage
from lightly.data.datasource_files.names import CROPS_FOLDER, name_crop, name_thumbnail
from lightly.embedding.pool import EmbeddingPool, ExaminedCrop, count_processes
from lightly.embedding.registry import EmbeddingModel
from lightly.media.errors import CorruptVideo
from lightly.media.reports import ImageReport
from lightly.utils.io import format_header, format_row, format_vector
from lightly.worker.errors import RunFailed, RunRefused
from lightly.worker.runs.context import LeasedClient, RunContext
from lightly.worker.runs.datapool import EMBEDDING_NAME
from lightly.worker.runs.image_contents import NamedImage
from lightly.worker.runs.preparing import CROPS

log = logging.getLogger("lightly.worker")

_CROPS_PER_REQUEST = 200
_CLASH = 409

Box = list[float]


@dataclass(frozen=True)
class ObjectCrop:
    """An object that becomes a sample.

    Attributes:
        name: Of the file and the sample.
        number: Position among all predictions of its image.
        prediction: The object in its wire form.
        box: What to cut: x and y of the corner, width and height in pixels.
    """

    name: str
    number: int
    prediction: Mapping[str, Any]
    box: Box


@dataclass(frozen=True)
class ImageCrops:
    """The objects of one image.

    Attributes:
        sample_id: The image's sample.
        predictions: All of its predictions in their wire form.
        crops: Those that become samples.
    """

    sample_id: str
    predictions: Sequence[Mapping[str, Any]]
    crops: Sequence[ObjectCrop]


def list_crops(
    image_name: str,
    predictions: Sequence[Mapping[str, Any]],
    tasks: Sequence[str],
    *,
    padding: float = 0.0,
    image_format: str = "png",
) -> list[ObjectCrop]:
    """Return the objects of an image that have a box and are of some tasks.

    Args:
        image_name: The image.
        predictions: All of its predictions in their wire form.
        tasks: Whose objects.
        padding: What is added on each side, as a share of the box.
        image_format: `png` or `jpg`.
    """
    found = []
    for task in tasks:
        own = [(n, one) for n, one in enumerate(predictions) if one["taskName"] == task]
        for place, (number, prediction) in enumerate(own):
            if prediction.get("bbox") is not None:
                name = name_crop(task, image_name, place, image_format)
                box = pad_box(prediction["bbox"], padding)
                found.append(ObjectCrop(name, number, prediction, box))
    return found


def pad_box(box: Sequence[float], padding: float) -> Box:
    """Return a box that is larger on each side by a share of it.

    >>> pad_box([10, 10, 20, 40], 0.5)
    [0.0, -10.0, 40.0, 80.0]
    """
    x, y, width, height = box
    return [
        x - padding * width, y - padding * height, width * (1 + 2 * padding),
        height * (1 + 2 * padding),
    ]  # fmt: skip


class CropDataset:
    """The crops of a dataset's selected images.

    Args:
        context: Of the run.
        model: What to embed with.
        thumbnail_suffix: Template of thumbnails' names; None if there are none.
    """

    def __init__(
        self, context: RunContext, model: EmbeddingModel, thumbnail_suffix: str | None
    ) -> None:
        self._context = context
        self._model = model
        self._suffix = thumbnail_suffix
        self._filled: ApiWorkflowClient | None = None
        self._linked: dict[str, dict[int, dict[str, str]]] = {}
        self._parent = DatasetSamples(context.link.transport, context.claim.dataset_id)

    def add(self, name: str, images: Iterator[NamedImage], crops: Mapping[str, ImageCrops]) -> int:
        """Write crops, register them, and let the predictions of their images say where they are.

        Args:
            name: Of the crop dataset if there is none yet.
            images: The images that have crops, in any order.
            crops: The crops of each image, by its name.

        Returns:
            How many crops there are.
        """
        if not crops:
            log.info("The selected images have no objects, so there are no crops.")
            return 0
        dataset_id = find_or_create(self._context, name)
        samples = DatasetSamples(self._context.link.transport, dataset_id)
        path = self._context.folder.path("crop_embeddings.csv")
        n_done, n_crops = 0, sum(len(one.crops) for one in crops.values())
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(format_header(self._model.dim))
            for batch in split(self._examine(images, crops), _CROPS_PER_REQUEST):
                self._context.lease.check()
                self._write_files([(crop.name, found) for _, crop, found in batch])
                ids = self._register(samples, batch)
                self._link(batch, ids, dataset_id)
                for _, crop, found in batch:
                    file.write(format_row([crop.name, *format_vector(found.vector), "0"]))
                n_done += len(batch)
                self._context.lease.report_progress(n_done, n_crops)
        if n_done:
            self._upload_embeddings(dataset_id, path)
        log.info("The dataset %s has %d crops more.", dataset_id, n_done)
        return n_done

    def _examine(
        self, images: Iterator[NamedImage], crops: Mapping[str, ImageCrops]
    ) -> Iterator[tuple[ImageCrops, ObjectCrop, ExaminedCrop]]:
        asked: list[ImageCrops] = []

        def items() -> Iterator[tuple[bytes, list[Box]]]:
            for name, content in images:
                asked.append(crops[name])
                yield content, [crop.box for crop in crops[name].crops]

        options = (self._context.settings.n_processes, count_processes(self._model))
        n_processes = next(count for count in options if count)
        image_format = self._context.options.image_format
        with EmbeddingPool(self._model, n_processes=n_processes) as pool:
            for answers in pool.examine_crops(items(), image_format=image_format):
                image = asked.pop(0)
                try:
                    for crop, found in zip(image.crops, answers, strict=True):
                        yield image, crop, found
                except CorruptVideo as error:
                    log.warning("Crops of the image %s are left out: %s", image.sample_id, error)

    def _write_files(self, found: Sequence[tuple[str, ExaminedCrop]]) -> None:
        files = [(CROPS_FOLDER + name, crop.content) for name, crop in found]
        if self._suffix is not None:
            files += [(name_thumbnail(name, self._suffix), crop.thumbnail) for name, crop in found]
        try:
            self._context.lightly_side.write(files)
        except (BlobTransferFailed, OSError) as error:
            raise RunFailed(
                f"Crops cannot be written into the datasource: {error} Let the worker write below "
                ".lightly/, or set worker_config.crops.enable_upload to false."
            ) from error

    def _register(
        self,
        samples: DatasetSamples,
        batch: Sequence[tuple[ImageCrops, ObjectCrop, ExaminedCrop]],
    ) -> list[str]:
        ids = []
        for sample in samples.register([self._make_request(*one) for one in batch]):
            if isinstance(sample, ApiException):
                raise RunFailed(f"The server refuses a crop: {sample}")
            ids.append(sample)
        return ids

    def _make_request(
        self, image: ImageCrops, crop: ObjectCrop, found: ExaminedCrop
    ) -> dict[str, Any]:
        inspected = InspectedImage(crop.name, b"", ImageReport(found.metadata))
        request = make_sample_request(inspected, None, has_thumbnail=False)
        if self._suffix is not None:
            request["thumbName"] = name_thumbnail(crop.name, self._suffix)
        request["cropData"] = {
            "parentId": image.sample_id,
            "predictionUUIDTimestamp": 0,
            "predictionIndex": crop.number,
            "predictionTaskName": crop.prediction["taskName"],
            "predictionTaskCategoryId": crop.prediction["categoryId"],
            "predictionTaskScore": crop.prediction["score"],
        }
        return request

    def _link(
        self,
        batch: Sequence[tuple[ImageCrops, ObjectCrop, ExaminedCrop]],
        ids: Sequence[str],
        dataset_id: str,
    ) -> None:
        """Let predictions say where their crops are.

        An image whose crops fall into two batches is written twice, the second time with all.
        """
        changed: dict[str, list[dict[str, Any]]] = {}
        for (image, crop, _), sample_id in zip(batch, ids, strict=True):
            known = self._linked.setdefault(image.sample_id, {})
            known[crop.number] = {"cropDatasetId": dataset_id, "cropSampleId": sample_id}
            changed[image.sample_id] = [
                {**one, **known.get(number, {})} for number, one in enumerate(image.predictions)
            ]
        for _ in self._parent.update_predictions(changed.items()):
            self._context.lease.check()

    def _upload_embeddings(self, dataset_id: str, embeddings: Path) -> None:
        client: ApiWorkflowClient = LeasedClient(self._context.link)
        client._use_dataset(dataset_id)  # noqa: SLF001  its setter asks whether it exists again
        client.upload_embeddings(str(embeddings), EMBEDDING_NAME)
        self._filled = client

    def make_tag(self) -> None:
        """Tag what is new in the crop dataset; last, as in the dataset of the images."""
        if self._filled is None:
            return
        dataset_id, tags = self._filled.dataset_id, self._filled.get_all_tags()
        n_samples = self._filled.get_dataset_by_id(dataset_id).n_samples
        if not tags:
            body = {"imgType": "full", "creator": "USER_WORKER"}
            self._context.link.post_tag("initial", body, dataset_id)
        elif max(tag.tot_size for tag in tags) < n_samples:
            name = f"run_{self._context.claim.run_id}"
            body = {"upsizeTagName": name, "upsizeTagCreator": "USER_WORKER"}
            self._context.link.post_tag("upsize", body, dataset_id)


def find_crop_dataset(context: RunContext, name: str) -> str | None:
    """Return the crop dataset of a run's dataset; None if it has none.

    That is its child of this name, else its only child, which may have been renamed.
    """
    parent = context.claim.dataset_id
    children = context.link.transport.get(make_path("v1", "datasets", parent, "children"))
    crops = [child for child in children if child["type"] == CROPS]
    for child in crops:
        if child["name"] == name or len(crops) == 1:
            return str(child["id"])
    return None


def find_or_create(context: RunContext, name: str) -> str:
    """Return the crop dataset of a run's dataset; a new one if it has none.

    Raises:
        RunRefused: If another dataset has the name.
    """
    known = find_crop_dataset(context, name)
    if known is not None:
        return known
    transport, parent = context.link.transport, context.claim.dataset_id
    body = {
        "name": name,
        "type": CROPS,
        "imgType": "full",
        "creator": "USER_WORKER",
        "parentDatasetId": parent,
    }
    try:
        return str(transport.post(make_path("v1", "datasets"), body)["id"])
    except ApiException as error:
        if error.status == _CLASH or error.code == "DATASET_NAME_EXISTS":
            raise RunRefused(
                f"The crops need a dataset called {name[:200]!r}, and another dataset has this "
                "name. Rename it, or set worker_config.crops.enable_upload to false."
            ) from error
        raise
