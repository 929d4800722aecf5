"""What tasks begin with: is everything that they were asked to work on still there?"""

from __future__ import annotations

import sqlalchemy as sa

from lightly.server.embeddings import repository
from lightly.server.embeddings.models import DatasetFacts, Embedding, make_vectors_key
from lightly.server.embeddings.vectors import Float32Array, open_vectors
from lightly.server.jobs.task import Task, TaskFailed


def require_dataset(connection: sa.Connection, task: Task) -> DatasetFacts:
    """Return facts of the dataset of a task. Raises `TaskFailed` when it was deleted."""
    dataset = repository.find_dataset_facts(connection, task.dataset_id)
    if dataset is None:
        raise TaskFailed("The dataset was deleted.")
    return dataset


def require_embedding(connection: sa.Connection, task: Task) -> Embedding:
    """Return the embedding of a task. Raises `TaskFailed` when it was deleted."""
    dataset = require_dataset(connection, task)
    embedding = repository.find_embedding(connection, dataset.key, task.input["embedding_id"])
    if embedding is None:
        raise TaskFailed("The embedding was deleted.")
    return embedding


def open_ready_vectors(task: Task) -> tuple[Embedding, Float32Array]:
    """Return the embedding of a task and its vectors as a memory map.

    Raises:
        TaskFailed: If it was deleted or has no vectors.
    """
    with task.database.read() as connection:
        embedding = require_embedding(connection, task)
    if not embedding.is_ready:
        raise TaskFailed(embedding.error or "The embedding has no vectors yet.")
    key = make_vectors_key(task.dataset_id, embedding.id, str(embedding.source_etag))
    return embedding, open_vectors(task.blobs, key)
