"""Telling which sample each row of a CSV belongs to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lightly.server.db.engine import Database
from lightly.server.embeddings.csv_file import CsvInvalid, show_value
from lightly.server.samples.repository import find_by_file_names, read_file_names

IndexArray = NDArray[np.int64]

_SHOWN_NAMES = 3
#: Expected names that are read at once: some 1 MB.
_NAMES_AT_ONCE = 10_000


class SampleMatcher:
    """Finds the samples of a dataset by file name, some rows at a time.

    Clients send rows in the order of the dataset, and then one range query per piece is all it
    takes. Otherwise names are looked up in pieces. Memory: one byte per sample.

    Args:
        database: The server's database.
        dataset_key: The dataset.
        n_samples: How many samples it has; each must appear once.
    """

    def __init__(self, database: Database, dataset_key: int, n_samples: int) -> None:
        self._database = database
        self._dataset_key = dataset_key
        self._n_samples = n_samples
        self._is_seen = np.zeros(n_samples, dtype=np.bool_)
        self._next_idx = 0
        self._is_in_order = True
        self._expected: list[str] = []
        self._expected_from = 0

    def match(self, names: list[str], first_row: int) -> IndexArray:
        """Return the index of each row's sample.

        Args:
            names: File names of consecutive rows.
            first_row: Number of the first of them, for messages.

        Raises:
            CsvInvalid: If a name is unknown or appears again.
        """
        indices = self._match_in_order(names)
        if indices is None:
            indices = self._look_up(names, first_row)
        self._check_repeats(indices, names, first_row)
        self._is_seen[indices] = True
        self._next_idx = int(indices[-1]) + 1
        return indices

    def check_complete(self) -> None:
        """Raise `CsvInvalid` unless every sample has appeared."""
        missing = np.flatnonzero(~self._is_seen)
        if not missing.size:
            return
        shown: list[str] = []
        with self._database.read() as connection:
            for idx in missing[:_SHOWN_NAMES].tolist():
                shown += read_file_names(connection, self._dataset_key, idx, idx + 1)
        more = ", ..." if missing.size > _SHOWN_NAMES else ""
        raise CsvInvalid(
            f"The CSV has no row for {missing.size} of the {self._n_samples} samples of the "
            f"dataset: {', '.join(map(show_value, shown))}{more}"
        )

    def _match_in_order(self, names: list[str]) -> IndexArray | None:
        if not self._is_in_order:
            return None
        start, stop = self._next_idx, self._next_idx + len(names)
        self._is_in_order = stop <= self._n_samples and names == self._expect(start, stop)
        return np.arange(start, stop) if self._is_in_order else None

    def _expect(self, start: int, stop: int) -> list[str]:
        """Return the names of a range that follows the last one asked for."""
        if stop > self._expected_from + len(self._expected):
            end = min(max(stop, start + _NAMES_AT_ONCE), self._n_samples)
            with self._database.read() as connection:
                self._expected = read_file_names(connection, self._dataset_key, start, end)
            self._expected_from = start
        return self._expected[start - self._expected_from : stop - self._expected_from]

    def _look_up(self, names: list[str], first_row: int) -> IndexArray:
        with self._database.read() as connection:
            # No sample has a NUL in its name, and PostgreSQL refuses to look for one.
            wanted = {name for name in names if "\0" not in name}
            found = find_by_file_names(connection, self._dataset_key, wanted)
        # Samples that were added since the reading began are not part of it.
        known = {name: idx for idx, _, name in found if idx < self._n_samples}
        unknown = [row for row, name in enumerate(names) if name not in known]
        if unknown:
            raise CsvInvalid(
                f"Row {first_row + unknown[0]}: the dataset has no sample "
                f"{show_value(names[unknown[0]])}. A CSV has one row for each sample of the "
                "dataset and no others."
            )
        return np.array([known[name] for name in names], dtype=np.int64)

    def _check_repeats(self, indices: IndexArray, names: list[str], first_row: int) -> None:
        _, first_places = np.unique(indices, return_index=True)
        is_first = np.zeros(len(indices), dtype=np.bool_)
        is_first[first_places] = True
        repeated = np.flatnonzero(self._is_seen[indices] | ~is_first)
        if repeated.size:
            row = int(repeated[0])
            raise CsvInvalid(
                f"Row {first_row + row}: the sample {show_value(names[row])} has a row already."
            )
