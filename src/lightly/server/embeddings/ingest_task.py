"""The task that reads an embeddings CSV into vectors."""

from __future__ import annotations

from functools import partial

import sqlalchemy as sa

from lightly.server.embeddings import repository
from lightly.server.embeddings.csv_file import CsvInvalid, iterate_batches, read_header
from lightly.server.embeddings.matching import SampleMatcher
from lightly.server.embeddings.models import (
    Embedding,
    make_csv_key,
    make_projection_name,
    make_vectors_key,
)
from lightly.server.embeddings.projection_jobs import add_projection_job
from lightly.server.embeddings.task_inputs import require_dataset, require_embedding
from lightly.server.embeddings.vectors import open_vector_writer
from lightly.server.jobs.crash_points import reach
from lightly.server.jobs.models import JobKind
from lightly.server.jobs.task import Task, TaskFailed
from lightly.server.samples.changes import note_scores
from lightly.server.storage.blobs import make_embedding_prefix


def run(task: Task) -> None:
    """Read the newest CSV of an embedding; its rows become vectors in sample order."""
    embedding_id = task.input["embedding_id"]
    csv_key = make_csv_key(task.dataset_id, embedding_id)
    with task.database.read() as connection:
        n_samples = require_dataset(connection, task).n_samples
        embedding = require_embedding(connection, task)
    if n_samples == 0:
        raise TaskFailed("The dataset has no samples yet. Register them, then upload the CSV.")
    info = task.blobs.head(csv_key)
    if info is None:
        raise TaskFailed("The CSV of the embedding is gone. Upload it again.")
    if embedding.is_ready and embedding.source_etag == info.etag:
        with task.conclude() as conclusion:
            conclusion.result = _make_result(embedding_id)
        return
    try:
        dimension = _write_vectors(task, embedding, info.etag, n_samples)
    except CsvInvalid as error:
        with task.fail(str(error)) as conclusion:
            repository.mark_failed(
                conclusion.connection, embedding_id, etag=info.etag, error=str(error)
            )
            _note_replaced(conclusion.connection, embedding, info.etag)
        return
    reach("ingest.before_commit")
    _publish(task, embedding, info.etag, n_samples, dimension)


def _write_vectors(task: Task, embedding: Embedding, etag: str, n_samples: int) -> int:
    """Write the vectors of one version of the CSV; return their dimension."""
    open_csv = partial(task.blobs.open, make_csv_key(task.dataset_id, embedding.id))
    header = read_header(open_csv)
    matcher = SampleMatcher(task.database, embedding.dataset_key, n_samples)
    key = make_vectors_key(task.dataset_id, embedding.id, etag)
    with open_vector_writer(task.blobs, key, n_samples, header.dimension) as writer:
        for batch in iterate_batches(open_csv, header):
            writer.write(matcher.match(batch.names, batch.first_row), batch.vectors)
            reach("ingest.block_written")
        matcher.check_complete()
    return header.dimension


def _publish(task: Task, embedding: Embedding, etag: str, n_samples: int, dimension: int) -> None:
    """Switch to the new vectors and ask for their quick projection, all in one transaction."""
    with task.conclude() as conclusion:
        is_there = repository.mark_ready(
            conclusion.connection, embedding.id, etag=etag, n_rows=n_samples, dimension=dimension
        )
        if not is_there:
            task.blobs.delete(make_vectors_key(task.dataset_id, embedding.id, etag))
            raise TaskFailed("The embedding was deleted.")
        # Those of an older CSV show what is no longer there.
        repository.delete_projections(
            conclusion.connection, embedding.id, make_projection_name(embedding.name)
        )
        add_projection_job(
            conclusion.connection,
            user_id=task.user_id,
            dataset_id=task.dataset_id,
            embedding_id=embedding.id,
            etag=etag,
            method="PCA",
            after_job_id=None,
            now_ms=conclusion.now_ms,
        )
        _note_replaced(conclusion.connection, embedding, etag)
        conclusion.result = _make_result(embedding.id)
    reach("ingest.after_commit")
    _remove_older(task, embedding.id, etag)


def _note_replaced(connection: sa.Connection, embedding: Embedding, etag: str) -> None:
    """Outliers among earlier vectors are a column of the dataset, and gone now."""
    if embedding.source_etag not in {None, etag}:
        note_scores(connection, embedding.dataset_key)


def _make_result(embedding_id: str) -> dict[str, str]:
    return {"type": JobKind.EMBEDDING.value, "data": embedding_id}


def _remove_older(task: Task, embedding_id: str, etag: str) -> None:
    """Remove the vectors of earlier versions; whoever reads them now keeps them open."""
    keep = make_vectors_key(task.dataset_id, embedding_id, etag)
    for key in task.blobs.list_keys(make_embedding_prefix(task.dataset_id, embedding_id)):
        if key.endswith(".npy") and key != keep:
            task.blobs.delete(key)
