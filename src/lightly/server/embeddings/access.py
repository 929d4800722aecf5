"""The one way to an embedding: through a dataset that was loaded for the caller."""

from __future__ import annotations

import sqlalchemy as sa

from lightly.server.datasets.models import Dataset
from lightly.server.embeddings import repository
from lightly.server.embeddings.models import Embedding
from lightly.server.errors import EmbeddingNotReady, EmbeddingUnknown


def load_embedding(connection: sa.Connection, dataset: Dataset, embedding_id: str) -> Embedding:
    """Return an embedding of a dataset that was loaded for the caller.

    Raises:
        EmbeddingUnknown: If the dataset has no such embedding, wherever else there is one.
    """
    embedding = repository.find_embedding(connection, dataset.key, embedding_id)
    if embedding is None:
        raise EmbeddingUnknown
    return embedding


def find_newest(connection: sa.Connection, dataset: Dataset) -> Embedding | None:
    """Return the newest embedding that was read, else the newest, else None."""
    listed = repository.list_embeddings(connection, dataset.key, newest_first=True)
    found = [embedding for embedding, _ in listed]
    ready = next((embedding for embedding in found if embedding.is_ready), None)
    return ready or next(iter(found), None)


def choose_embedding(
    connection: sa.Connection, dataset: Dataset, embedding_id: str | None
) -> Embedding:
    """Return the embedding that is named, else the newest as `find_newest` does.

    Raises:
        EmbeddingUnknown: If the dataset has none of this id.
        EmbeddingNotReady: If the dataset has none at all.
    """
    if embedding_id is not None:
        return load_embedding(connection, dataset, embedding_id)
    newest = find_newest(connection, dataset)
    if newest is None:
        raise EmbeddingNotReady(
            "This needs an embedding, and the dataset has none. Upload one first."
        )
    return newest
