"""Reading requests with predictions: what the contract's models cannot check."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast

import orjson

from lightly.openapi_generated.swagger_client.models.prediction_singleton import (
    PredictionSingleton,
)
from lightly.openapi_generated.swagger_client.models.prediction_task_schema import (
    PredictionTaskSchema,
)
from lightly.openapi_generated.swagger_client.models.prediction_task_schema_category import (
    PredictionTaskSchemaCategory,
)
from lightly.openapi_generated.swagger_client.models.prediction_task_schema_category_keypoints import (  # noqa: E501  one name
    PredictionTaskSchemaCategoryKeypoints,
)
from lightly.openapi_generated.wire.model import WireModel, WireUnion
from lightly.server.errors import MalformedRequest, PayloadTooLarge, PredictionCategoriesNotUnique
from lightly.server.http.requests import decode_json, parse_body
from lightly.server.predictions.models import PackedPredictions, PredictionTask
from lightly.server.predictions.packing import pack_predictions
from lightly.server.samples.bulk_requests import SampleReference, decode_bulk

#: The contract has no limit, but the index over names does.
MAX_NAME_CHARACTERS = 255
#: Largest schema of a task: some 10,000 categories. Every list of tasks carries it.
MAX_CATEGORIES_BYTES = 1024 * 1024
#: Largest id of a category: the largest integer that every JSON reader reads exactly.
MAX_CATEGORY_ID = 2**53 - 1
#: Largest JSON of a sample's predictions of one task: bounds the memory of lists. Some 1,000
#: instances with their run lengths.
MAX_PREDICTIONS_BYTES = 4 * 1024 * 1024
#: Numbers per keypoint: where it is, and how sure the model is of it.
_PER_KEYPOINT = 3

_Category = PredictionTaskSchemaCategory | PredictionTaskSchemaCategoryKeypoints
#: Category id and number of keypoints of a prediction; 0 for tasks without.
_Use = tuple[int, int]


class PredictionList(WireUnion[list[PredictionSingleton]]):
    """The body of predictions for one sample."""


class PredictionItem(SampleReference):
    """Predictions of one sample, which is named by its id or its file name."""

    predictions: list[PredictionSingleton]


class _PredictionBulkRequest(WireModel):
    """Predictions of many samples; each item is looked at by itself."""

    items: list[Any]


@dataclass
class TaskUse:
    """What predictions in a request say of one task.

    Attributes:
        type: Their type.
        uses: Which categories they name, with how many keypoints.
    """

    type: str
    uses: set[_Use] = field(default_factory=set)


@dataclass
class NewPredictions:
    """Predictions that are about to be stored.

    Attributes:
        rows: For each sample of the request what is stored of it, by task name.
        tasks: What they say of tasks, by task name.
    """

    rows: list[dict[str, PackedPredictions]] = field(default_factory=list)
    tasks: dict[str, TaskUse] = field(default_factory=dict)


def read_task(body: bytes) -> tuple[str, str, str]:
    """Return name, type and categories, as JSON, of a `PredictionTaskSchema`.

    Raises:
        MalformedRequest: If it breaks a rule of the contract.
        PredictionCategoriesNotUnique: If two categories have the same id.
        PayloadTooLarge: If it has too many categories.
    """
    schema = parse_body(PredictionTaskSchema, decode_json(body)).actual_instance
    if len(schema.name) > MAX_NAME_CHARACTERS:
        raise MalformedRequest(
            f"name (body): A task name may have at most {MAX_NAME_CHARACTERS} characters."
        )
    _check_categories(schema.categories)
    text = orjson.dumps([category.to_dict(by_alias=True) for category in schema.categories])
    if len(text) > MAX_CATEGORIES_BYTES:
        raise PayloadTooLarge(
            f"categories (body): may have at most {MAX_CATEGORIES_BYTES} bytes of JSON."
        )
    return schema.name, schema.type, text.decode()


def _check_categories(categories: Iterable[_Category]) -> None:
    seen: set[int] = set()
    for number, category in enumerate(categories):
        if category.id > MAX_CATEGORY_ID:
            raise MalformedRequest(
                f"categories.{number}.id (body): Input should be at most {MAX_CATEGORY_ID}."
            )
        if category.id in seen:
            raise PredictionCategoriesNotUnique(
                f"categories.{number}.id (body): The id {category.id} is given twice."
            )
        seen.add(category.id)
        if isinstance(category, PredictionTaskSchemaCategoryKeypoints):
            _check_skeleton(category, number)


def _check_skeleton(category: PredictionTaskSchemaCategoryKeypoints, number: int) -> None:
    if category.keypoint_names is None or category.keypoint_skeleton is None:
        return
    last = len(category.keypoint_names) - 1
    if any(end > last for bone in category.keypoint_skeleton for end in bone):
        raise MalformedRequest(
            f"categories.{number}.keypointSkeleton (body): names a keypoint beyond the "
            f"{len(category.keypoint_names)} of 'keypointNames'; they are numbered from 0."
        )


def read_predictions(body: bytes) -> NewPredictions:
    """Return the predictions of a `PredictionList`.

    Raises:
        MalformedRequest: If one breaks a rule of the contract, or the number of its keypoints does.
        PayloadTooLarge: If they are too many.
    """
    content = decode_json(body)
    parse_body(PredictionList, content)
    # The JSON that was checked is stored, not the model made from it.
    new = NewPredictions()
    _add_sample(new, cast("list[dict[str, Any]]", content), "")
    return new


def read_predictions_of_many(body: bytes) -> tuple[list[SampleReference], NewPredictions]:
    """Return samples and predictions of a `PredictionBulkRequest`; errors as above.

    Raises:
        PayloadTooLarge: If it has too many items.
    """
    items = parse_body(_PredictionBulkRequest, decode_bulk(body, "items")).items
    references: list[SampleReference] = []
    new = NewPredictions()
    for number, item in enumerate(items):
        # Models of all items at once would take ten times the memory of what is sent.
        references.append(_read_reference(item, f"items.{number}."))
        _add_sample(new, item["predictions"], f"items.{number}.predictions.")
        items[number] = None
    return references, new


def _read_reference(item: object, place: str) -> SampleReference:
    try:
        read = parse_body(PredictionItem, item)
    except MalformedRequest as error:
        raise MalformedRequest(f"{place}{error}") from error
    return SampleReference(id=read.id, file_name=read.file_name)


def _add_sample(new: NewPredictions, singletons: list[dict[str, Any]], place: str) -> None:
    by_task: dict[str, list[int]] = {}
    for number, singleton in enumerate(singletons):
        name: str = singleton["taskName"]
        use = new.tasks.setdefault(name, TaskUse(singleton["type"]))
        if singleton["type"] != use.type:
            raise MalformedRequest(
                f"{place}{number}.type (body): the task '{name[:80]}' cannot be both "
                f"{use.type} and {singleton['type']}."
            )
        n_keypoints = _count_keypoints(singleton, f"{place}{number}")
        use.uses.add((singleton["categoryId"], n_keypoints))
        by_task.setdefault(name, []).append(number)
    rows = {}
    for name, numbers in by_task.items():
        is_mixed = len(by_task) > 1
        rows[name] = pack_predictions(
            [singletons[number] for number in numbers], numbers if is_mixed else None
        )
        if rows[name].size_bytes > MAX_PREDICTIONS_BYTES:
            raise PayloadTooLarge(
                f"{place or '0.'}taskName (body): the predictions of the task '{name[:80]}' for "
                f"one sample may have at most {MAX_PREDICTIONS_BYTES} bytes of JSON."
            )
    new.rows.append(rows)


def _count_keypoints(singleton: dict[str, Any], place: str) -> int:
    numbers = singleton.get("keypoints")
    if numbers is None:
        return 0
    count, rest = divmod(len(numbers), _PER_KEYPOINT)
    if rest:
        raise MalformedRequest(
            f"{place}.keypoints (body): a keypoint is x, y and a score, so their number must be a "
            f"multiple of {_PER_KEYPOINT}; got {len(numbers)}."
        )
    return count


def check_use(task: PredictionTask, use: TaskUse) -> None:
    """Raise `MalformedRequest` unless predictions of a task fit its schema."""
    shown = task.name[:80]
    if use.type != task.type:
        raise MalformedRequest(
            f"type (body): the task '{shown}' is of type {task.type}, not {use.type}."
        )
    categories = {entry["id"]: entry for entry in orjson.loads(task.categories_json)}
    for category_id, n_keypoints in sorted(use.uses):
        if category_id not in categories:
            raise MalformedRequest(
                f"categoryId (body): {category_id} is no category of the task '{shown}'. Post its "
                "schema with that category first."
            )
        names = categories[category_id].get("keypointNames")
        if names is not None and n_keypoints != len(names):
            raise MalformedRequest(
                f"keypoints (body): category {category_id} of the task '{shown}' has "
                f"{len(names)} keypoints, got {n_keypoints}."
            )
