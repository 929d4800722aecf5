"""What the options of a run must be beyond their types, and which exclude each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lightly._kit.errors import BadInput
from lightly._kit.safe_paths import check_relative_name
from lightly.utils.run_configuration.errors import ContradictoryConfiguration
from lightly.utils.run_configuration.selection_rules import MAX_UNIT_DISTANCE, UNSET

#: Formats of the frames that a run writes.
IMAGE_FORMATS = ("png", "jpg", "jpeg")
#: Files that the worker reads. They lie in the dataset's own storage, never elsewhere.
_FILES = ("checkpoint", "embeddings", "relevantFilenamesFile")


def check_options(config: dict[str, Any], place: str) -> None:
    """Refuse options whose values cannot be used, alone or together.

    Args:
        config: A configuration of V2 or later, in its wire form.
        place: Where it is, for errors.

    Raises:
        ContradictoryConfiguration: With the first problem and its remedy.
    """
    docker = config.get("docker") or {}
    selection = config.get("selection") or {}
    for problem in _find_problems(docker):
        raise ContradictoryConfiguration(f"{place}.docker{problem}")
    for problem in _find_selection_problems(docker, selection):
        raise ContradictoryConfiguration(f"{place}.selection{problem}")


def _find_problems(docker: dict[str, Any]) -> Iterator[str]:
    for name in _FILES:
        yield from _find_path_problems(name, docker.get(name))
    image_format = docker.get("outputImageFormat")
    if image_format is not None and image_format not in IMAGE_FORMATS:
        yield f".outputImageFormat: must be one of {', '.join(IMAGE_FORMATS)}."
    if docker.get("checkpoint") and docker.get("checkpointRunId"):
        yield ": checkpoint and checkpointRunId exclude each other. Leave one of them out."
    if docker.get("enableTraining") and docker.get("embeddings"):
        yield (
            ": enableTraining has no effect on embeddings that are read from a file. Leave "
            "'embeddings' or 'enableTraining' out."
        )


def _find_path_problems(name: str, path: str | None) -> Iterator[str]:
    # An empty text is how clients say that there is no file.
    if not path:
        return
    try:
        check_relative_name(path)
    except BadInput as error:
        yield f".{name}: {error} Give a path within the dataset's own storage."
        return
    if "://" in path:
        yield f".{name}: must be a path within the dataset's own storage, not a URL."


def _find_selection_problems(docker: dict[str, Any], selection: dict[str, Any]) -> Iterator[str]:
    length = docker.get("selectedSequenceLength", 1)
    n_samples = selection.get("nSamples", UNSET)
    if n_samples != UNSET and n_samples % length:
        yield (
            f".nSamples: counts frames and must be a multiple of selectedSequenceLength. Got "
            f"{n_samples} and {length}; {n_samples - n_samples % length + length} would do."
        )
    if docker.get("normalizeEmbeddings", True):
        for number, entry in enumerate(selection.get("strategies", [])):
            distance = entry["strategy"].get("stopping_condition_minimum_distance", 0)
            if distance > MAX_UNIT_DISTANCE:
                yield (
                    f".strategies[{number}].strategy.stopping_condition_minimum_distance: no two "
                    f"normalized embeddings are farther apart than {MAX_UNIT_DISTANCE}. Choose a "
                    "smaller distance, or set normalizeEmbeddings to false."
                )
