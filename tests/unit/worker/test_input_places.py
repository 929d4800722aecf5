"""Files that were selected in earlier runs are found, whatever this run's list of files says."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

from lightly.worker.runs.context import RunContext
from lightly.worker.runs.input_places import locate_files
from lightly.worker.sources.file_list import InputFile

RELEVANT = "few.txt"
PAGES = {"": [["a", "b"], ["c", "d"]], RELEVANT: [["c", "d"]]}


def locate(wanted: list[str], relevant_file: str) -> tuple[list[str], list[str]]:
    """Return what is found, and by which lists."""
    asked: list[str] = []

    def iterate(_period: object, relevant: str) -> Iterator[list[InputFile]]:
        asked.append(relevant)
        return ([InputFile(name, name) for name in page] for page in PAGES[relevant])

    context = SimpleNamespace(
        input_side=SimpleNamespace(iterate_pages=iterate),
        options=SimpleNamespace(relevant_filenames_file=relevant_file),
    )
    return [one.name for one in locate_files(cast("RunContext", context), wanted)], asked


def test_what_is_in_the_list_is_found_by_it() -> None:
    assert locate(["d"], RELEVANT) == (["d"], [RELEVANT])


def test_what_is_not_in_the_list_is_found_beside_it() -> None:
    assert locate(["a", "d"], RELEVANT) == (["d", "a"], [RELEVANT, ""])


def test_what_is_not_there_is_looked_for_once() -> None:
    assert locate(["x"], "") == ([], [""])
