"""The one way to an embedding: through a dataset that was loaded for the caller."""

from __future__ import annotations

import sqlalchemy as sa

from lightly.server.datasets.models import Dataset
from lightly.server.embeddings import repository
from lightly.server.embeddings.models import Embedding
from lightly.server.errors import EmbeddingUnknown


def load_embedding(connection: sa.Connection, dataset: Dataset, embedding_id: str) -> Embedding:
    """Return an embedding of a dataset that was loaded for the caller.

    Raises:
        EmbeddingUnknown: If the dataset has no such embedding, wherever else there is one.
    """
    embedding = repository.find_embedding(connection, dataset.key, embedding_id)
    if embedding is None:
        raise EmbeddingUnknown
    return embedding
