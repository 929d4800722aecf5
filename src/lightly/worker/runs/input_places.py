"""Where files of the input are, also those of earlier runs, which are not in a run's own list."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from lightly.worker.runs.context import RunContext
from lightly.worker.sources.datasource import Period
from lightly.worker.sources.file_list import InputFile

_ALWAYS = Period(0, 2**40)


def locate_files(context: RunContext, names: Collection[str]) -> Iterator[InputFile]:
    """Yield those of some files that the input has, in the order of its listing.

    Args:
        context: Of the run.
        names: Of the files.
    """
    wanted = set(names)
    # What earlier runs have selected need not be in this run's list of relevant files.
    for relevant in dict.fromkeys((context.options.relevant_filenames_file, "")):
        for page in context.input_side.iterate_pages(_ALWAYS, relevant):
            for file in page:
                if file.name in wanted:
                    wanted.discard(file.name)
                    yield file
            if not wanted:
                return
