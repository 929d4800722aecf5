"""Prediction schemas and predictions of all five task types."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

TASK_TYPES = (
    "CLASSIFICATION",
    "OBJECT_DETECTION",
    "SEMANTIC_SEGMENTATION",
    "INSTANCE_SEGMENTATION",
    "KEYPOINT_DETECTION",
)
CATEGORY_IDS = (0, 3, 2**40)

_SHARES = st.one_of(st.floats(0, 1), st.sampled_from([0, 1]))
_LENGTHS = st.one_of(st.floats(0, 1e300), st.integers(0, 2**53))
_BOXES = st.lists(_LENGTHS, min_size=4, max_size=4)
_RUN_LENGTHS = st.lists(st.integers(0, 2**32), max_size=6)
_IDS = st.text("0123456789abcdef", min_size=24, max_size=24)

_REQUIRED: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "CLASSIFICATION": {},
    "OBJECT_DETECTION": {"bbox": _BOXES},
    "SEMANTIC_SEGMENTATION": {"segmentation": _RUN_LENGTHS},
    "INSTANCE_SEGMENTATION": {"segmentation": _RUN_LENGTHS, "bbox": _BOXES},
    "KEYPOINT_DETECTION": {"keypoints": st.lists(_LENGTHS, min_size=6, max_size=6)},
}
_OPTIONAL: dict[str, st.SearchStrategy[Any]] = {
    "probabilities": st.lists(_SHARES, max_size=3),
    "cropDatasetId": _IDS,
    "cropSampleId": _IDS,
}


def make_schema(name: str, task_type: str) -> dict[str, Any]:
    """Return a schema with the categories `CATEGORY_IDS`; keypoint categories have 2 keypoints."""
    categories: list[dict[str, Any]] = [{"id": id_, "name": f"c{id_}"} for id_ in CATEGORY_IDS]
    if task_type == "KEYPOINT_DETECTION":
        for category in categories:
            category |= {"keypointNames": ["head", "tail"], "keypointSkeleton": [[0, 1]]}
    return {"name": name, "type": task_type, "categories": categories}


def make_prediction(name: str, task_type: str, **more: Any) -> dict[str, Any]:
    """Return a prediction with all fields that its type requires."""
    fields: dict[str, Any] = {
        "bbox": [1, 2.5, 3, 4],
        "segmentation": [5, 3, 2],
        "keypoints": [1, 2, 0.5, 3, 4, 1],
    }
    prediction = {"type": task_type, "taskName": name, "categoryId": 3, "score": 0.5}
    return prediction | {field: fields[field] for field in _REQUIRED[task_type]} | more


def predictions_of(name: str, task_type: str) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for predictions of a task with the schema of `make_schema`."""
    optional = dict(_OPTIONAL)
    if task_type == "KEYPOINT_DETECTION":
        optional["bbox"] = _BOXES
    required = {
        "type": st.just(task_type),
        "taskName": st.just(name),
        "categoryId": st.sampled_from(CATEGORY_IDS),
        "score": _SHARES,
    }
    return st.fixed_dictionaries(required | _REQUIRED[task_type], optional=optional)
