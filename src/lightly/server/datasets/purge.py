"""Removing for good what was deleted a while ago."""

from __future__ import annotations

import sqlalchemy as sa

from lightly.server.datasets.deleted import PURGING
from lightly.server.db import datasource_tables, prediction_tables, tables, web_tables
from lightly.server.db.engine import Database
from lightly.server.db.team_tables import dataset_shares
from lightly.server.runs.repository import delete_belongings
from lightly.server.storage.blobs import BlobStore, make_dataset_prefix

#: Samples per transaction, so that other writers never wait long.
_CHUNK_SAMPLES = 20_000
_BY_SAMPLE = (tables.samples, tables.sample_contents, prediction_tables.sample_predictions)
_BY_DATASET = (
    tables.tags,
    tables.embeddings,
    tables.metadata_configurations,
    dataset_shares,
    prediction_tables.prediction_scores,
    prediction_tables.prediction_tasks,
    prediction_tables.tag_blocks,
    datasource_tables.datasources,
    datasource_tables.datasource_clocks,
    datasource_tables.datasource_files,
    web_tables.favourite_datasets,
    web_tables.sample_changes,
    web_tables.saved_views,
)


def purge_deleted_datasets(database: Database, blobs: BlobStore, deleted_before_ms: int) -> int:
    """Remove rows and blobs of datasets that were deleted before a moment.

    The dataset's own row goes last, so that a purge which was cut off is taken up again.

    Returns:
        How many datasets were removed.
    """
    with database.read() as connection:
        deleted = connection.execute(
            sa.select(tables.datasets.c.key, tables.datasets.c.id, tables.datasets.c.n_samples)
            .where(tables.datasets.c.deleted_at_ms < deleted_before_ms)
            .order_by(tables.datasets.c.key)
        ).all()
    count = 0
    for key, dataset_id, n_samples in deleted:
        if not _claim(database, key, deleted_before_ms):
            continue
        blobs.delete_below(make_dataset_prefix(dataset_id))
        for start in range(0, n_samples, _CHUNK_SAMPLES):
            _delete_samples(database, key, start, start + _CHUNK_SAMPLES)
        _delete_dataset(database, key, dataset_id)
        count += 1
    return count


def _claim(database: Database, dataset_key: int, deleted_before_ms: int) -> bool:
    """Close the way back; tell whether the operator has not brought the dataset back just now."""
    with database.write() as connection:
        claimed = connection.execute(
            sa.update(tables.datasets)
            .where(
                tables.datasets.c.key == dataset_key,
                tables.datasets.c.deleted_at_ms < deleted_before_ms,
            )
            .values(deleted_at_ms=PURGING)
        )
    return claimed.rowcount > 0


def _delete_samples(database: Database, dataset_key: int, start: int, stop: int) -> None:
    with database.write() as connection:
        for table in _BY_SAMPLE:
            connection.execute(
                sa.delete(table).where(
                    table.c.dataset_key == dataset_key, table.c.idx >= start, table.c.idx < stop
                )
            )


def _delete_dataset(database: Database, dataset_key: int, dataset_id: str) -> None:
    with database.write() as connection:
        for table in _BY_DATASET:
            connection.execute(sa.delete(table).where(table.c.dataset_key == dataset_key))
        delete_belongings(connection, dataset_id)
        connection.execute(sa.delete(tables.jobs).where(tables.jobs.c.dataset_id == dataset_id))
        connection.execute(sa.delete(tables.datasets).where(tables.datasets.c.key == dataset_key))
