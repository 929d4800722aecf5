"""LOADING_DATASET: which files the input has."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import PurePosixPath

from lightly._kit.errors import BadInput
from lightly._kit.safe_paths import check_relative_name
from lightly.media.listing import VIDEO_EXTENSIONS
from lightly.utils.io import is_valid_filename
from lightly.worker.runs.artifacts import RELEVANT_NAME, write_relevant_names
from lightly.worker.runs.context import RunContext
from lightly.worker.runs.excluded import FILTERED, ExcludedFiles
from lightly.worker.runs.expiry import ExpiryWatch
from lightly.worker.runs.preparing import Preparation
from lightly.worker.sources.file_list import FileList, InputFile

log = logging.getLogger("lightly.worker")

#: What is added to the name of a video to name its frames has no more characters.
_LONGEST_FRAME_SUFFIX = "-123456789.png"
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
    watch = ExpiryWatch.open(context.options.expiry, now_s=preparation.period.to_s)

    def sift() -> Iterator[InputFile]:
        nonlocal n_listed
        pages = context.input_side.iterate_pages(
            preparation.period,
            context.options.relevant_filenames_file,
            with_expiry=watch is not None,
        )
        for page in pages:
            context.lease.check()
            n_listed += len(page)
            context.lease.report_progress(n_listed, n_listed)
            for file in page:
                problem = _find_problem(file.name, is_video=context.holds_videos)
                if problem is None and watch is not None:
                    problem = watch.check(file)
                if problem is None:
                    yield file
                else:
                    excluded.add(file.name, FILTERED, problem)

    n_repeated = files.add(sift())
    if context.options.relevant_filenames_file:
        path = context.folder.path(RELEVANT_NAME)
        n_left_out = write_relevant_names((file.name for file in files.iterate()), path)
        if n_left_out:
            log.warning("%d names with '*' are not in %s.", n_left_out, RELEVANT_NAME)
    log.info("The input has %d files.", n_listed - n_repeated)
    return n_listed - n_repeated


def _find_problem(name: str, *, is_video: bool) -> str | None:
    if is_video and PurePosixPath(name).suffix.lower() not in VIDEO_EXTENSIONS:
        return "A video that is nothing but an extension gives its frames no names. Rename it."
    try:
        check_relative_name(name + _LONGEST_FRAME_SUFFIX if is_video else name)
    except BadInput as error:
        return str(error)
    is_one_line = name.splitlines() == [name]
    return None if is_valid_filename(name) and is_one_line else _BAD_NAME
