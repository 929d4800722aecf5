"""Configurations of runs that give every option there is."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from lightly.openapi_generated.swagger_client.models.docker_worker_config_v2 import (
    DockerWorkerConfigV2,
)
from lightly.openapi_generated.swagger_client.models.docker_worker_config_v3 import (
    DockerWorkerConfigV3,
)
from lightly.openapi_generated.swagger_client.models.docker_worker_config_v4 import (
    DockerWorkerConfigV4,
)

Json = dict[str, Any]
MODELS: dict[str, type[BaseModel]] = {
    "V2": DockerWorkerConfigV2,
    "V3": DockerWorkerConfigV3,
    "V4": DockerWorkerConfigV4,
}

_COLLATE: Json = {
    "inputSize": 64,
    "cjProb": 0.8,
    "cjBright": 0.7,
    "cjContrast": 0.7,
    "cjSat": 0.7,
    "cjHue": 0.2,
    "minScale": 0.15,
    "randomGrayScale": 0.2,
    "gaussianBlur": 0.5,
    "kernelSize": 0.1,
    "sigmas": [0.1, 2],
    "vfProb": 0,
    "hfProb": 0.5,
    "rrProb": 0.0,
}
_LIGHTLY_V2: Json = {
    "loader": {"batchSize": 16, "shuffle": True, "numWorkers": -1, "dropLast": True},
    "model": {"name": "resnet-18", "outDim": 128, "numFtrs": 32, "width": 1},
    "trainer": {"gpus": 1, "maxEpochs": 100, "precision": 32},
    "criterion": {"temperature": 0.5},
    "optimizer": {"lr": 1, "weightDecay": 0.00001},
    "collate": _COLLATE,
}
_LIGHTLY_V3: Json = _LIGHTLY_V2 | {
    "seed": 1,
    "checkpointCallback": {"saveLast": True},
    "collate": _COLLATE | {"rrDegrees": [-10, 10]},
}
_DOCKER_OF_ALL: Json = {
    "checkpoint": "checkpoints/last.ckpt",
    "corruptnessCheck": {"corruptionThreshold": 0.1},
    "datasource": {"bypassVerify": False, "enableDatapoolUpdate": True, "processAll": False},
    "embeddings": "",
    "enableTraining": False,
    "normalizeEmbeddings": True,
    "outputImageFormat": "png",
    "pretagging": False,
    "pretaggingUpload": False,
    "relevantFilenamesFile": "lists/files.txt",
    "selectedSequenceLength": 1,
    "uploadReport": True,
}
_DOCKER_V2: Json = _DOCKER_OF_ALL | {
    "method": "coreset",
    "objectLevel": {"cropDatasetName": "crops", "padding": 0.1, "taskName": "cars"},
    "stoppingCondition": {"minDistance": -1, "nSamples": 0.1},
}
_EXPIRATION: Json = {"minDaysToExpiration": 3, "handlingStrategy": "SKIP"}
_DOCKER_V3: Json = _DOCKER_OF_ALL | {
    "datasource": _DOCKER_OF_ALL["datasource"] | {"inputExpiration": _EXPIRATION},
    "training": {"taskName": "cars"},
    "numProcesses": -1,
    "numThreads": 4,
    "shutdownWhenJobFinished": False,
}
_DOCKER_V4: Json = _DOCKER_V3 | {
    "crops": {"enableUpload": True, "enableUploadForTasks": ["cars"]},
    "useDatapool": True,
    "cacheSize": 1_000_000,
}
_QUERY: Json = {
    "type": "EMBEDDINGS",
    "task": "cars",
    "datasetId": "a" * 24,
    "tagName": "initial-tag",
}
_STRATEGIES_V2: list[Json] = [
    {
        "input": {"type": "EMBEDDINGS"},
        "strategy": {"type": "DIVERSITY", "stopping_condition_minimum_distance": 0.1},
    },
    {"input": _QUERY, "strategy": {"type": "SIMILARITY"}},
    {
        "input": {"type": "SCORES", "task": "cars", "score": "uncertainty_margin"},
        "strategy": {"type": "THRESHOLD", "threshold": 0.2, "operation": "BIGGER_EQUAL"},
    },
    {
        "input": {
            "type": "PREDICTIONS",
            "task": "cars",
            "name": "CATEGORY_COUNT",
            "categories": ["car"],
        },
        "strategy": {"type": "WEIGHTS"},
    },
    {
        "input": {"type": "METADATA", "key": "weather"},
        "strategy": {"type": "BALANCE", "target": {"sunny_day": 0.5}},
    },
    {"input": {"type": "RANDOM", "randomSeed": 42}, "strategy": {"type": "WEIGHTS"}},
]
_STRATEGIES_V3: list[Json] = [
    *_STRATEGIES_V2,
    {
        "input": {"type": "EMBEDDINGS"},
        "strategy": {
            "type": "TYPICALITY",
            "numNearestNeighbors": 20,
            "stoppingConditionMinimumTypicality": 0.5,
            "strength": -1,
        },
    },
    {
        "input": {"type": "RANDOM"},
        "strategy": {
            "type": "WEIGHTS",
            "stoppingConditionMaxSum": 100,
            "targetRange": {"minSum": 1, "maxSum": 2.5},
        },
    },
]
_STRATEGIES_V4: list[Json] = [
    *_STRATEGIES_V3,
    {
        "input": {"type": "METADATA", "key": "weather"},
        "strategy": {"type": "BALANCE", "distribution": "UNIFORM"},
    },
]
_AUTO_TASKS: list[Json] = [
    {"type": "TILING", "name": "tiles", "numRows": 2, "numCols": 3, "overlap": 0.1},
    {"type": "CROP", "name": "middle", "bboxs": [[0.25, 0.25, 0.75, 0.75]]},
]
#: Every option of a version, in its wire form. `proportionSamples` excludes `nSamples`.
FULL: dict[str, Json] = {
    "V2": {
        "workerType": "FULL",
        "docker": _DOCKER_V2,
        "lightly": _LIGHTLY_V2,
        "selection": {"nSamples": -1, "proportionSamples": 0.1, "strategies": _STRATEGIES_V2},
    },
    "V3": {
        "workerType": "FULL",
        "docker": _DOCKER_V3 | {"checkpoint": "", "checkpointRunId": "b" * 24},
        "lightly": _LIGHTLY_V3,
        "selection": {"nSamples": -1, "proportionSamples": 0.1, "strategies": _STRATEGIES_V3},
    },
    "V4": {
        "workerType": "FULL",
        "docker": _DOCKER_V4 | {"checkpoint": "", "checkpointRunId": "b" * 24},
        "lightly": _LIGHTLY_V3,
        "selection": {
            "nSamples": -1,
            "proportionSamples": 0.1,
            "strategies": _STRATEGIES_V4,
            "lightlyPathRegex": "(?P<camera>[^/]+)/.*",
            "autoTasks": _AUTO_TASKS,
        },
    },
}
#: Every option that workers of clients up to 1.2 had, as their users wrote them.
FREE_FORM: Json = {
    "enable_corruptness_check": True,
    "corruptness_check": {"corruption_threshold": 0.1},
    "remove_exact_duplicates": True,
    "checkpoint": "",
    "embeddings": "",
    "enable_training": False,
    "dump_dataset": False,
    "dump_sampled_embeddings": True,
    "output_image_size": -1,
    "output_image_format": "png",
    "upload_dataset": False,
    "pretagging": False,
    "pretagging_debug": False,
    "pretagging_config": "",
    "pretagging_upload": False,
    "append_weak_labels": False,
    "normalize_embeddings": True,
    "scorer": "object-frequency",
    "scorer_config": {"frequency_penalty": 0.25, "min_score": 0.9},
    "method": "coral",
    "stopping_condition": {"n_samples": 0.1, "min_distance": -1.0},
    "selected_sequence_length": 1,
    "datapool": {"name": None, "keep_history": True, "dataset_id": ""},
    "datasource": {
        "dataset_id": "",
        "process_all": False,
        "enable_datapool_update": True,
        "use_frame_count_metadata": False,
        "use_redirected_read_url": False,
        "bypass_verify": False,
    },
    "active_learning": {"task_name": "", "score_name": "uncertainty_margin"},
    "object_level": {"task_name": "", "crop_dataset_name": "", "padding": 0.0},
    "relevant_filenames_file": "",
    "upload_report": True,
    "n_example_images": 6,
    "memory_requirement_in_GB": 2,
    "show_video_sampling_timeline": True,
    "run_directory": "",
    "active_learning_score_column_name": "",
    "sanity_check": False,
    "token": "",
    "worker": {"worker_id": "", "force_start": True},
    "shutdown_when_job_finished": False,
}


def to_snake(name: str) -> str:
    """Return a wire name as Python users write it."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def list_objects(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every object whose keys are options; names of classes are none."""
    if isinstance(value, dict):
        yield path
        for key, inner in value.items():
            if key != "target":
                yield from list_objects(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from list_objects(inner, (*path, number))


def rename_key(value: Json, path: tuple[str | int, ...], key: str, new_key: str) -> Json:
    """Return a copy with one key of one object renamed."""
    changed = copy.deepcopy(value)
    inner: Any = changed
    for part in path:
        inner = inner[part]
    inner[new_key] = inner.pop(key)
    return changed


def find(value: Json, path: tuple[str | int, ...]) -> Any:
    """Return what is at a path."""
    inner: Any = value
    for part in path:
        inner = inner[part]
    return inner


def respell(value: Any) -> Any:
    """Return a configuration with all options in snake_case."""
    if isinstance(value, list):
        return [respell(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        to_snake(key): inner if key == "target" else respell(inner) for key, inner in value.items()
    }
