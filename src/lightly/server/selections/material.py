"""What a selection works with, loaded by its task."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from lightly.server.datasets.models import Dataset
from lightly.server.datasets.repository import find_dataset
from lightly.server.db.engine import Database
from lightly.server.jobs.task import Task, TaskFailed
from lightly.server.samples.repository import read_file_names
from lightly.server.tags.masks import IndexArray, read_indices
from lightly.server.tags.models import Tag
from lightly.server.tags.repository import find_tag

_NAMES_AT_ONCE = 10_000


@dataclass(frozen=True)
class Material:
    """Samples of a selection.

    Attributes:
        dataset: The dataset.
        n_samples: How many samples its tags cover.
        query_tag_id: The tag to pick from.
        candidates: Indices of the query tag, growing.
        preselected: Indices that are selected from the start, growing.
    """

    dataset: Dataset
    n_samples: int
    query_tag_id: str
    candidates: IndexArray
    preselected: IndexArray

    def align(self, scores: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return scores of the query tag as one value per sample, and where they are missing.

        There is one per candidate at most; candidates that were added later have none.
        """
        scored = self.candidates[: len(scores)]
        values = np.zeros(self.n_samples)
        values[scored] = scores[: len(scored)]
        is_missing = np.ones(self.n_samples, dtype=np.bool_)
        is_missing[scored] = False
        return values, is_missing


def require_dataset(connection: sa.Connection, task: Task) -> Dataset:
    """Return the dataset of a task. Raises `TaskFailed` when it was deleted."""
    dataset = find_dataset(connection, task.dataset_id)
    if dataset is None:
        raise TaskFailed("The dataset was deleted.")
    return dataset


def load_material(task: Task, query_tag_id: str, preselected_tag_id: str | None) -> Material:
    """Return the samples of a selection.

    Raises:
        TaskFailed: If something was deleted, or changed so that the tags no longer fit.
    """
    with task.database.read() as connection:
        dataset = require_dataset(connection, task)
        query_tag = find_tag(connection, dataset.key, query_tag_id)
        preselected_tag: Tag | None = None
        if preselected_tag_id is not None:
            preselected_tag = find_tag(connection, dataset.key, preselected_tag_id)
    if query_tag is None or (preselected_tag_id and preselected_tag is None):
        raise TaskFailed("The query tag or the preselected tag was deleted.")
    candidates = read_indices(query_tag)
    preselected = candidates[:0] if preselected_tag is None else read_indices(preselected_tag)
    if not np.isin(preselected, candidates, assume_unique=True).all():
        raise TaskFailed("The preselected tag must be a subset of the query tag.")
    return Material(dataset, query_tag.tot_size, query_tag.id, candidates, preselected)


def make_mask(indices: IndexArray, n_samples: int) -> bytes:
    """Return the mask of a tag with these samples."""
    bits = np.zeros(n_samples, dtype=np.bool_)
    bits[indices] = True
    return np.packbits(bits, bitorder="little").tobytes()


class FileNames(Sequence[str]):
    """The file names of a dataset, read in pieces while they are iterated over."""

    def __init__(self, database: Database, dataset_key: int, n_samples: int) -> None:
        self._database = database
        self._dataset_key = dataset_key
        self._n_samples = n_samples

    def __len__(self) -> int:
        return self._n_samples

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...

    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self._n_samples))]
        return self._read(index, index + 1)[0]

    def __iter__(self) -> Iterator[str]:
        for start in range(0, self._n_samples, _NAMES_AT_ONCE):
            yield from self._read(start, min(start + _NAMES_AT_ONCE, self._n_samples))

    def _read(self, start: int, stop: int) -> list[str]:
        with self._database.read() as connection:
            return read_file_names(connection, self._dataset_key, start, stop)
