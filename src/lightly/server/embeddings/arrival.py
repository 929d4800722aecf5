"""The moment a CSV is there: it is read at once, once per version of its bytes."""

from __future__ import annotations

import sqlalchemy as sa

from lightly._kit.clock import Clock
from lightly.server.db.engine import Database
from lightly.server.embeddings import repository
from lightly.server.embeddings.models import Embedding, make_csv_key, parse_csv_key
from lightly.server.errors import EmbeddingInvalid, EmbeddingNotReady
from lightly.server.jobs.models import JobKind, NewJob
from lightly.server.jobs.outbox import add_job
from lightly.server.storage.blobs import BlobStore


def note_csv(database: Database, blobs: BlobStore, clock: Clock, key: str) -> bool:
    """Ask for the CSV under `key` to be read; tell whether there is such work.

    Called for every upload, so what is no CSV costs nothing.
    """
    ids = parse_csv_key(key)
    if ids is None:
        return False
    dataset_id, embedding_id = ids
    with database.write() as connection:
        dataset = repository.find_dataset_facts(connection, dataset_id)
        if dataset is None:
            return False
        embedding = repository.find_embedding(connection, dataset.key, embedding_id)
        if embedding is None:
            return False
        try:
            reading = require_reading(
                connection, blobs, embedding, dataset_id, dataset.user_id, clock.now_ms()
            )
        except (EmbeddingNotReady, EmbeddingInvalid):
            return False
        return reading is not None


def require_reading(
    connection: sa.Connection,
    blobs: BlobStore,
    embedding: Embedding,
    dataset_id: str,
    user_id: str,
    now_ms: int,
) -> str | None:
    """Make sure that the newest CSV of an embedding is read.

    This is also how CSVs are found that went to an object store which tells nobody.

    Args:
        connection: An open write transaction.
        blobs: Where the CSV is.
        embedding: The embedding.
        dataset_id: Its dataset.
        user_id: Who needs it.
        now_ms: The time.

    Returns:
        The job that other work has to wait for; None when the vectors are there.

    Raises:
        EmbeddingNotReady: If there is no CSV yet.
        EmbeddingInvalid: If the CSV was read and breaks a rule.
    """
    info = blobs.head(make_csv_key(dataset_id, embedding.id))
    if info is None:
        raise EmbeddingNotReady
    if embedding.source_etag == info.etag:
        if embedding.is_ready:
            return None
        raise EmbeddingInvalid(embedding.error)
    reading = NewJob(
        kind=JobKind.EMBEDDING,
        user_id=user_id,
        dataset_id=dataset_id,
        input={"embedding_id": embedding.id},
        dedupe_key=f"read:{embedding.id}:{info.etag}",
    )
    return add_job(connection, reading, now_ms)
