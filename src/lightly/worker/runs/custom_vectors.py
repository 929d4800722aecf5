"""Embeddings that the user has computed take the place of those of a model."""

from __future__ import annotations

import logging

from lightly.data.datasource_files.embedding_files import (
    refuse_missing_row,
    refuse_unknown_name,
)
from lightly.data.datasource_files.names import EMBEDDINGS_FOLDER, name_embedding_file
from lightly.worker.errors import RunRefused
from lightly.worker.runs.context import RunContext
from lightly.worker.runs.datapool import Datapool
from lightly.worker.runs.examining_videos import open_videos
from lightly.worker.runs.excluded import FILTERED, ExcludedFiles
from lightly.worker.runs.preparing import Preparation
from lightly.worker.sources.custom_embeddings import CustomEmbeddings, open_custom_embeddings
from lightly.worker.sources.file_list import FileList, InputFile

log = logging.getLogger("lightly.worker")

_MASKED = "The file with embeddings masks it."


def load_custom_embeddings(context: RunContext) -> CustomEmbeddings | None:
    """Return the embeddings that the run brings along; None if it has a model make them.

    Raises:
        RunRefused: If the file is not there.
        FileInvalid: If it breaks a rule.
    """
    file = context.options.embeddings_file
    if not file:
        return None
    place = name_embedding_file(file.removeprefix(EMBEDDINGS_FOLDER))
    location = context.lightly_side.locate(place)
    with open_videos(context).open(InputFile(place, location)) as opened:
        if opened.path is None:
            raise RunRefused(
                f"The embeddings {place[:200]!r} cannot be read: {opened.problem} Put the file "
                "there, or leave worker_config.embeddings out."
            )
        found = open_custom_embeddings(place, opened.path, context.folder.root)
        found.read(opened.path, n_dimensions=context.options.embedding_dim)
    log.info("The file %s has embeddings of %d images.", place, len(found))
    return found


def match_custom_embeddings(
    context: RunContext,
    preparation: Preparation,
    embeddings: CustomEmbeddings,
    files: FileList,
    excluded: ExcludedFiles,
    datapool: Datapool,
) -> None:
    """Leave out images that the file masks; hold the others against its rows.

    Frames of videos are not known yet: what they lack is noticed when they are gathered.

    Raises:
        FileInvalid: If an image has no row, or a row has no image.
    """
    if context.holds_videos:
        return
    masked = (name for _, name in embeddings.iterate_names(is_masked=True))
    excluded.add_all(files.drop(masked), FILTERED, _MASKED)
    missing = embeddings.find_missing(file.name for file in files.iterate())
    first = next(missing, None)
    if first is not None:
        raise refuse_missing_row(embeddings.file, first, 1 + sum(1 for _ in missing))
    # Where only a part is listed, the others may well have their images elsewhere.
    if preparation.period.from_s or context.options.relevant_filenames_file:
        return
    known = set(datapool.names)
    for number, name in embeddings.iterate_names():
        if not files.has(name) and name not in known:
            raise refuse_unknown_name(embeddings.file, number, name)
