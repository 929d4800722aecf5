"""Datasets with a look inside: how many tags and embeddings, and their first samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from lightly.server.auth.users import User
from lightly.server.datasets import repository, service
from lightly.server.datasets.models import Dataset, Scope
from lightly.server.db.tables import embeddings, samples, tags
from lightly.server.http.parameters import Page
from lightly.server.platform import PlatformState

#: Ids of samples that come with a dataset: enough to show some of its images. All ids are what
#: `mappings` answers.
MAX_SAMPLE_IDS = 100
#: Datasets that are looked into at once: below the number of parameters that databases take.
DATASETS_PER_PIECE = 500


@dataclass(frozen=True)
class EnrichedDataset:
    """A dataset and what the contract adds to it.

    Attributes:
        dataset: The dataset.
        n_tags: How many tags it has.
        n_embeddings: How many embeddings, read or not.
        sample_ids: Of its first samples, in order.
    """

    dataset: Dataset
    n_tags: int
    n_embeddings: int
    sample_ids: list[str] = field(repr=False)


def iterate_enriched(
    platform: PlatformState, datasets: Sequence[Dataset]
) -> Iterator[list[EnrichedDataset]]:
    """Yield datasets that were loaded for the caller with what is in them, piece by piece.

    Three queries for each piece, however many datasets it has.
    """
    for start in range(0, len(datasets), DATASETS_PER_PIECE):
        piece = datasets[start : start + DATASETS_PER_PIECE]
        keys = [dataset.key for dataset in piece]
        with platform.database.read() as connection:
            n_tags = _count_by_dataset(connection, tags, keys)
            n_embeddings = _count_by_dataset(connection, embeddings, keys)
            sample_ids = _read_first_ids(connection, keys)
        yield [
            EnrichedDataset(
                dataset,
                n_tags.get(dataset.key, 0),
                n_embeddings.get(dataset.key, 0),
                sample_ids.get(dataset.key, []),
            )
            for dataset in piece
        ]


def _count_by_dataset(
    connection: sa.Connection, table: sa.Table, keys: Sequence[int]
) -> dict[int, int]:
    query = (
        sa.select(table.c.dataset_key, sa.func.count())
        .where(table.c.dataset_key.in_(keys))
        .group_by(table.c.dataset_key)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def _read_first_ids(connection: sa.Connection, keys: Sequence[int]) -> dict[int, list[str]]:
    query = (
        sa.select(samples.c.dataset_key, samples.c.id)
        .where(samples.c.dataset_key.in_(keys), samples.c.idx < MAX_SAMPLE_IDS)
        .order_by(samples.c.dataset_key, samples.c.idx)
    )
    ids: dict[int, list[str]] = {}
    for key, sample_id in connection.execute(query):
        ids.setdefault(key, []).append(sample_id)
    return ids


def list_enriched(
    platform: PlatformState, caller: User, scope: Scope, page: Page
) -> Iterator[list[EnrichedDataset]]:
    """Return the datasets of a scope, oldest first."""
    return iterate_enriched(platform, service.list_datasets(platform, caller, scope, page))


def list_enriched_by_name(
    platform: PlatformState, caller: User, scope: Scope, name: str, *, is_exact: bool, page: Page
) -> Iterator[list[EnrichedDataset]]:
    """Return the datasets of a scope whose name equals or starts with `name`."""
    found = service.find_datasets_by_name(
        platform, caller, scope, name, is_exact=is_exact, page=page
    )
    return iterate_enriched(platform, found)


def list_enriched_by_ids(
    platform: PlatformState, caller: User, dataset_ids: Iterable[str]
) -> Iterator[list[EnrichedDataset]]:
    """Return those of some datasets that the caller can see, in the order of the ids."""
    wanted = list(dict.fromkeys(dataset_ids))
    found: dict[str, Dataset] = {}
    with platform.database.read() as connection:
        for start in range(0, len(wanted), DATASETS_PER_PIECE):
            piece = wanted[start : start + DATASETS_PER_PIECE]
            listed = repository.list_datasets_by_ids(connection, caller, piece)
            found |= {dataset.id: dataset for dataset in listed}
    return iterate_enriched(platform, [found[id_] for id_ in wanted if id_ in found])
