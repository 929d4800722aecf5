"""The bytes of images and frames once more, for what is made of some of them."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator

from lightly.worker.runs.context import RunContext
from lightly.worker.runs.frame_contents import read_frames
from lightly.worker.runs.input_places import locate_files
from lightly.worker.sources.reading import FileReader

log = logging.getLogger("lightly.worker")

#: Name and content of an image file.
NamedImage = tuple[str, bytes]


def read_images(context: RunContext, names: Collection[str]) -> Iterator[NamedImage]:
    """Yield images or frames of a dataset; those that cannot be read are left out and logged.

    Args:
        context: Of the run.
        names: Which, also of earlier runs, which are not in this run's list.
    """
    if context.holds_videos:
        yield from read_frames(context, names)
        return
    reader = FileReader(context.link.stores, check=context.lease.check)
    for content in reader.read(locate_files(context, names)):
        if content.data is None:
            log.warning("The image %s is left out: %s", content.file.name, content.problem)
        else:
            yield content.file.name, content.data
