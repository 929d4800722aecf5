"""What the images of a run have near them: near-duplicates, and outliers."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightly.selection import find_near_duplicates, score_outliers, suggest_near_distance
from lightly.worker.report.distances import Vectors, choose_evenly
from lightly.worker.report.facts import SelectionFacts

#: Images that are compared with each other: half a second of one core at 128 dimensions.
MAX_COMPARED = 20_000
#: Numbers in their embeddings: comparing takes 3 bytes for each.
MAX_NUMBERS = 25_600_000
#: Groups, members of a group, and outliers that are named.
_MAX_LISTED = 20
_ROWS_AT_ONCE = 1_024
_OUTLIER_QUANTILES = (0.0, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)


def describe_neighborhoods(found: SelectionFacts) -> dict[str, Any]:
    """Return near-duplicates and outliers among the images of the input, with wire names.

    Of more than `MAX_COMPARED` images, or `MAX_NUMBERS` in their embeddings, evenly spaced ones are
    compared; the report says how many.
    """
    n_images, dim = found.embeddings.shape
    places = choose_evenly(n_images, min(MAX_COMPARED, max(2, MAX_NUMBERS // max(1, dim))))
    if len(places) < 2:
        return {}
    vectors = found.embeddings
    if len(places) < n_images:
        vectors = _set_aside(vectors, places)
    return {
        "nearDuplicates": _describe_groups(found, vectors, places),
        "outliers": _describe_outliers(found, vectors, places),
    }


def _set_aside(vectors: Vectors, places: NDArray[np.int64]) -> Vectors:
    """Return some vectors as a memory map, so that they take no memory of the process."""
    with tempfile.TemporaryFile() as file:
        rows = np.memmap(file, np.float32, "w+", shape=(len(places), vectors.shape[1]))
    for start in range(0, len(places), _ROWS_AT_ONCE):
        rows[start : start + _ROWS_AT_ONCE] = vectors[places[start : start + _ROWS_AT_ONCE]]
    return rows


def _describe_groups(
    found: SelectionFacts, vectors: Vectors, places: NDArray[np.int64]
) -> dict[str, Any]:
    distance = suggest_near_distance(vectors)
    groups = find_near_duplicates(vectors, distance)
    is_picked = np.isin(places, found.picks)
    picked_groups = np.unique(groups.leaders[is_picked])
    listed = [
        {
            "size": len(members),
            "nSelected": int(is_picked[members].sum()),
            "fileNames": _name(found.names, places[members[:_MAX_LISTED]]),
        }
        for members in groups.list_groups(_MAX_LISTED)
    ]
    return {
        "nCompared": len(places),
        "maxDistance": distance,
        "rule": "TRANSITIVE",
        "nGroups": groups.n_groups,
        "nGrouped": groups.n_grouped,
        "largest": groups.largest,
        "nGroupsSelected": int(np.count_nonzero(groups.sizes[picked_groups] > 1)),
        "groups": listed,
    }


def _describe_outliers(
    found: SelectionFacts, vectors: Vectors, places: NDArray[np.int64]
) -> dict[str, Any]:
    outliers = score_outliers(vectors)
    top = outliers.rank(_MAX_LISTED)
    is_picked = np.isin(places[top], found.picks)
    names = _name(found.names, places[top])
    return {
        "nCompared": len(places),
        "nNeighbors": outliers.n_neighbours,
        "quantiles": {
            f"{share:g}": float(value)
            for share, value in zip(
                _OUTLIER_QUANTILES,
                np.quantile(outliers.scores, _OUTLIER_QUANTILES),
                strict=True,
            )
        },
        "highest": [
            {"fileName": name, "score": float(outliers.scores[place]), "isSelected": bool(picked)}
            for name, place, picked in zip(names, top, is_picked, strict=True)
        ],
    }


def _name(names: Mapping[int, str], places: NDArray[np.int64]) -> list[str]:
    return [names[int(place)] for place in places]
