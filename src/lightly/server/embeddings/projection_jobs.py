"""Asking for 2-D embeddings."""

from __future__ import annotations

import sqlalchemy as sa

from lightly.server.jobs.models import JobKind, NewJob
from lightly.server.jobs.outbox import add_job


def add_projection_job(
    connection: sa.Connection,
    *,
    user_id: str,
    dataset_id: str,
    embedding_id: str,
    etag: str,
    method: str,
    after_job_id: str | None,
    now_ms: int,
) -> str:
    """Ask for one projection of one version of an embedding; asking again changes nothing.

    Args:
        connection: An open write transaction.
        user_id: Who asks.
        dataset_id: The dataset.
        embedding_id: The embedding.
        etag: The version of its CSV.
        method: `PCA`, `TSNE` or `UMAP`.
        after_job_id: The job that reads that version, if it is still under way.
        now_ms: The time.

    Returns:
        The id of the job.
    """
    projection = NewJob(
        kind=JobKind.EMBEDDINGS2D,
        user_id=user_id,
        dataset_id=dataset_id,
        input={"embedding_id": embedding_id, "method": method},
        dedupe_key=f"project:{embedding_id}:{method}:{etag}",
        after_job_id=after_job_id,
    )
    return add_job(connection, projection, now_ms)
