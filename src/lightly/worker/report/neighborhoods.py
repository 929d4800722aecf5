"""What the images of a run have near them: near-duplicates, and outliers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from lightly.selection import find_near_duplicates, score_outliers
from lightly.worker.report.distances import Vectors, choose_evenly
from lightly.worker.report.facts import SelectionFacts

#: Near-duplicates are within this share of the root mean square distance to the mean. Of images in
#: bursts three quarters have another one within 0.23 of it, of single images one in twenty 0.37.
NEAR_SHARE = 0.2
#: Images that are compared with each other: some ten seconds of one core at 128 dimensions.
MAX_COMPARED = 100_000
#: Groups, members of a group, and outliers that are named.
_MAX_LISTED = 20
_OUTLIER_QUANTILES = (0.0, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)


def describe_neighborhoods(found: SelectionFacts) -> dict[str, Any]:
    """Return near-duplicates and outliers among the images of the input, with wire names.

    Of more than `MAX_COMPARED` images evenly spaced ones are compared; the report says how many.
    """
    places = choose_evenly(len(found.embeddings), MAX_COMPARED)
    if len(places) < 2:
        return {}
    vectors = found.embeddings
    if len(places) < len(vectors):
        vectors = vectors[places]
    return {
        "nearDuplicates": _describe_groups(found, vectors, places),
        "outliers": _describe_outliers(found, vectors, places),
    }


def measure_spread(vectors: Vectors) -> float:
    """Return the root mean square distance to the mean, over evenly spaced images."""
    rows = vectors[choose_evenly(len(vectors))].astype(np.float64)
    return math.sqrt(float(np.square(rows - rows.mean(axis=0)).sum(axis=1).mean()))


def _describe_groups(
    found: SelectionFacts, vectors: Vectors, places: np.ndarray[Any, np.dtype[np.int64]]
) -> dict[str, Any]:
    distance = NEAR_SHARE * measure_spread(vectors)
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
    found: SelectionFacts, vectors: Vectors, places: np.ndarray[Any, np.dtype[np.int64]]
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


def _name(names: Mapping[int, str], places: np.ndarray[Any, np.dtype[np.int64]]) -> list[str]:
    return [names[int(place)] for place in places]
