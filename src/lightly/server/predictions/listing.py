"""The predictions of all samples, read and sent in pieces of bounded size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import orjson

from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action, Dataset
from lightly.server.http.parameters import Page
from lightly.server.platform import PlatformState
from lightly.server.predictions import repository
from lightly.server.predictions.models import PackedPredictions, PredictionTask
from lightly.server.predictions.packing import unpack_predictions
from lightly.server.predictions.service import load_task

#: Samples whose sizes are looked up at once, and the most in one piece.
SAMPLES_PER_BLOCK = 10_000
#: A piece ends before its predictions have more JSON than this, unless it is one sample's.
BYTES_PER_PIECE = 4 * 1024 * 1024

_EMPTY = orjson.Fragment(b"[]")


@dataclass(frozen=True)
class PredictionListing:
    """A list of predictions that is ready to be read.

    Attributes:
        platform: The server.
        dataset: Loaded for the caller.
        tasks: By key; predictions of others are left out.
        task_key: The only task that is read, None for all.
        is_lean: Leave run lengths empty.
    """

    platform: PlatformState
    dataset: Dataset
    tasks: dict[int, PredictionTask]
    task_key: int | None
    is_lean: bool

    def iterate(self, page: Page) -> Iterator[list[orjson.Fragment]]:
        """Yield one JSON list for each sample of a page in index order, piece by piece."""
        stop = self.dataset.n_samples
        if page.size is not None:
            stop = min(stop, page.offset + page.size)
        for start in range(page.offset, stop, SAMPLES_PER_BLOCK):
            for begin, end in self._split(start, min(start + SAMPLES_PER_BLOCK, stop)):
                yield self._read(begin, end)

    def _split(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Yield ranges of indices that together have everything from `start` on."""
        with self.platform.database.read() as connection:
            sizes = repository.read_sizes(connection, self.dataset.key, start, stop, self.task_key)
        total_bytes = 0
        for idx, size_bytes in sizes:
            if total_bytes and total_bytes + size_bytes > BYTES_PER_PIECE:
                yield start, idx
                start, total_bytes = idx, 0
            total_bytes += size_bytes
        yield start, stop

    def _read(self, start: int, stop: int) -> list[orjson.Fragment]:
        with self.platform.database.read() as connection:
            rows = repository.read_predictions(
                connection,
                self.dataset.key,
                start,
                stop,
                task_key=self.task_key,
                has_segmentations=not self.is_lean,
            )
        piece = [_EMPTY] * (stop - start)
        for idx, of_sample in groupby(rows, key=itemgetter(0)):
            piece[idx - start] = self._write(row[1:] for row in of_sample)
        return piece

    def _write(self, rows: Iterator[tuple[int, PackedPredictions]]) -> orjson.Fragment:
        # A task that came since the list began is left to the next one.
        known = [(self.tasks[key], packed) for key, packed in rows if key in self.tasks]
        return orjson.Fragment(unpack_predictions(known))


def open_listing(
    platform: PlatformState, caller: User, dataset_id: str, task_name: str | None, *, is_lean: bool
) -> PredictionListing:
    """Return a list of the predictions of all samples, or of those of one task.

    Raises:
        PredictionTaskUnknown: If a task is named that the dataset does not have.
    """
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        if task_name is None:
            tasks, task_key = repository.list_tasks(connection, dataset.key), None
        else:
            task = load_task(connection, dataset, task_name)
            tasks, task_key = [task], task.key
    by_key = {task.key: task for task in tasks}
    return PredictionListing(platform, dataset, by_key, task_key, is_lean)
