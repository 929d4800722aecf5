"""Which files of the input take no part in the selection, and why: every file is accounted for.

The table of them is CSV that people open, so its names are `protect_cell`ed.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from lightly._kit.spreadsheet_cells import protect_cell, restore_cell

CORRUPT, DUPLICATE, GONE, FILTERED = "corrupt", "duplicate", "gone", "filtered"
KINDS = (CORRUPT, DUPLICATE, GONE, FILTERED)
#: A video that is used although a part of it is missing: told in the table, but not left out.
INCOMPLETE = "incomplete"


@dataclass(frozen=True)
class InputCounts:
    """What became of the files of the input.

    Attributes:
        n_listed: Files that the datasource has.
        n_processed: Files that the selection chose from.
        n_corrupt: Files that cannot be decoded.
        n_duplicate: Files with the same bytes as an earlier one.
        n_gone: Files that were not there any more when they were read.
        n_filtered: Files that the run was told to leave out.
    """

    n_listed: int
    n_processed: int
    n_corrupt: int
    n_duplicate: int
    n_gone: int
    n_filtered: int

    @property
    def is_balanced(self) -> bool:
        """Whether every listed file is accounted for."""
        n_excluded = self.n_corrupt + self.n_duplicate + self.n_gone + self.n_filtered
        return self.n_listed == self.n_processed + n_excluded


class ExcludedFiles:
    """The table of excluded files, written as they are found.

    Args:
        path: The CSV file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.counts: Counter[str] = Counter()

    def __enter__(self) -> Self:
        """Begin the table anew."""
        self._file = self.path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file)
        self._writer.writerow(["file_name", "excluded_as", "reason"])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the table."""
        self._file.close()

    def add(self, name: str, kind: str, reason: str) -> None:
        """Note one file."""
        self.tell(name, kind, reason)
        self.counts[kind] += 1

    def tell(self, name: str, kind: str, reason: str) -> None:
        """Write a row about something that is not counted as a file: a video."""
        shown = name.encode("utf-8", "backslashreplace").decode()
        self._writer.writerow([protect_cell(shown), kind, protect_cell(reason)])

    def begin_frames(self) -> Counter[str]:
        """Return the counts so far, which are of videos; from now on frames are counted."""
        counts, self.counts = self.counts, Counter()
        return counts

    def add_all(self, names: Iterable[str], kind: str, reason: str) -> None:
        """Note files that are left out for one reason."""
        for name in names:
            self.add(name, kind, reason)


def read_excluded(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield name, kind and reason of the files in a table, as they were noted."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        for name, kind, reason in rows:
            yield restore_cell(name), kind, restore_cell(reason)
