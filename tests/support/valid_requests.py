"""One request for every route that its owner would see succeed, with every id that it can carry.

Tests of refusals change one thing in it, so that nothing else can be the reason of the refusal.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.testclient import TestClient

from lightly._kit.ids import make_id
from tests.support.platforms import TOKEN
from tests.support.population import FILE_NAME, N_SAMPLES, FilledDataset
from tests.support.routes import fill_path

_DATASETS = "/v1/datasets"
_DATASET = "/v1/datasets/{datasetId}"
_USERS = "/users/datasets/{datasetId}"
_LEGACY_CONFIGURATIONS = "/v1/configuration/metadata"
_DATASOURCE = f"{_DATASET}/datasource"
_EXT_SAMPLES = "/ext/v1/datasets/{datasetId}/samples"
_TEAM = "/v1/teams/{teamId}"
_WORKERS = "/v1/docker/worker"
_CONFIGS = f"{_WORKERS}/config"
_CONFIG_VERSIONS = {
    f"{_CONFIGS}/{part}/{{configId}}": version
    for part, version in (("v2", "V2"), ("v3", "V3"), ("vX", "V4"))
}
_EMBEDDING = f"{_DATASET}/embeddings/{{embeddingId}}"
_RUNS = "/v1/docker/runs"
_EXT_RUNS = "/ext/v1/runs"
_CANCEL = "/ext/v1/jobs/{jobId}/cancel"
#: Below these a worker writes in the name of its run, and sends its lease along.
_WRITTEN_BY_WORKERS = (_RUNS, _EXT_RUNS, f"{_DATASET}/tags")
Body = dict[str, Any]


@dataclass(frozen=True)
class ValidRequest:
    """A request before it is sent.

    Attributes:
        method: Of HTTP.
        template: The route's path template.
        path: Values of its parameters.
        query: Values of query parameters.
        body: The JSON body; None when the route takes none.
        content: Raw bytes instead of a JSON body.
        headers: Beside the token.
    """

    method: str
    template: str
    path: dict[str, str]
    query: dict[str, str]
    body: Body | list[Body] | None = None
    content: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The path with its parameters filled in."""
        return fill_path(self.template, **{name: quote(value) for name, value in self.path.items()})

    def send(self, client: TestClient) -> Any:
        """Send it and return the answer; redirects are not followed."""
        options: dict[str, Any] = {
            "params": self.query,
            "headers": self.headers,
            "follow_redirects": False,
        }
        if self.body is not None:
            options["json"] = self.body
        elif self.content is not None:
            options["content"] = self.content
        return client.request(self.method, self.url, **options)

    def with_value(self, place: str, name: str, value: str) -> ValidRequest:
        """Return the same request with another value in one place.

        Args:
            place: `path`, `query` or `body`.
            name: The parameter; in bodies a path such as `items.[].id`.
            value: What it becomes.
        """
        if place == "path":
            return replace(self, path={**self.path, name: value})
        if place == "query":
            return replace(self, query={**self.query, name: value})
        body = copy.deepcopy(self.body)
        *parents, last = name.split(".")
        inner: Any = body
        for part in parents:
            inner = inner[0] if part == "[]" else inner[part]
        inner[0 if last == "[]" else last] = value
        return replace(self, body=body)


def make_valid_request(method: str, template: str, dataset: FilledDataset) -> ValidRequest:
    """Return a request that the owner of `dataset` would see succeed.

    Raises:
        LookupError: If the route writes and nobody has said what to send.
    """
    path = _make_path(template, dataset)
    query = dict(_QUERIES.get(template, {}))
    if (method, template) == ("POST", f"{_DATASET}/predictions/scores"):
        query["taskName"] = dataset.task_name
    if template == f"{_DATASETS}/enriched/query/ids":
        query["datasetIds"] = dataset.id
    query |= _find_watched(template, dataset)
    if template.startswith(_USERS) and "writeurl" in template:
        query["fileName"] = dataset.file_names[0]
    if template.endswith("/readurlRedirect"):
        query["publicToken"] = dataset.public_token
    if (method, template) == ("POST", _WORKERS):
        query["forUserId"] = dataset.owner_id
    if template.startswith(_DATASOURCE):
        query |= _find_listing_query(template, dataset)
    if template.startswith(("/blobs/", "/files/")):
        urls = {
            "blobs": (dataset.read_url, dataset.write_url),
            "files": (dataset.file_url, dataset.file_write_url),
        }
        signed_url = urls[template.split("/")[1]][method == "PUT"]
        query = dict(parse_qsl(urlsplit(signed_url).query))
    request = ValidRequest(
        method, template, {name: path[name] for name in path if f"{{{name}" in template}, query
    )
    if method == "PUT" and template.startswith(("/blobs/", "/files/")):
        return replace(request, content=b"new bytes")
    request = replace(request, headers=_find_headers(method, template, dataset))
    if method in {"POST", "PUT", "PATCH"} and (method, template) not in _WITHOUT_BODY:
        return replace(request, body=_find_body(method, template)(dataset))
    return request


def _find_watched(template: str, dataset: FilledDataset) -> dict[str, str]:
    if template == "/ext/v1/events":
        return {"datasetId": dataset.id, "runId": dataset.run_id}
    return {"datasetId": dataset.id} if template == _EXT_RUNS else {}


def _find_listing_query(template: str, dataset: FilledDataset) -> dict[str, str]:
    if template.endswith("/readurlRedirect"):
        return {"publicToken": dataset.file_token}
    if template.startswith((f"{_DATASOURCE}/metadata/list", f"{_DATASOURCE}/predictions/list")):
        return {
            "relevantFilenamesRunId": dataset.run_id,
            "relevantFilenamesArtifactId": dataset.artifact_id,
        }
    return {}


def _make_path(template: str, dataset: FilledDataset) -> dict[str, str]:
    path = {
        "datasetId": dataset.id,
        "sampleId": dataset.sample_ids[0],
        "tagId": dataset.leaf_tag_id,
        "scoreId": dataset.score_id,
        "embeddingId": dataset.embedding_id,
        "embedding2dId": dataset.embedding2d_id,
        "configurationId": dataset.configuration_id,
        "jobId": dataset.job_id,
        "workerId": dataset.worker_id,
        "configId": dataset.config_ids[_CONFIG_VERSIONS.get(template, "V0")],
        "accessConfigId": dataset.access_config_id,
        "teamId": dataset.team_id,
        "userId": dataset.member_id,
        "serviceAccountId": dataset.service_account_id,
        "scheduledId": dataset.scheduled_id,
        "runId": dataset.run_id,
        "artifactId": dataset.artifact_id,
        "datasourceId": dataset.datasource_id,
        "sessionId": dataset.session_id,
        "neighborhoodId": dataset.neighborhood_id,
        "tokenId": dataset.token_id,
        "datasetName": dataset.name,
        "key": dataset.image_key,
        "taskName": dataset.task_name,
        "columnName": "picks",
        "metadataKey": "owner",
        "viewId": dataset.view_id,
    }
    if template == _CANCEL:
        path["jobId"] = dataset.cancelled_job_id
    if "/predictions/scores" in template:
        path["scoreId"] = dataset.prediction_score_id
    if template.startswith(f"{_RUNS}/schedule/"):
        path["scheduledId"] = dataset.run_scheduled_id
    if template.startswith(_LEGACY_CONFIGURATIONS):
        path["configurationId"] = dataset.user_configuration_id
    return path


def _find_headers(method: str, template: str, dataset: FilledDataset) -> dict[str, str]:
    is_write = method != "GET" or template.endswith("/writeReportUrl")
    if is_write and template.startswith(_WRITTEN_BY_WORKERS):
        return {"Lightly-Lease": dataset.lease}
    return {}


def _find_body(method: str, template: str) -> Callable[[FilledDataset], Body]:
    try:
        return (_BODIES | _RUN_BODIES | _LEGACY_BODIES)[method, template.rstrip("/")]
    except KeyError:
        raise LookupError(f"say in {__name__} what a valid {method} {template} sends") from None


def _create_dataset(dataset: FilledDataset) -> Body:
    return {
        "name": f"set {make_id()}",
        "type": "Crops",
        "imgType": "full",
        "creator": "USER_PIP",
        "parentDatasetId": dataset.id,
    }


def _select(dataset: FilledDataset) -> Body:
    return {
        "newTagName": f"picked {make_id()}",
        "strategies": [{"type": "SIMILARITY", "tagId": dataset.leaf_tag_id}],
        "nSamples": 1,
        "queryTagId": dataset.child_tag_id,
        "preselectedTagId": dataset.leaf_tag_id,
        "embeddingId": dataset.embedding_id,
    }


def _share(dataset: FilledDataset) -> Body:
    return {
        "accessType": "WRITE",
        "users": [f"{make_id()}@example.com"],
        "teams": [dataset.team_id],
        "creator": "USER_PIP",
    }


def _make_worker_config(dataset: FilledDataset) -> Body:
    query = {
        "type": "EMBEDDINGS",
        "task": "cars",
        "datasetId": dataset.id,
        "tagName": "initial-tag",
    }
    shares = {"type": "PREDICTIONS", "task": "cars", "name": "CLASS_DISTRIBUTION"}
    return {
        "workerType": "FULL",
        "docker": {
            "relevantFilenamesFile": "a/b.txt",
            "corruptnessCheck": {"corruptionThreshold": 0.5},
            "datasource": {"bypassVerify": True, "processAll": False},
            "selectedSequenceLength": 2,
        },
        "lightly": {"loader": {"batchSize": 4}, "collate": {"sigmas": [0.5, 1.5]}},
        "selection": {
            "nSamples": 4,
            "strategies": [
                {"input": query, "strategy": {"type": "SIMILARITY"}},
                {"input": shares, "strategy": {"type": "BALANCE", "target": {"car": 0.5}}},
            ],
        },
    }


def _create_worker_config(dataset: FilledDataset) -> Body:
    return {"config": _make_worker_config(dataset), "creator": "USER_PIP"}


def _create_sample(dataset: FilledDataset) -> Body:
    return {
        "fileName": f"{make_id()}.jpg",
        "thumbName": "thumb.webp",
        "exif": {"make": "camera"},
        "metaData": _make_metadata(),
        "customMetaData": {"weather": "fair"},
        "videoFrameData": {
            "sourceVideo": "film.mp4",
            "sourceVideoFrameIndex": 1,
            "sourceVideoFrameTimestamp": 0.04,
        },
        "cropData": {
            "parentId": dataset.sample_ids[0],
            "predictionUUIDTimestamp": 0,
            "predictionIndex": 0,
            "predictionTaskName": "cars",
            "predictionTaskCategoryId": 0,
            "predictionTaskScore": 0.5,
        },
    }


def _make_metadata() -> Body:
    return {
        "custom": {"a": 1},
        "dynamic": {"b": 2},
        "sharpness": 20.5,
        "luminance": 50,
        "sizeInBytes": 1000,
        "snr": 2.5,
        "uniformRowRatio": 0,
        "mean": [0.4, 0.5, 0.6],
        "shape": [480, 640, 3],
        "std": [0.1, 0.2, 0.3],
        "sumOfSquares": [1.0, 2.0, 3.0],
        "sumOfValues": [1.5, 2.5, 3.5],
    }


def _update_sample(_dataset: FilledDataset) -> Body:
    return {
        "fileName": f"{make_id()}.jpg",
        "thumbName": "thumb.webp",
        "exif": {"make": "camera"},
        "metaData": _make_metadata(),
        "customMetaData": {"weather": "fair"},
    }


def _create_tag(dataset: FilledDataset) -> Body:
    return {
        "name": f"tag {make_id()}",
        "prevTagId": dataset.initial_tag_id,
        "queryTagId": dataset.child_tag_id,
        "preselectedTagId": dataset.leaf_tag_id,
        "bitMaskData": "0xf",
        "totSize": N_SAMPLES,
        "creator": "USER_PIP",
        "changes": _make_changes(),
        "runId": dataset.run_id,
    }


def _make_changes() -> Body:
    counts = {"count": 1, "added": 1, "removed": 0}
    return {
        "initial": {"runId": make_id()},
        "rename": {"from": "old", "to": "new"},
        "upsize": {"from": 1, "to": 2, "runId": make_id()},
        "arithmetics": {"operation": "UNION", "tag1": "one", "tag2": "two"},
        "metadata": {"method": "selected", "changes": {"min": 1}, **counts},
        "samples": {"method": "selected", **counts},
        "scatterplot": {"method": "selected", "view": "PCA", **counts},
        "sampler": {"method": "CORESET"},
    }


def _update_tag(_dataset: FilledDataset) -> Body:
    return {
        "name": f"tag {make_id()}",
        "bitMaskData": "0x3",
        "updateCreator": "USER_PIP",
        "changes": _make_changes(),
    }


def _combine_tags(dataset: FilledDataset) -> Body:
    return {
        "tagId1": dataset.initial_tag_id,
        "tagId2": dataset.child_tag_id,
        "operation": "DIFFERENCE",
        "newTagName": f"tag {make_id()}",
        "creator": "USER_PIP",
        "runId": dataset.run_id,
    }


def _set_configuration(_dataset: FilledDataset) -> Body:
    entry = {
        "name": "weather",
        "path": "weather",
        "defaultValue": "none",
        "valueDataType": "CATEGORICAL_STRING",
    }
    return {"name": f"configuration {make_id()}", "configs": [entry]}


def _create_sampling(dataset: FilledDataset) -> Body:
    return {
        "newTagName": f"tag {make_id()}",
        "method": "RANDOM",
        "config": {"stoppingCondition": {"nSamples": 4, "minDistance": -1}},
        "preselectedTagId": dataset.leaf_tag_id,
        "queryTagId": dataset.child_tag_id,
        "scoreType": "score",
        "rowCount": N_SAMPLES,
    }


def _create_projection(_dataset: FilledDataset) -> Body:
    return {
        "name": f"projection {make_id()}",
        "dimensionalityReductionMethod": "PCA",
        "coordinatesDimension1": [0.5] * N_SAMPLES,
        "coordinatesDimension2": [0.25] * N_SAMPLES,
    }


def _update_custom_metadata(dataset: FilledDataset) -> Body:
    return {
        "items": [
            {"id": dataset.sample_ids[0], "customMetaData": {"weather": "fair"}},
            {"fileName": dataset.file_names[1], "customMetaData": None},
        ]
    }


def _put_task(_dataset: FilledDataset) -> Body:
    category = {"id": 0, "name": "cat", "keypointNames": ["head", "tail"]}
    return {
        "name": f"task-{make_id()}",
        "type": "KEYPOINT_DETECTION",
        "categories": [category | {"keypointSkeleton": [[0, 1]]}],
    }


def _make_predictions(dataset: FilledDataset) -> list[Body]:
    """Return the same predictions with all fields that those of any type may have."""
    prediction = {
        "type": "INSTANCE_SEGMENTATION",
        "taskName": dataset.task_name,
        "categoryId": 0,
        "score": 0.5,
        "segmentation": [1, 2],
        "bbox": [1, 2, 3, 4],
        "probabilities": [1],
        "cropDatasetId": dataset.id,
        "cropSampleId": dataset.sample_ids[0],
    }
    return [prediction]


def _put_many_predictions(dataset: FilledDataset) -> Body:
    predictions = _make_predictions(dataset)
    return {
        "items": [
            {"id": dataset.sample_ids[0], "predictions": predictions},
            {"fileName": dataset.file_names[1], "predictions": []},
        ]
    }


def _create_run(dataset: FilledDataset) -> Body:
    return {
        "dockerVersion": "2.6.0",
        "datasetId": dataset.id,
        "scheduledId": dataset.run_scheduled_id,
        "configId": dataset.config_ids["V4"],
        "message": "hello",
        "creator": "USER_WORKER",
    }


def _append_log(_dataset: FilledDataset) -> list[Body]:
    entry = {"ts": 1, "level": "INFO", "group": "worker", "origin": "main", "msg": "hello"}
    return [entry | {"state": "SAMPLING", "load": {"cpu": 1.5, "mem": 2}}]


def _create_schedule(dataset: FilledDataset) -> Body:
    return {
        "configId": dataset.config_ids["V4"],
        "priority": "HIGH",
        "runsOn": ["gpu"],
        "creator": "USER_PIP",
    }


#: PUTs that say everything in their path.
_WITHOUT_BODY = frozenset(
    {
        ("PUT", f"{_DATASET}/docker/worker/schedule/{{scheduledId}}"),
        ("PUT", f"{_RUNS}/{{runId}}/artifacts/{{artifactId}}/confirmUpload"),
        ("PUT", f"{_EXT_RUNS}/{{runId}}/stop"),
        ("PUT", _CANCEL),
        ("PUT", "/ext/v1/account/favourites/{datasetId}"),
    }
)

_QUERIES: dict[str, dict[str, str]] = {
    "/ext/v1/datasets/{datasetId}/predictions/tagSearch": {"word": "dog"},
    # Else the stream would last.
    "/ext/v1/events": {"runs": "true", "workers": "true", "maxSeconds": "0"},
    f"{_DATASET}/samples/{{sampleId}}/writeurl": {"isThumbnail": "False"},
    f"{_DATASET}/samples/{{sampleId}}/readurlRedirect": {"type": "full"},
    f"{_DATASET}/mappings": {"field": "fileName"},
    f"{_EXT_SAMPLES}/stored": {"kind": "full"},
    f"{_DATASET}/embeddings/writeCSVUrl": {"name": "another embedding"},
    f"{_DATASOURCE}": {"purpose": "INPUT"},
    f"{_DATASOURCE}/list/dnc": {"dncShards": "2"},
    f"{_DATASOURCE}/metadata/list/dnc": {"dncShards": "2"},
    f"{_DATASOURCE}/predictions/list": {"taskName": "task"},
    f"{_DATASOURCE}/predictions/list/dnc": {"taskName": "task", "dncShards": "2"},
    f"{_DATASOURCE}/predictions/file": {"fileName": "task/file.json"},
    f"{_DATASOURCE}/predictions/writeUrl": {"fileName": "task/file.json"},
    f"{_DATASOURCE}/metadata/file": {"fileName": "schema.json"},
    f"{_DATASOURCE}/embeddings/file": {"fileName": "file.csv"},
    f"{_DATASOURCE}/fileHEAD": {"fileName": FILE_NAME},
    f"{_DATASOURCE}/readurlRedirect": {"path": FILE_NAME},
}

_RUN_BODIES: dict[tuple[str, str], Callable[[FilledDataset], Body | list[Body]]] = {
    ("POST", f"{_DATASET}/docker/worker/schedule"): _create_schedule,
    ("PUT", f"{_DATASET}/docker/worker/{{workerId}}/schedule/{{scheduledId}}"): lambda _: {
        "state": "OPEN",
        "priority": "LOW",
        "runsOn": ["gpu"],
    },
    ("POST", _RUNS): _create_run,
    ("PUT", f"{_RUNS}/{{runId}}"): lambda _: {"state": "SAMPLING", "message": "hello", "ts": 1},
    ("PUT", f"{_RUNS}/{{runId}}/logs"): _append_log,
    ("POST", f"{_RUNS}/{{runId}}/artifacts"): lambda _: {
        "fileName": f"{make_id()}.txt",
        "type": "LOG",
        "storageLocation": "LIGHTLY",
    },
    ("POST", "/ext/v1/workers/{workerId}/sessions"): lambda _: {
        "dockerVersion": "3.0.0",
        "takesOver": True,
    },
    ("POST", f"{_EXT_RUNS}/claim"): lambda dataset: {
        "workerId": dataset.worker_id,
        "sessionId": dataset.session_id,
        "dockerVersion": "3.0.0",
        "versions": ["V4"],
    },
    ("PUT", f"{_EXT_RUNS}/{{runId}}/heartbeat"): lambda _: {
        "state": "SAMPLING",
        "message": "hello",
        "progress": {"processed": 1, "total": 2},
    },
    ("PUT", f"{_EXT_RUNS}/{{runId}}/release"): lambda _: {"message": "good-bye"},
    ("PUT", f"{_EXT_RUNS}/{{runId}}/finish"): lambda _: {"state": "COMPLETED", "message": "done"},
    ("PUT", f"{_EXT_RUNS}/{{runId}}/archived"): lambda _: {"isArchived": True},
    ("POST", f"{_EXT_RUNS}/{{runId}}/artifacts"): lambda _: {
        "fileName": f"{make_id()}.txt",
        "type": "LOG",
        "sizeBytes": 1,
        "sha256": "0" * 64,
    },
}


def _make_configuration(_dataset: FilledDataset) -> Body:
    entry = {"name": "n", "path": "p", "defaultValue": 0, "valueDataType": "NUMERIC_INT"}
    return {"name": f"set {make_id()}", "configs": [entry]}


_LEGACY_BODIES: dict[tuple[str, str], Callable[[FilledDataset], Body]] = {
    ("POST", f"{_USERS}/tags"): lambda _: {},
    ("POST", f"{_USERS}/samples"): lambda _: {
        "sample": {"fileName": f"{make_id()}.jpg", "thumbName": "thumb.webp", "meta": {}}
    },
    ("PUT", _USERS): lambda _: {"dataset": {"imgType": "full"}},
    ("POST", f"{_USERS}/embeddings"): lambda dataset: {
        "embeddingName": f"rows {make_id()}",
        "embeddings": [{"fileName": dataset.file_names[0], "value": [0.5], "label": 0}],
        "append": 0,
    },
    ("POST", "/users/docker/authorization"): lambda _: {"timestamp": "1", "task_description": {}},
    ("POST", "/users/docker"): lambda _: {
        "runId": "run",
        "action": "start",
        "data": {},
        "timestamp": "1",
    },
    ("POST", _LEGACY_CONFIGURATIONS): _make_configuration,
    ("PUT", f"{_LEGACY_CONFIGURATIONS}/{{configurationId}}"): _make_configuration,
    ("PUT", f"{_DATASET}/setMetaDataConfiguration"): lambda dataset: {
        "id": dataset.configuration_id
    },
}

_BODIES: dict[tuple[str, str], Callable[[FilledDataset], Any]] = {
    ("POST", "/ext/v1/datasets/{datasetId}/selection"): _select,
    ("POST", "/ext/v1/datasets/{datasetId}/neighborhoods"): lambda dataset: {
        "search": {"type": "NEAR_DUPLICATES", "maxDistance": 0.1},
        "embeddingId": dataset.embedding_id,
    },
    ("POST", "/ext/v1/datasets/{datasetId}/tags/{tagId}/coverage"): lambda dataset: {
        "embeddingId": dataset.embedding_id
    },
    ("PUT", "/ext/v1/datasets/{datasetId}/tags/{tagId}"): lambda dataset: {
        **_update_tag(dataset),
        "basedOn": 0,
    },
    ("POST", "/ext/v1/datasets/{datasetId}/columns/query"): lambda dataset: {
        "filters": [
            {
                "kind": "polygon",
                "embeddingId": dataset.embedding_id,
                "embedding2dId": dataset.embedding2d_id,
                "polygon": [[0, 0], [1, 0], [1, 1]],
            }
        ],
        "tagId": dataset.leaf_tag_id,
    },
    ("POST", "/ext/v1/datasets/{datasetId}/columns/embeddings/{embeddingId}/similar"): (
        lambda dataset: {"sampleIds": dataset.sample_ids[:1]}
    ),
    ("POST", "/ext/v1/datasets/{datasetId}/views"): lambda _: {"query": make_id()},
    ("PUT", "/ext/v1/datasets/{datasetId}/views/{viewId}"): lambda _: {"name": make_id()},
    ("POST", f"{_EXT_SAMPLES}/records"): lambda _: {"indices": [0]},
    ("POST", "/ext/v1/session"): lambda _: {"token": TOKEN},
    ("POST", "/ext/v1/account/tokens"): lambda _: {"name": "laptop"},
    ("POST", _DATASETS): _create_dataset,
    ("PUT", _DATASET): lambda _: {"name": f"set {make_id()}"},
    ("PUT", f"{_DATASET}/registerDatasetUpload"): lambda _: {
        "total": 1,
        "processed": 0,
        "uploadMethod": "USER_PIP",
        "isRegistered": True,
    },
    ("POST", f"{_DATASET}/collaboration/access"): _share,
    ("POST", f"{_TEAM}/members"): lambda _: {
        "email": f"{make_id()}@example.com",
        "role": "MEMBER",
    },
    ("PUT", f"{_TEAM}/members/{{userId}}"): lambda _: {"role": "ADMIN"},
    ("POST", f"{_TEAM}/serviceaccounts/{{serviceAccountId}}/token"): lambda _: {},
    ("POST", _WORKERS): lambda _: {
        "name": f"worker {make_id()}",
        "workerType": "FULL",
        "labels": ["gpu"],
        "creator": "USER_PIP",
        "dockerVersion": "2.6.0",
    },
    ("PUT", f"{_WORKERS}/{{workerId}}"): lambda _: {"state": "IDLE", "dockerVersion": "2.6.0"},
    ("POST", _CONFIGS): _create_worker_config,
    ("PUT", f"{_CONFIGS}/{{configId}}"): _create_worker_config,
    ("POST", f"{_CONFIGS}/v2"): _create_worker_config,
    ("POST", f"{_CONFIGS}/v3"): _create_worker_config,
    ("POST", f"{_CONFIGS}/vX"): lambda dataset: {
        "version": "V4",
        **_create_worker_config(dataset),
    },
    ("POST", "/v1/docker"): lambda _: {
        "runId": make_id(),
        "action": "finished",
        "data": {"seconds": 3},
        "timestamp": 1_700_000_000_000,
        "pipVersion": "1.5.26",
        "dockerVersion": "2.6.0",
    },
    ("POST", "/v1/docker/authorization"): lambda _: {
        "timestamp": 1_700_000_000_000,
        "taskDescription": {
            "embeddingsFilename": "embeddings.csv",
            "embeddingsHash": "abc",
            "method": "CORESET",
            "existingSelectionColumnName": "selected",
            "activeLearningScoresColumnName": "score",
            "maskedOutColumnName": "masked",
            "samplingConfig": {"stoppingCondition": {"nSamples": 4, "minDistance": -1}},
            "nData": 10,
        },
    },
    ("POST", "/v1/docker/workerAuthorization"): lambda _: {"hashedTaskDescription": "abc"},
    ("PUT", _DATASOURCE): lambda _: {
        "type": "LIGHTLY",
        "purpose": "INPUT_OUTPUT",
        "fullPath": "",
        "thumbSuffix": "[filename].[extension]",
    },
    ("PUT", f"{_DATASOURCE}/processedUntilTimestamp"): lambda _: {"processedUntilTimestamp": 1},
    ("POST", f"{_DATASET}/samples"): _create_sample,
    ("POST", f"{_DATASET}/samples/withWriteUrls"): _create_sample,
    ("PUT", f"{_DATASET}/samples/{{sampleId}}"): _update_sample,
    ("POST", f"{_EXT_SAMPLES}/bulk"): lambda dataset: {"samples": [_create_sample(dataset)]},
    ("POST", f"{_EXT_SAMPLES}/writeUrls"): lambda dataset: {
        "sampleIds": dataset.sample_ids[:2],
        "kinds": ["full", "thumb"],
    },
    ("POST", f"/ext{_DATASOURCE}/writeUrls"): lambda _: {
        "fileNames": [FILE_NAME, ".lightly/thumbnails/a_thumb.jpg"],
    },
    ("PUT", f"{_EXT_SAMPLES}/customMetadata"): _update_custom_metadata,
    ("POST", f"{_DATASET}/predictions/tasks"): _put_task,
    ("POST", f"{_DATASET}/predictions/samples/{{sampleId}}"): _make_predictions,
    ("POST", f"{_DATASET}/predictions/scores"): lambda _: {
        "scoreType": "uncertainty",
        "scores": [0.5] * N_SAMPLES,
    },
    ("PUT", f"/ext{_DATASET}/predictions/samples"): _put_many_predictions,
    ("POST", f"{_DATASET}/configuration/metadata"): _set_configuration,
    ("PUT", f"{_DATASET}/configuration/metadata/{{configurationId}}"): _set_configuration,
    ("POST", f"{_DATASET}/tags"): _create_tag,
    ("POST", f"{_DATASET}/tags/initial"): lambda dataset: {
        "name": "initial",
        "creator": "USER_PIP",
        "imgType": "full",
        "runId": dataset.run_id,
    },
    ("POST", f"{_DATASET}/tags/upsize"): lambda dataset: {
        "upsizeTagName": f"tag {make_id()}",
        "upsizeTagCreator": "USER_PIP",
        "runId": dataset.run_id,
    },
    ("POST", f"{_DATASET}/tags/arithmetics"): _combine_tags,
    ("POST", f"{_DATASET}/tags/arithmetics/bitmask"): _combine_tags,
    ("PUT", f"{_DATASET}/tags/{{tagId}}"): _update_tag,
    ("POST", f"{_DATASET}/tags/{{tagId}}/scores"): lambda _: {
        "scoreType": "uncertainty",
        "scores": [0.1, 0.2, 0.3],
    },
    ("POST", f"{_EMBEDDING}/2d"): _create_projection,
    ("PUT", f"{_EMBEDDING}/isProcessed"): lambda _: {"rowCount": N_SAMPLES},
    ("POST", f"{_EMBEDDING}/sampling"): _create_sampling,
    ("POST", f"{_EMBEDDING}/trigger2dEmbeddingsJob"): lambda _: {
        "dimensionalityReductionMethod": "PCA"
    },
}
