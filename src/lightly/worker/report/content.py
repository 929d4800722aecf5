"""The report as the contract's `ReportV2`, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightly.openapi_generated.swagger_client.models.report_v2 import ReportV2
from lightly.worker.report.distances import Vectors, choose_evenly, find_nearest
from lightly.worker.report.distributions import describe_categories, describe_numbers
from lightly.worker.report.facts import LIGHTLY_FIELDS, RunFacts, SelectionFacts
from lightly.worker.report.maps import draw_maps
from lightly.worker.runs.excluded import InputCounts

#: Names of the sets that there are with a datapool only.
_DATAPOOL, _TOGETHER = "preselectedDatapool", "selectedWithDatapool"
#: Nobody here knows what labels cost or what they emit, so nothing is claimed.
_NO_SAVINGS = {"costSavings": 0.0, "co2Savings": 0.0}


def make_report(
    run: RunFacts, found: SelectionFacts, tasks: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the report with wire names, checked against the contract's model.

    Args:
        run: The run.
        found: What it selected.
        tasks: The contract's `PredictionTaskInformation` of each task.
    """
    content = {
        "generalInformation": _describe_run(run, found),
        "datasetAnalysis": {
            "embeddingInformation": describe_embeddings(found),
            "metadataInformation": _describe_metadata(found),
        },
        "predictionTaskInformation": dict(tasks or {}),
    }
    return dict(ReportV2.from_dict(content).to_dict(by_alias=True))


def _describe_run(run: RunFacts, found: SelectionFacts) -> dict[str, Any]:
    n_picks, n_earlier = len(found.picks), len(found.datapool)
    sizes = {"datasetSizes": _list_sizes(run.counts, n_picks, n_earlier, n_picks + n_earlier)}
    if run.videos is not None:
        videos = run.videos
        sizes["videoLevelSizes"] = _list_sizes(
            videos.counts, videos.n_selected, videos.n_datapool, videos.n_together
        )
    return {
        "workerInformation": {
            "buildTime": datetime.fromtimestamp(run.ended_s, UTC).strftime("%Y-%m-%d"),
            "buildVersion": run.engine_version,
        },
        "runInformation": {
            "startTimestamp": run.started_s,
            "endTimestamp": run.ended_s,
            "totalProcessingTimeS": max(0.0, run.ended_s - run.started_s),
            "runId": run.run_id,
            "runUrl": run.run_url,
        },
        "datasetInformation": {
            **sizes,
            "datasetId": run.dataset_id,
            "datasetUrl": run.dataset_url,
            "datasetName": run.dataset_name,
        },
        "annotationSavings": {
            "imageClassification": _NO_SAVINGS,
            "objectDetection": _NO_SAVINGS,
            "semanticSegmentation": _NO_SAVINGS,
        },
        "selectedAndRemovedImageExamples": [
            {
                "selectedImage": found.names[selected],
                "removedImage": found.names[removed],
                "distance": distance,
            }
            for selected, removed, distance in find_pairs(found)
        ],
    }


def _list_sizes(
    counts: InputCounts, n_selected: int, n_earlier: int, n_together: int
) -> dict[str, int]:
    """Return the contract's `DatasetSizes`."""
    return {
        "nInput": counts.n_listed,
        "nCorrupt": counts.n_corrupt,
        "nDuplicate": counts.n_duplicate,
        "nRemoved": counts.n_processed - n_selected,
        "nSelected": n_selected,
        "nPreselectedDatapool": n_earlier,
        "nSelectedWithDatapool": n_together,
    }


def find_pairs(found: SelectionFacts) -> list[tuple[int, int, float]]:
    """Return picks spread over the selection, each with its nearest image that was left out."""
    removed = np.setdiff1d(np.arange(len(found.embeddings)), found.picks)
    chosen = found.picks[choose_evenly(len(found.picks), found.n_pairs)]
    among = removed[choose_evenly(len(removed), 100_000)]
    nearest, distances = find_nearest(found.embeddings[chosen], found.embeddings, among=among)
    return [
        (int(pick), int(place), float(distance))
        for pick, place, distance in zip(chosen, nearest, distances, strict=True)
        if place >= 0
    ]


def iterate_sets(found: SelectionFacts) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Yield name and positions of the sets of candidates that a report compares."""
    yield "input", np.arange(len(found.embeddings))
    yield "selected", found.picks
    yield "random", found.random


def describe_embeddings(found: SelectionFacts) -> dict[str, Any]:
    """Return the contract's `EmbeddingInformation`."""
    sets: dict[str, Vectors] = {
        # All of them are read from where they lie: a copy would take the most memory of a run.
        name: found.embeddings if name == "input" else found.embeddings[places]
        for name, places in iterate_sets(found)
    }
    if len(found.datapool):
        sets[_DATAPOOL] = found.datapool
        sets[_TOGETHER] = np.concatenate([found.datapool, sets["selected"]])
    measured = found.embeddings[choose_evenly(len(found.embeddings))]
    covers = {
        name: find_nearest(measured, others)[1] for name, others in sets.items() if name != "input"
    }
    return {
        "distanceToNearestNeighborInSet": describe_numbers(
            {name: _measure_spacing(vectors) for name, vectors in sets.items()}
        ),
        "distanceToCoverInput": describe_numbers(covers),
        "scatterPlotData": draw_maps(found),
    }


def _measure_spacing(vectors: Vectors) -> NDArray[np.float64]:
    places = choose_evenly(len(vectors))
    return find_nearest(vectors[places], vectors, own=places)[1]


def _describe_metadata(found: SelectionFacts) -> dict[str, Any]:
    own = set(LIGHTLY_FIELDS)
    described = {
        name: describe_numbers(_split_numbers(found, name, values))
        for name, values in found.numbers.items()
    }
    return {
        "lightlyNumeric": {name: one for name, one in described.items() if name in own},
        "customNumeric": {name: one for name, one in described.items() if name not in own},
        "customCategorical": {
            name: describe_categories(_split_categories(found, name, values))
            for name, values in found.categories.items()
        },
    }


def _split_numbers(
    found: SelectionFacts, name: str, values: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Return the values of each set of images."""
    sets = {kind: values[places] for kind, places in iterate_sets(found)}
    earlier = found.of_datapool.numbers.get(name)
    if earlier is not None and len(earlier):
        sets[_DATAPOOL] = earlier
        sets[_TOGETHER] = np.concatenate([earlier, sets["selected"]])
    return sets


def _split_categories(
    found: SelectionFacts, name: str, values: Sequence[str | None]
) -> dict[str, list[str | None]]:
    sets = {kind: [values[place] for place in places] for kind, places in iterate_sets(found)}
    earlier = found.of_datapool.categories.get(name)
    if earlier:
        sets[_DATAPOOL] = list(earlier)
        sets[_TOGETHER] = [*earlier, *sets["selected"]]
    return sets
