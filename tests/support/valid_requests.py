"""One request for every route that its owner would see succeed, with every id that it can carry.

Tests of refusals change one thing in it, so that nothing else can be the reason of the refusal.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.testclient import TestClient

from lightly._kit.ids import make_id
from tests.support.population import N_SAMPLES, FilledDataset
from tests.support.routes import fill_path

_DATASETS = "/v1/datasets"
_DATASET = "/v1/datasets/{datasetId}"
_EXT_SAMPLES = "/ext/v1/datasets/{datasetId}/samples"
_EMBEDDING = f"{_DATASET}/embeddings/{{embeddingId}}"
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
    """

    method: str
    template: str
    path: dict[str, str]
    query: dict[str, str]
    body: Body | None = None
    content: bytes | None = None

    @property
    def url(self) -> str:
        """The path with its parameters filled in."""
        return fill_path(self.template, **{name: quote(value) for name, value in self.path.items()})

    def send(self, client: TestClient) -> Any:
        """Send it and return the answer; redirects are not followed."""
        options: dict[str, Any] = {"params": self.query, "follow_redirects": False}
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
    path = {
        "datasetId": dataset.id,
        "sampleId": dataset.sample_ids[0],
        "tagId": dataset.leaf_tag_id,
        "scoreId": dataset.score_id,
        "embeddingId": dataset.embedding_id,
        "embedding2dId": dataset.embedding2d_id,
        "configurationId": dataset.configuration_id,
        "jobId": dataset.job_id,
        "datasetName": dataset.name,
        "key": dataset.image_key,
    }
    query = dict(_QUERIES.get(template, {}))
    if template.endswith("/readurlRedirect"):
        query["publicToken"] = dataset.public_token
    if template.startswith("/blobs/"):
        signed_url = dataset.write_url if method == "PUT" else dataset.read_url
        query = dict(parse_qsl(urlsplit(signed_url).query))
    request = ValidRequest(
        method, template, {name: path[name] for name in path if f"{{{name}" in template}, query
    )
    if method == "PUT" and template.startswith("/blobs/"):
        return replace(request, content=b"new bytes")
    if method in {"POST", "PUT", "PATCH"}:
        return replace(request, body=_find_body(method, template)(dataset))
    return request


def _find_body(method: str, template: str) -> Callable[[FilledDataset], Body]:
    try:
        return _BODIES[method, template.rstrip("/")]
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
        "runId": make_id(),
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
        "runId": make_id(),
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


_QUERIES: dict[str, dict[str, str]] = {
    f"{_DATASET}/samples/{{sampleId}}/writeurl": {"isThumbnail": "False"},
    f"{_DATASET}/samples/{{sampleId}}/readurlRedirect": {"type": "full"},
    f"{_DATASET}/mappings": {"field": "fileName"},
    f"{_EXT_SAMPLES}/stored": {"kind": "full"},
    f"{_DATASET}/embeddings/writeCSVUrl": {"name": "another embedding"},
}

_BODIES: dict[tuple[str, str], Callable[[FilledDataset], Body]] = {
    ("POST", _DATASETS): _create_dataset,
    ("PUT", _DATASET): lambda _: {"name": f"set {make_id()}"},
    ("PUT", f"{_DATASET}/registerDatasetUpload"): lambda _: {
        "total": 1,
        "processed": 0,
        "uploadMethod": "USER_PIP",
        "isRegistered": True,
    },
    ("POST", f"{_DATASET}/samples"): _create_sample,
    ("POST", f"{_DATASET}/samples/withWriteUrls"): _create_sample,
    ("PUT", f"{_DATASET}/samples/{{sampleId}}"): _update_sample,
    ("POST", f"{_EXT_SAMPLES}/bulk"): lambda dataset: {"samples": [_create_sample(dataset)]},
    ("POST", f"{_EXT_SAMPLES}/writeUrls"): lambda dataset: {
        "sampleIds": dataset.sample_ids[:2],
        "kinds": ["full", "thumb"],
    },
    ("PUT", f"{_EXT_SAMPLES}/customMetadata"): _update_custom_metadata,
    ("POST", f"{_DATASET}/configuration/metadata"): _set_configuration,
    ("PUT", f"{_DATASET}/configuration/metadata/{{configurationId}}"): _set_configuration,
    ("POST", f"{_DATASET}/tags"): _create_tag,
    ("POST", f"{_DATASET}/tags/initial"): lambda _: {
        "name": "initial",
        "creator": "USER_PIP",
        "imgType": "full",
        "runId": make_id(),
    },
    ("POST", f"{_DATASET}/tags/upsize"): lambda _: {
        "upsizeTagName": f"tag {make_id()}",
        "upsizeTagCreator": "USER_PIP",
        "runId": make_id(),
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
