"""LOADING_DATASET: which files the input has."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from lightly._kit.errors import BadInput
from lightly._kit.safe_paths import check_relative_name
from lightly.utils.io import is_valid_filename
from lightly.worker.runs.context import RunContext
from lightly.worker.runs.excluded import FILTERED, ExcludedFiles
from lightly.worker.runs.preparing import Preparation
from lightly.worker.sources.file_list import FileList, InputFile

log = logging.getLogger("lightly.worker")

_BAD_NAME = "A name with a comma or a line break cannot stand in an embeddings file. Rename it."


def list_files(
    context: RunContext, preparation: Preparation, files: FileList, excluded: ExcludedFiles
) -> int:
    """List the input; return how many files it has.

    Args:
        context: Of the run.
        preparation: Says which moments matter.
        files: Takes the files that can be processed.
        excluded: Takes those that cannot by their names.
    """
    n_listed = 0
    refused: list[tuple[str, str]] = []

    def sift() -> Iterator[InputFile]:
        nonlocal n_listed
        pages = context.input_side.iterate_pages(
            preparation.period, context.options.relevant_filenames_file
        )
        for page in pages:
            context.lease.check()
            n_listed += len(page)
            context.lease.report_progress(n_listed, n_listed)
            for name, location in page:
                problem = _find_problem(name)
                if problem is None:
                    yield InputFile(name, location)
                else:
                    refused.append((name, problem))

    n_repeated = files.add(sift())
    for name, problem in refused:
        excluded.add(name, FILTERED, problem)
    log.info("The input has %d files.", n_listed - n_repeated)
    return n_listed - n_repeated


def _find_problem(name: str) -> str | None:
    try:
        check_relative_name(name)
    except BadInput as error:
        return str(error)
    is_one_line = name.splitlines() == [name]
    return None if is_valid_filename(name) and is_one_line else _BAD_NAME
