"""Which samples of a dataset changed: what is derived from them is made again, block by block."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from lightly.server.db.web_tables import sample_changes

#: Neighbouring samples that are derived from together: half a second of work at most.
BLOCK_SAMPLES = 65_536

#: Stands for what lies in no block: scores, which come for all samples at once.
BEYOND_BLOCKS = -1

_COUNT_UP = sa.text(
    "INSERT INTO sample_changes (dataset_key, block, revision) VALUES (:dataset_key, :block, 1) "
    "ON CONFLICT (dataset_key, block) DO UPDATE SET revision = sample_changes.revision + 1"
)


def note_changes(connection: sa.Connection, dataset_key: int, indices: Iterable[int]) -> None:
    """Note that samples were added or changed, or their predictions.

    Args:
        connection: An open write transaction that holds the dataset.
        dataset_key: The dataset.
        indices: Of the samples.
    """
    if isinstance(indices, range):
        if not indices:
            return
        blocks = set(range(indices.start // BLOCK_SAMPLES, (indices.stop - 1) // BLOCK_SAMPLES + 1))
    else:
        blocks = {idx // BLOCK_SAMPLES for idx in indices}
    _count_up(connection, dataset_key, blocks)


def note_scores(connection: sa.Connection, dataset_key: int) -> None:
    """Note that scores came, changed or went, in an open write transaction."""
    _count_up(connection, dataset_key, {BEYOND_BLOCKS})


def _count_up(connection: sa.Connection, dataset_key: int, blocks: set[int]) -> None:
    if blocks:
        rows = [{"dataset_key": dataset_key, "block": block} for block in sorted(blocks)]
        connection.execute(_COUNT_UP, rows)


def read_revisions(connection: sa.Connection, dataset_key: int) -> dict[int, int]:
    """Return the revision of each block that has changed since columns are derived from it.

    Their sum grows with every commit that changes a sample, its predictions or scores, so it stands
    for the whole dataset. Scores count as block `BEYOND_BLOCKS`.
    """
    query = sa.select(sample_changes.c.block, sample_changes.c.revision).where(
        sample_changes.c.dataset_key == dataset_key
    )
    return {row.block: row.revision for row in connection.execute(query)}
