"""The options of a run, from a configuration of any version."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lightly._kit.errors import BadInput
from lightly.active_learning.scorers.detection import FREQUENCY_PENALTY, MIN_SCORE
from lightly.data.made_tasks import PRETAGGING_TASK
from lightly.embedding.registry import DEFAULT_MODEL_ID
from lightly.embedding.training.settings import TrainingSettings, read_training_settings
from lightly.utils.run_configuration.reading import read_free_form
from lightly.utils.run_configuration.unworkable import check_workable, read_scorer
from lightly.worker.errors import RunRefused

log = logging.getLogger("lightly.worker")

#: Options that say what to select, and mean nothing beside a selection of its own.
_OLD_SELECTION = ("method", "stoppingCondition", "activeLearning")


@dataclass(frozen=True)
class ObjectFrequency:
    """How the score `object_frequency` of pretagging counts.

    Attributes:
        penalty: What each further object of a class adds.
        min_score: The lowest score.
    """

    penalty: float = FREQUENCY_PENALTY
    min_score: float = MIN_SCORE


@dataclass(frozen=True)
class ExpiryOptions:
    """What becomes of files that their store removes soon.

    Attributes:
        min_days: How long a file must stay.
        handling: `SKIP` leaves others out, `ABORT` ends the run.
    """

    min_days: float
    handling: str


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What a run shall do; names and defaults as in docs/reference/worker-configuration.md."""

    bypass_verify: bool = False
    enable_datapool_update: bool = True
    process_all: bool = False
    use_datapool: bool = False
    relevant_filenames_file: str = ""
    expiry: ExpiryOptions | None = None
    embeddings_file: str = ""
    embedding_dim: int | None = None
    normalize_embeddings: bool = True
    n_processes: int | None = None
    cache_bytes: int | None = None
    upload_report: bool = True
    shutdown_when_job_finished: bool = False
    remove_exact_duplicates: bool = True
    image_format: str = "png"
    sequence_length: int = 1
    trusts_frame_count: bool = False
    draws_timeline: bool = True
    n_example_pairs: int | None = None
    stores_selected_embeddings: bool = False
    object_frequency: ObjectFrequency = ObjectFrequency()
    training: TrainingSettings | None = None
    checkpoint_run_id: str = ""
    selection: Mapping[str, Any] = field(default_factory=dict)
    docker: Mapping[str, Any] = field(default_factory=dict)

    @property
    def adds_to_dataset(self) -> bool:
        """Whether what is selected becomes part of the dataset: not of a datapool that stays."""
        return self.enable_datapool_update or not self.use_datapool

    @property
    def object_task(self) -> str:
        """The task whose objects are selected in place of images; empty if images are."""
        return (self.docker.get("objectLevel") or {}).get("taskName") or ""


def read_options(answer: Mapping[str, Any], *, dataset_id: str = "") -> RunOptions:
    """Return the options of a configuration as the server keeps it.

    Args:
        answer: `version` and `config`.
        dataset_id: Of the dataset that the run is about.

    Raises:
        RunRefused: If it asks for something that cannot be done.
        InvalidConfiguration: If a free-form configuration has an unknown or a wrong option, or any
            has one that no run carries out.
    """
    version, config = answer.get("version", "V0"), dict(answer["config"])
    if version == "V0":
        config = read_free_form(config)
    check_workable(config, "config", dataset_id=dataset_id)
    docker = dict(config.get("docker") or {})
    _log_what_has_no_effect(docker, config.get("selection") or {})
    datasource = dict(docker.get("datasource") or {})
    return RunOptions(
        bypass_verify=datasource.get("bypassVerify", False),
        enable_datapool_update=datasource.get("enableDatapoolUpdate", True),
        process_all=datasource.get("processAll", False),
        # Workers before 2.11, whose clients send V0 to V3, always had the datapool on.
        use_datapool=docker.get("useDatapool", version in {"V0", "V2", "V3"}),
        relevant_filenames_file=docker.get("relevantFilenamesFile") or "",
        expiry=_read_expiry(datasource),
        embeddings_file=docker.get("embeddings") or "",
        embedding_dim=_read_embedding_dim(config),
        normalize_embeddings=docker.get("normalizeEmbeddings", True),
        n_processes=_count_processes(docker),
        cache_bytes=docker.get("cacheSize"),
        upload_report=docker.get("uploadReport", True),
        shutdown_when_job_finished=docker.get("shutdownWhenJobFinished", False),
        remove_exact_duplicates=docker.get("removeExactDuplicates", True),
        image_format="jpg" if docker.get("outputImageFormat") in {"jpg", "jpeg"} else "png",
        sequence_length=docker.get("selectedSequenceLength") or 1,
        trusts_frame_count=datasource.get("useFrameCountMetadata", False),
        draws_timeline=docker.get("showVideoSamplingTimeline", True),
        n_example_pairs=docker.get("nExampleImages"),
        stores_selected_embeddings=docker.get("dumpSampledEmbeddings", False),
        object_frequency=_read_object_frequency(docker),
        training=_read_training(docker, config.get("lightly") or {}),
        checkpoint_run_id=docker.get("checkpointRunId") or "",
        selection=config.get("selection") or make_old_selection(docker),
        docker=docker,
    )


def _log_what_has_no_effect(docker: Mapping[str, Any], selection: Mapping[str, Any]) -> None:
    for option in _OLD_SELECTION if selection else ():
        if docker.get(option):
            log.warning("worker_config.%s changes nothing beside a selection_config.", option)
    if (docker.get("training") or {}).get("taskName") and not docker.get("enableTraining"):
        log.warning("worker_config.training changes nothing without enable_training.")
    if docker.get("pretaggingDebug") and not docker.get("pretagging"):
        log.warning("worker_config.pretagging_debug changes nothing without pretagging.")
    if docker.get("memoryRequirementInGB") is not None:
        log.info("Memory is bounded whatever worker_config.memory_requirement_in_GB is.")


def _read_object_frequency(docker: Mapping[str, Any]) -> ObjectFrequency:
    config = docker.get("scorerConfig") or {}
    given = {"penalty": config.get("frequencyPenalty"), "min_score": config.get("minScore")}
    return ObjectFrequency(**{name: value for name, value in given.items() if value is not None})


def _read_expiry(datasource: Mapping[str, Any]) -> ExpiryOptions | None:
    found = datasource.get("inputExpiration") or {}
    if found.get("minDaysToExpiration") is None:
        return None
    return ExpiryOptions(found["minDaysToExpiration"], found.get("handlingStrategy") or "ABORT")


def _read_embedding_dim(config: Mapping[str, Any]) -> int | None:
    """Return how long embeddings of a file must be; None if the configuration does not say."""
    model = (config.get("lightly") or {}).get("model") or {}
    dim: int | None = model.get("numFtrs")
    return dim


def _read_training(
    docker: Mapping[str, Any], lightly: Mapping[str, Any]
) -> TrainingSettings | None:
    """Return how to train; None if the run trains nothing."""
    if not docker.get("enableTraining"):
        if lightly:
            log.info("lightly_config steers training, which this run does without.")
        return None
    if docker.get("checkpoint"):
        raise RunRefused(
            "A training cannot begin with worker_config.checkpoint, which names a model in ONNX. "
            "Leave it out, or name a run that has trained with checkpoint_run_id."
        )
    try:
        settings = read_training_settings(lightly)
    except BadInput as error:
        raise RunRefused(str(error)) from error
    return settings if settings.max_epochs else None


def _count_processes(docker: Mapping[str, Any]) -> int | None:
    """Return how many processes the configuration asks for; None for one per core."""
    asked = [docker.get(name) for name in ("numProcesses", "numThreads")]
    return next((count for count in asked if count is not None and count > 0), None)


def choose_model(options: RunOptions) -> str:
    """Return the id of the model to embed with: `checkpoint` names a registered one.

    Raises:
        RunRefused: If it names a file. Whoever schedules a run has no business with the files of
            the worker's machine.
    """
    name = str(options.docker.get("checkpoint") or DEFAULT_MODEL_ID)
    if "/" in name or name.lower().endswith((".onnx", ".ckpt", ".pt", ".safetensors")):
        raise RunRefused(
            f"worker_config.checkpoint must be the id of a model, got {name[:80]!r}. Add the ONNX "
            "file on the worker's machine with `lightly models add FILE.onnx` and name its id."
        )
    return name


def make_old_selection(docker: Mapping[str, Any]) -> dict[str, Any]:
    """Return the selection that `method` and `stopping_condition` of old configurations describe.

    Raises:
        RunRefused: If there is neither.
    """
    stopping = dict(docker.get("stoppingCondition") or {})
    n_samples, min_distance = stopping.get("nSamples", -1), stopping.get("minDistance", -1)
    if n_samples == -1 and min_distance == -1:
        raise RunRefused(
            "The run does not say how much to select. Give it a selection_config, or "
            "worker_config.stopping_condition with n_samples or min_distance."
        )
    selection: dict[str, Any] = {"strategies": _make_old_strategies(docker, min_distance)}
    if 0 < n_samples < 1:
        selection["proportionSamples"] = n_samples
    else:
        selection["nSamples"] = int(n_samples)
    return selection


def _make_old_strategies(
    docker: Mapping[str, Any], min_distance: float
) -> list[dict[str, dict[str, Any]]]:
    method = docker.get("method") or "coreset"
    if method == "random":
        return [{"input": {"type": "RANDOM"}, "strategy": {"type": "WEIGHTS"}}]
    diversity: dict[str, Any] = {"type": "DIVERSITY"}
    if min_distance >= 0:
        diversity["stopping_condition_minimum_distance"] = min_distance
    strategies = [{"input": {"type": "EMBEDDINGS"}, "strategy": diversity}]
    if method == "coral":
        strategies.append({"input": _name_old_scores(docker), "strategy": {"type": "WEIGHTS"}})
    return strategies


def _name_old_scores(docker: Mapping[str, Any]) -> dict[str, str]:
    """Return the scores of the method coral: of a task that is named, or of pretagging."""
    scores = dict(docker.get("activeLearning") or {})
    if scores.get("taskName"):
        score = scores.get("scoreName") or "uncertainty_margin"
        return {"type": "SCORES", "task": scores["taskName"], "score": score}
    if docker.get("pretagging"):
        return {"type": "SCORES", "task": PRETAGGING_TASK, "score": read_scorer(docker)}
    raise RunRefused(
        "The method coral needs worker_config.active_learning.task_name: the prediction task whose "
        "scores weigh the samples. Or set worker_config.pretagging, and name one of its scores as "
        "scorer."
    )
