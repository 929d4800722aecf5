"""The tags of neighbouring samples in one row, so that a search reads no JSON.

A block holds the tags of 4,096 samples, six bytes each: place of the sample in the block, category
and score in 65,535ths. With six tags per image a million images have 245 blocks of 150 kB, less
what compression saves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from lightly.server.db.prediction_tables import tag_blocks
from lightly.server.tags.masks import pack, unpack

SAMPLES_PER_BLOCK = 4_096
#: Blocks that are read in one transaction: some 5 MB.
_BLOCKS_AT_ONCE = 32
_TAG = np.dtype([("place", "<u2"), ("category", "<u2"), ("score", "<u2")])
_MOST = 65_535

Tags = NDArray[np.void]

_UPSERT = sa.text(
    "INSERT INTO tag_blocks (dataset_key, block, content) VALUES (:dataset_key, :block, :content) "
    "ON CONFLICT (dataset_key, block) DO UPDATE SET content = excluded.content"
)


def put_tags(
    connection: sa.Connection,
    dataset_key: int,
    tags: Iterable[tuple[int, Mapping[int, float]]],
) -> None:
    """Store the tags of samples in the place of those that they have.

    Args:
        connection: An open write transaction that holds the dataset's lock.
        dataset_key: The dataset.
        tags: Index of a sample, and its scores by category. Categories whose ids have more than 16
            bits are left out: no model that is shipped has them.
    """
    by_block: dict[int, dict[int, Mapping[int, float]]] = defaultdict(dict)
    for idx, scores in tags:
        block, place = divmod(idx, SAMPLES_PER_BLOCK)
        by_block[block][place] = scores
    parameters = []
    for block, changed in sorted(by_block.items()):
        known = _read_block(connection, dataset_key, block)
        kept = known[~np.isin(known["place"], list(changed))]
        merged = np.concatenate([kept, _make_tags(changed)])
        merged.sort(order=["place", "category"])
        content = pack(merged.tobytes())
        parameters.append({"dataset_key": dataset_key, "block": block, "content": content})
    if parameters:
        connection.execute(_UPSERT, parameters)


def iterate_blocks(
    connection: sa.Connection, dataset_key: int, first: int
) -> Iterator[tuple[int, Tags]]:
    """Yield number and tags of some blocks from the first on, in order; few at a time.

    Whoever reads all calls again with the number behind the last one, until none comes.
    """
    query = (
        sa.select(tag_blocks.c.block, tag_blocks.c.content)
        .where(tag_blocks.c.dataset_key == dataset_key, tag_blocks.c.block >= first)
        .order_by(tag_blocks.c.block)
        .limit(_BLOCKS_AT_ONCE)
    )
    for block, content in connection.execute(query):
        yield block, np.frombuffer(unpack(content), _TAG)


def sum_scores(tags: Tags, categories: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return what the wanted categories of each sample of a block add up to.

    Args:
        tags: Of the block.
        categories: Whether each of the 65,536 categories is wanted.

    Returns:
        Shape (4096,).
    """
    wanted = tags[categories[tags["category"]]]
    sums = np.bincount(wanted["place"], wanted["score"] / _MOST, SAMPLES_PER_BLOCK)
    # Rounding must not make a probability of more than 1.
    return np.minimum(sums, 1.0)


def _read_block(connection: sa.Connection, dataset_key: int, block: int) -> Tags:
    content = connection.execute(
        sa.select(tag_blocks.c.content).where(
            tag_blocks.c.dataset_key == dataset_key, tag_blocks.c.block == block
        )
    ).scalar()
    return np.empty(0, _TAG) if content is None else np.frombuffer(unpack(content), _TAG)


def _make_tags(changed: Mapping[int, Mapping[int, float]]) -> Tags:
    rows = [
        (place, category, round(score * _MOST))
        for place, scores in changed.items()
        for category, score in scores.items()
        if category <= _MOST
    ]
    return np.array(rows, _TAG)
