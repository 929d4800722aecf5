"""What tasks begin with: is everything that they were asked to work on still there?"""

from __future__ import annotations

import sqlalchemy as sa

from lightly.server.embeddings import repository
from lightly.server.embeddings.models import DatasetFacts, Embedding, make_vectors_key
from lightly.server.embeddings.vectors import Float32Array, open_vectors
from lightly.server.jobs.task import Task, TaskFailed
from lightly.server.selections.material import Material


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


def find_vectors(task: Task) -> Float32Array | None:
    """Return the vectors of the embedding of a task if there are any; it may ask for none."""
    if task.input["embedding_id"] is None:
        return None
    try:
        return open_ready_vectors(task)[1]
    except TaskFailed:
        return None


def require_vectors(task: Task, material: Material) -> Float32Array:
    """Return a vector of every sample of a selection, as a memory map.

    Raises:
        TaskFailed: If the embedding was deleted, is not ready, or covers fewer samples.
    """
    embedding, vectors = open_ready_vectors(task)
    if len(material.candidates) and material.candidates[-1] >= len(vectors):
        raise TaskFailed(
            f"The embedding '{embedding.name[:80]}' covers the first {len(vectors)} samples, but "
            f"the query tag has later ones. Upload embeddings of all {material.n_samples} samples."
        )
    # Samples that were added after the tags were sized are none of this selection's.
    return vectors[: material.n_samples]
