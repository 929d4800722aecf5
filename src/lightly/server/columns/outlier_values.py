"""Outlier scores as values to filter, sort and colour by, under `lightly.outliers`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lightly.server.db.engine import Database
from lightly.server.neighborhoods.models import NeighborhoodKind
from lightly.server.neighborhoods.repository import find_neighborhood, list_neighborhoods

KEY = "lightly.outliers"

FloatArray = NDArray[np.float64]


def find_outlier_values(
    database: Database, dataset_key: int, n_samples: int
) -> dict[str, Callable[[], FloatArray]]:
    """Return what reads the newest outlier scores of a dataset, by key; empty without any."""
    with database.read() as connection:
        found = list_neighborhoods(connection, dataset_key)
    newest = next((one.id for one in found if one.kind == NeighborhoodKind.OUTLIERS), None)
    if newest is None:
        return {}
    return {KEY: partial(_read, database, dataset_key, newest, n_samples)}


def _read(database: Database, dataset_key: int, neighborhood_id: str, n_samples: int) -> FloatArray:
    """Return a number per sample: those added since, and those of a version gone, have none."""
    values = np.full(n_samples, np.nan)
    with database.read() as connection:
        found = find_neighborhood(connection, dataset_key, neighborhood_id)
    if found is not None:
        scores = found.read_values()[:n_samples]
        values[: len(scores)] = scores
    return values
