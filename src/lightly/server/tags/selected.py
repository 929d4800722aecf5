"""Reading the samples of a tag: in index order, in pieces of bounded size.

Each piece is read in a transaction of its own, so that a slow reader holds no connection. Samples
are only ever appended and keep their index, so the pieces fit together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import sqlalchemy as sa

from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action
from lightly.server.platform import PlatformState
from lightly.server.tags import repository
from lightly.server.tags.masks import IndexArray, read_indices
from lightly.server.tags.service import load_tag

#: Names per query: some 1 MB, and fewer parameters than any database allows.
NAMES_PER_PIECE = 5_000
#: Whole samples per query. One may have 200 kB of metadata, mostly it is 1 kB.
SAMPLES_PER_PIECE = 500

ItemT = TypeVar("ItemT")


def iterate_selected(
    platform: PlatformState,
    dataset_key: int,
    indices: IndexArray,
    read_at: Callable[[sa.Connection, int, IndexArray], list[ItemT]],
    *,
    per_piece: int = NAMES_PER_PIECE,
) -> Iterator[list[ItemT]]:
    """Yield what is read of some samples, piece by piece.

    Args:
        platform: The server.
        dataset_key: A dataset that was loaded for the caller.
        indices: int64, growing: which samples.
        read_at: One of the `read_..._at` queries of the repository.
        per_piece: Samples per query.
    """
    for start in range(0, len(indices), per_piece):
        with platform.database.read() as connection:
            piece = read_at(connection, dataset_key, indices[start : start + per_piece])
        yield piece


def list_file_names(
    platform: PlatformState, caller: User, dataset_id: str, tag_id: str
) -> Iterator[list[str]]:
    """Return the file names of a tag's samples in pieces that are read when asked for."""
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        tag = load_tag(connection, dataset, tag_id)
    return iterate_selected(platform, dataset.key, read_indices(tag), repository.read_file_names_at)
