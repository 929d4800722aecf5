"""UPLOADING_DATASET, second part: which objects of the selected images become crops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lightly.openapi_generated.swagger_client.models.dataset_data import DatasetData
from lightly.worker.errors import RunRefused
from lightly.worker.options import RunOptions
from lightly.worker.runs.context import RunContext
from lightly.worker.runs.crop_datasets import CropDataset, ImageCrops, list_crops
from lightly.worker.runs.image_contents import read_images
from lightly.worker.runs.selecting import ObjectPicks
from lightly.worker.runs.uploading import DatasetUpload
from lightly.worker.sources.annotations import Annotations

#: Types of tasks whose predictions have boxes.
_WITH_BOXES = frozenset({"object-detection", "instance-segmentation", "keypoint-detection"})
_SUFFIX = "-crops"


def list_crop_tasks(options: RunOptions) -> list[str]:
    """Return the tasks whose objects become crops.

    These are the tasks whose objects the selection compares, or those that the configuration names.
    """
    if options.object_task:
        return [options.object_task]
    crops = options.docker.get("crops") or {}
    if crops.get("enableUpload") is False:
        return []
    named = crops.get("enableUploadForTasks")
    if named is not None:
        return list(dict.fromkeys(named))
    inputs = [entry["input"] for entry in options.selection.get("strategies") or []]
    compared = [one["task"] for one in inputs if one["type"] == "EMBEDDINGS" and one.get("task")]
    return list(dict.fromkeys(compared))


def check_crop_tasks(tasks: Sequence[str], annotations: Annotations) -> None:
    """Raise `RunRefused` if crops are asked of a task that is not there or has no boxes."""
    for task in tasks:
        schema = annotations.tasks.get(task)
        if schema is None or schema.task_type not in _WITH_BOXES:
            known = [
                name for name, one in annotations.tasks.items() if one.task_type in _WITH_BOXES
            ]
            listed = ", ".join(known[:20]) or "none"
            raise RunRefused(
                f"Crops are cut of predictions with boxes, and the task {task[:80]!r} has none. "
                f"Tasks with boxes: {listed}. Change worker_config.object_level.task_name or "
                "worker_config.crops.enable_upload_for_tasks."
            )


def name_crop_dataset(options: RunOptions, dataset: DatasetData) -> str:
    """Return what a new crop dataset is called."""
    wanted: Mapping[str, str] = options.docker.get("objectLevel") or {}
    return wanted.get("cropDatasetName") or f"{dataset.name}{_SUFFIX}"


def save_crops(
    context: RunContext,
    dataset: DatasetData,
    upload: DatasetUpload,
    crops: CropDataset,
    picked: ObjectPicks | None = None,
) -> None:
    """Cut the objects of the images that were added, unless no task asks for it.

    Args:
        context: Of the run.
        dataset: Whose images they are.
        upload: Has added the images.
        crops: Takes the objects.
        picked: The objects that were chosen one by one; None for all of each image.
    """
    tasks = list_crop_tasks(context.options)
    if not tasks:
        return
    padding = (context.options.docker.get("objectLevel") or {}).get("padding") or 0.0
    found: dict[str, ImageCrops] = {}
    for name, sample_id in upload.sample_ids.items():
        predictions = upload.list_predictions(name)
        objects = list_crops(
            name, predictions, tasks, padding=padding, image_format=context.options.image_format
        )
        if picked is not None:
            objects = [one for one in objects if one.name in picked.names]
        if objects:
            found[name] = ImageCrops(sample_id, predictions, objects)
    n_crops = sum(len(one.crops) for one in found.values())
    context.lease.report_state("UPLOADING_DATASET", f"Cutting {n_crops} objects out of images.")
    images = read_images(context, found)
    crops.add(name_crop_dataset(context.options, dataset), images, found)
