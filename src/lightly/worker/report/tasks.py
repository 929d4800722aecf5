"""The part of the report on prediction tasks, as the contract's `PredictionTaskInformation`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightly.data.datasource_files.prediction_tasks import WIRE_TYPES
from lightly.worker.report.distributions import describe_counts, describe_numbers
from lightly.worker.report.task_facts import TaskFacts

#: Classes whose counts per image a report lists: the most frequent ones of the input.
MAX_CLASSES = 30
#: Counts per image that have a bin of their own.
_MAX_BINS = 50
_KEYS = ("category_id", "bbox", "score", "probabilities")
_WIRE_NAMES = {"category_id": "categoryId"}


def describe_task(
    facts: TaskFacts, n_samples: int, crop_embeddings: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return one task with wire names.

    Args:
        facts: Of the task.
        n_samples: How many samples the run knows, earlier ones included.
        crop_embeddings: The contract's `EmbeddingInformation` of the objects; None if the run has
            not embedded them.
    """
    chosen = {kind: facts.choose(places, n_samples) for kind, places in facts.sets.items()}
    found: dict[str, Any] = {
        "taskType": WIRE_TYPES[facts.task_type],
        "categoryIdToName": {str(id_): name for id_, name in facts.categories.items()},
        "activeLearningScoreDistributions": {
            score: describe_numbers({kind: values[places] for kind, places in facts.sets.items()})
            for score, values in facts.scores.items()
        },
        "categoryDistribution": describe_counts(_count_predictions(facts, chosen)),
        "categoryToCountsPerSample": _describe_counts_per_sample(facts, n_samples),
        "predictionScoreDistribution": describe_numbers(
            {kind: facts.confidences[rows] for kind, rows in chosen.items()}
        ),
        "categoryToImageWithCategoryCount": describe_counts(_count_images(facts, chosen)),
    }
    if facts.has_boxes:
        information: dict[str, Any] = {"bboxExamples": _write_examples(facts)}
        if crop_embeddings is not None:
            information["cropEmbeddingInformation"] = crop_embeddings
        found["detectionTaskInformation"] = information
    return found


def _count_predictions(
    facts: TaskFacts, chosen: Mapping[str, NDArray[np.bool_]]
) -> dict[str, dict[str, int]]:
    """Return the number of predictions of each class, by set."""
    return {kind: _count_ids(facts, facts.category_ids[rows]) for kind, rows in chosen.items()}


def _count_images(
    facts: TaskFacts, chosen: Mapping[str, NDArray[np.bool_]]
) -> dict[str, dict[str, int]]:
    """Return the number of images with at least one prediction of each class, by set."""
    pairs = np.stack([facts.samples.astype(np.int64), facts.category_ids], axis=1)
    return {
        kind: _count_ids(facts, np.unique(pairs[rows], axis=0)[:, 1])
        for kind, rows in chosen.items()
    }


def _count_ids(facts: TaskFacts, ids: NDArray[np.int64]) -> dict[str, int]:
    found, counts = np.unique(ids, return_counts=True)
    return {
        facts.categories.get(int(id_), str(id_)): int(count)
        for id_, count in zip(found, counts, strict=True)
    }


def _describe_counts_per_sample(facts: TaskFacts, n_samples: int) -> dict[str, Any]:
    described = {}
    for category_id in list_frequent(facts):
        rows = facts.samples[facts.category_ids == category_id]
        counts = np.bincount(rows, minlength=n_samples)
        n_bins = int(min(_MAX_BINS, counts.max(initial=0) + 1))
        values = {kind: counts[places] for kind, places in facts.sets.items()}
        described[facts.categories[category_id]] = describe_numbers(values, n_bins=n_bins)
    return described


def list_frequent(facts: TaskFacts) -> list[int]:
    """Return the ids of the most frequent known classes, the most frequent first."""
    found, counts = np.unique(facts.category_ids, return_counts=True)
    order = found[np.argsort(-counts, kind="stable")]
    return [int(id_) for id_ in order if int(id_) in facts.categories][:MAX_CLASSES]


def _write_examples(facts: TaskFacts) -> list[dict[str, Any]]:
    return [
        {
            "filename": name,
            "predictions": [
                # Nobody has blurred these boxes.
                {
                    "epsilon": 0.0,
                    **{_WIRE_NAMES.get(key, key): one[key] for key in _KEYS if key in one},
                }
                for one in predictions
                if one.get("bbox") is not None
            ],
        }
        for name, predictions in facts.examples
    ]
