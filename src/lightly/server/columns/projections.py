"""Coordinates of 2-D embeddings, one pair per sample of the dataset."""

from __future__ import annotations

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from lightly.server.datasets.models import Dataset
from lightly.server.embeddings.access import load_embedding
from lightly.server.embeddings.coordinates import unpack_coordinates
from lightly.server.embeddings.repository import find_projection
from lightly.server.errors import Embedding2dUnknown


def read_coordinates(
    connection: sa.Connection,
    dataset: Dataset,
    embedding_id: str,
    embedding2d_id: str,
    n_samples: int,
) -> NDArray[np.float32]:
    """Return x and y of all samples, shape `[2, n_samples]`; NaN for those added since.

    Raises:
        EmbeddingUnknown: If the dataset has no such embedding.
        Embedding2dUnknown: If that one has no such projection.
    """
    embedding = load_embedding(connection, dataset, embedding_id)
    projection = find_projection(connection, embedding.id, embedding2d_id, with_coordinates=True)
    if projection is None or projection.coordinates is None:
        raise Embedding2dUnknown
    found = unpack_coordinates(projection.coordinates)
    coordinates = np.full((2, n_samples), np.nan, dtype=np.float32)
    count = min(n_samples, found.shape[1])
    coordinates[:, :count] = found[:, :count]
    return coordinates
