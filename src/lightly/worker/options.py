"""The options of a run, from a configuration of any version."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lightly._kit.errors import BadInput
from lightly.embedding.registry import DEFAULT_MODEL_ID
from lightly.embedding.training.settings import TrainingSettings, read_training_settings
from lightly.utils.run_configuration.reading import read_free_form
from lightly.worker.errors import RunRefused

log = logging.getLogger("lightly.worker")

#: What this worker cannot do, by the option that asks for it and its harmless values.
_CANNOT: Mapping[str, tuple[str, tuple[object, ...]]] = {
    "appendWeakLabels": ("make weak labels", (None, False)),
    "uploadDataset": ("upload images without a datasource", (None, False)),
}
#: Options of the oldest clients that change nothing here, with what holds instead. They are logged.
_WITHOUT_EFFECT = {
    "dumpDataset": "selected images are in the dataset; `lightly copy` writes them to a folder",
    "dumpSampledEmbeddings": "embeddings of the selection are in the dataset",
    "memoryRequirementInGB": "memory is bounded without a setting",
    "runDirectory": "results are artifacts of the run",
    "pretaggingDebug": "predictions are shown in the web app",
    "sanityCheck": "`lightly worker --help` shows that a worker starts",
}


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
    training: TrainingSettings | None = None
    checkpoint_run_id: str = ""
    selection: Mapping[str, Any] = field(default_factory=dict)
    docker: Mapping[str, Any] = field(default_factory=dict)

    @property
    def object_task(self) -> str:
        """The task whose objects are selected in place of images; empty if images are."""
        return (self.docker.get("objectLevel") or {}).get("taskName") or ""


def read_options(answer: Mapping[str, Any]) -> RunOptions:
    """Return the options of a configuration as the server keeps it.

    Args:
        answer: `version` and `config`.

    Raises:
        RunRefused: If it asks for something that cannot be done.
        InvalidConfiguration: If a free-form configuration has an unknown or a wrong option.
    """
    version, config = answer.get("version", "V0"), dict(answer["config"])
    if version == "V0":
        config = read_free_form(config)
    docker = dict(config.get("docker") or {})
    _refuse_what_cannot_be_done(docker)
    _log_what_has_no_effect(docker)
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
        training=_read_training(docker, config.get("lightly") or {}),
        checkpoint_run_id=docker.get("checkpointRunId") or "",
        selection=config.get("selection") or make_old_selection(docker),
        docker=docker,
    )


def _refuse_what_cannot_be_done(docker: Mapping[str, Any]) -> None:
    for option, (deed, harmless) in _CANNOT.items():
        if docker.get(option) not in harmless:
            raise _refuse(option, deed)
    if docker.get("enableCorruptnessCheck") is False:
        raise _refuse("enableCorruptnessCheck: false", "embed files that cannot be decoded")


def _refuse(option: str, deed: str) -> RunRefused:
    return RunRefused(
        f"This worker cannot {deed}. Leave worker_config.{option} out, or set it to its default."
    )


def _log_what_has_no_effect(docker: Mapping[str, Any]) -> None:
    for option, instead in _WITHOUT_EFFECT.items():
        if docker.get(option) not in (None, False, "", -1):
            log.warning("worker_config.%s changes nothing: %s.", option, instead)


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
        scores = dict(docker.get("activeLearning") or {})
        if not scores.get("taskName"):
            raise RunRefused(
                "The method coral needs worker_config.active_learning.task_name: the prediction "
                "task whose scores weigh the samples."
            )
        score = scores.get("scoreName") or "uncertainty_margin"
        source = {"type": "SCORES", "task": scores["taskName"], "score": score}
        strategies.append({"input": source, "strategy": {"type": "WEIGHTS"}})
    return strategies
