"""Options of the first workers that no run carries out here, each with what to do instead.

Whoever gives one with another value than its default would wait for something that never comes, so
the run is refused before it begins. Values that ask for nothing are fine: old clients spell out
every default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lightly.utils.run_configuration.errors import ContradictoryConfiguration

Options = Mapping[str, Any]

#: What the threshold was when nobody gave one.
CORRUPTION_THRESHOLD = 0.1
#: Scores that a detector's predictions get, as the option `scorer` names them.
SCORERS = (
    "object_frequency",
    "objectness_least_confidence",
    "uncertainty_least_confidence",
    "uncertainty_margin",
    "uncertainty_entropy",
)
#: By path below `docker`: values that ask for nothing, and what to do instead of giving others.
_WITHOUT_WORK: Mapping[str, tuple[tuple[object, ...], str]] = {
    "appendWeakLabels": ((False,), "no run makes weak labels. Leave it out."),
    "uploadDataset": (
        (False,),
        "what is selected becomes part of the dataset without it. Leave it out.",
    ),
    "enableCorruptnessCheck": (
        (True,),
        "what cannot be decoded cannot be embedded, and is always left out. Leave this out.",
    ),
    "corruptnessCheck.corruptionThreshold": (
        (CORRUPTION_THRESHOLD,),
        "images can be decoded or they cannot; no run weighs how far. Leave it out.",
    ),
    "sanityCheck": (
        (False,),
        "a run does its work. `lightly worker sanity_check=True` shows that a worker starts.",
    ),
    "worker.workerId": (
        ("",),
        "a run goes to any worker with its labels. Schedule it with runs_on.",
    ),
    "worker.forceStart": (
        (True,),
        "it belongs to the start of a worker: `lightly worker worker.force_start=False`.",
    ),
    "dumpDataset": (
        (False,),
        "selected images are in the dataset. `lightly copy` writes them into a folder.",
    ),
    "outputImageSize": (
        (-1,),
        "it is about images that are dumped, and none are. Leave it out.",
    ),
    "runDirectory": (
        ("",),
        "what a run leaves lies below .lightly/runs/ under its id. Leave it out.",
    ),
    "datapool.name": (
        ("",),
        "the dataset itself is the datapool. Leave it out, and set use_datapool to true.",
    ),
    "datapool.keepHistory": ((True,), "earlier selections stay as tags. Leave it out."),
    "activeLearningScoreColumnName": (
        ("",),
        "scores come from predictions or metadata. Put them there, and weigh by them.",
    ),
}


def check_workable(
    config: Options, place: str, *, dataset_id: str = "", dataset_type: str = ""
) -> None:
    """Refuse a configuration that asks for what no run does.

    Args:
        config: In its wire form, options named as in version 4.
        place: Where it is, for errors, such as `config`.
        dataset_id: Of the dataset that the run is about; empty if that is not known yet.
        dataset_type: Of that dataset; empty if that is not known yet.

    Raises:
        ContradictoryConfiguration: With the first such option and what to do instead.

    >>> check_workable({"docker": {"dumpDataset": False}}, "config")
    """
    docker = config.get("docker") or {}
    for problem in _find_problems(docker, dataset_id):
        raise ContradictoryConfiguration(f"{place}.docker.{problem}")
    for problem in _find_problems_of_type(docker, dataset_type):
        raise ContradictoryConfiguration(f"{place}.docker.{problem}")
    if not config.get("selection"):
        for problem in _find_problems_without_selection(docker):
            raise ContradictoryConfiguration(f"{place}.docker.{problem}")


def read_scorer(docker: Options) -> str:
    """Return the score that the option `scorer` names, as predictions have it."""
    return str(docker.get("scorer") or SCORERS[0]).replace("-", "_")


def _find_problems(docker: Options, dataset_id: str) -> Iterator[str]:
    for path, (harmless, instead) in _WITHOUT_WORK.items():
        value = _find(docker, path)
        if value is not None and value not in harmless:
            yield f"{path}: {instead}"
    for path in ("datasource.datasetId", "datapool.datasetId"):
        if dataset_id and _find(docker, path) not in {None, "", dataset_id}:
            yield f"{path}: a run is about the dataset that it is scheduled for. Leave it out."
    if read_scorer(docker) not in SCORERS:
        yield f"scorer: must be one of {', '.join(SCORERS)}."


def _find_problems_of_type(docker: Options, dataset_type: str) -> Iterator[str]:
    if dataset_type == "Videos" and docker.get("enableTraining"):
        yield (
            "enableTraining: models are trained on images, and the dataset holds videos. Leave it "
            "out, or name a run that has trained on images with checkpointRunId."
        )
    if dataset_type == "Images" and (docker.get("selectedSequenceLength") or 1) > 1:
        yield (
            "selectedSequenceLength: sequences are made of frames of videos, and the dataset holds "
            "images. Leave it out, or use a dataset of type Videos."
        )


def _find_problems_without_selection(docker: Options) -> Iterator[str]:
    distance = _find(docker, "stoppingCondition.minDistance")
    if docker.get("method") == "random" and distance is not None and distance >= 0:
        yield (
            "stoppingCondition.minDistance: the method random does not look at distances. Use the "
            "method coreset, or leave minDistance out."
        )


def _find(options: Options, path: str) -> Any:
    found: Any = options
    for key in path.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found
