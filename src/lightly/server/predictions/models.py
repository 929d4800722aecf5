"""Predictions as the server works with them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class PredictionTask:
    """One row of the prediction tasks table.

    Attributes:
        key: Stands for the task in rows that come by the million.
        id: 24 hex digits.
        dataset_key: The dataset it belongs to.
        name: Unique in its dataset; has no characters that JSON escapes.
        type: One of the contract's `TaskType`.
        categories_json: The contract's categories of a task schema.
        version_ms: The `predictionUUIDTimestamp` that the schema came with, else when it came.
        has_predictions: Whether any sample has, or had, predictions of it.
    """

    key: int
    id: str
    dataset_key: int
    name: str
    type: str
    categories_json: str
    version_ms: int
    has_predictions: bool


@dataclass(frozen=True, slots=True)
class PackedPredictions:
    """The predictions of one task for one sample, as they are stored; see `packing`.

    Attributes:
        size_bytes: Of the JSON text, before it was packed.
        positions_json: Where in the list that was sent each of them stood; None when the list had
            only this task.
        singletons: All but the run lengths.
        segmentations: The run lengths, None for tasks that have none.
    """

    size_bytes: int
    positions_json: str | None
    singletons: bytes = field(repr=False)
    segmentations: bytes | None = field(repr=False)


@dataclass(frozen=True)
class PredictionScore:
    """One row of the prediction scores table, without the values.

    Attributes:
        id: 24 hex digits.
        task_name: The task whose predictions are scored.
        score_type: What is scored; unique per task.
        version_ms: The `predictionUUIDTimestamp` that it came with, else when it came.
        created_at_ms: When scores of this type were first stored.
    """

    id: str
    task_name: str
    score_type: str
    version_ms: int
    created_at_ms: int
