"""HTTP in and out of what only published clients before 1.2 call.

Client 1.0.8 takes nothing but status 200 and follows redirects with a GET, so every path below
`/users` is served with and without a slash at its end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from lightly.openapi_generated.swagger_client.models.configuration_set_request import (
    ConfigurationSetRequest,
)
from lightly.server.auth.quotas import find_max_dataset_size
from lightly.server.http.parameters import ConfigurationId, DatasetId, SampleId, TagId
from lightly.server.http.requests import (
    ContractRoute,
    JsonBody,
    RawBody,
    decode_json,
    parse_body,
)
from lightly.server.http.responses import created, json_response
from lightly.server.legacy import configurations, embeddings, service
from lightly.server.legacy.requests import (
    AuthorizationBody,
    ConfigurationChoice,
    DatasetBody,
    DiagnosticsBody,
    EmbeddingBody,
    SampleBody,
    TagBody,
)
from lightly.server.metadata.routes import write_configuration
from lightly.server.platform import Caller, Platform
from lightly.server.service.routes import LATEST_CLIENT_VERSION
from lightly.server.tags.selected import list_file_names

router = APIRouter(route_class=ContractRoute, include_in_schema=False)

_DATASET = "/users/datasets/{datasetId}"
_CONFIGURATIONS = "/v1/configuration/metadata"
_Endpoint = Callable[..., Response]


def _serve(method: str, path: str) -> Callable[[_Endpoint], _Endpoint]:
    """Serve a path of client 1.0.8 in both spellings."""

    def register(endpoint: _Endpoint) -> _Endpoint:
        for spelling in (path, f"{path}/"):
            router.add_api_route(spelling, endpoint, methods=[method])
        return endpoint

    return register


@router.get("/pip/version")
def get_newest_version(
    version: Annotated[str | None, Query()] = None,  # noqa: ARG001  the client sends its own
) -> Response:
    """Return the newest published client's version as the one item of a list."""
    return json_response([LATEST_CLIENT_VERSION])


@router.get("/ping")
def ping() -> Response:
    """Answer."""
    return json_response({"status": "alive"})


@_serve("GET", "/users/quota")
def get_quota(platform: Platform, caller: Caller) -> Response:
    """Return how many samples one dataset of the caller may have."""
    with platform.database.read() as connection:
        limit = find_max_dataset_size(connection, platform.settings, caller.id)
    return json_response({"maxDatasetSize": limit})


@_serve("GET", f"{_DATASET}/tags")
def get_tags(dataset_id: DatasetId, platform: Platform, caller: Caller) -> Response:
    """List the tags of a dataset."""
    found = service.list_tags(platform, caller, dataset_id)
    return json_response(_write_names(found))


@_serve("POST", f"{_DATASET}/tags")
def create_tag(
    dataset_id: DatasetId,
    body: JsonBody[TagBody],  # noqa: ARG001  checked to hold nothing but the token
    platform: Platform,
    caller: Caller,
) -> Response:
    """Make the tag over all samples."""
    return json_response({"_id": service.create_initial_tag(platform, caller, dataset_id)})


@_serve("GET", f"{_DATASET}/tags/{{tagId}}/download")
def download_tag(
    dataset_id: DatasetId, tag_id: TagId, platform: Platform, caller: Caller
) -> Response:
    """Return the file names of a tag, one per line."""
    pieces = list_file_names(platform, caller, dataset_id, tag_id)
    lines = ("".join(f"{name}\n" for name in piece) for piece in pieces)
    return StreamingResponse(lines, media_type="text/plain")


@_serve("POST", f"{_DATASET}/samples")
def create_sample(
    dataset_id: DatasetId, body: JsonBody[SampleBody], platform: Platform, caller: Caller
) -> Response:
    """Register a sample."""
    sample_id = service.create_sample(platform, caller, dataset_id, body.sample)
    return json_response({"sampleId": sample_id})


@_serve("GET", f"{_DATASET}/samples/{{sampleId}}/writeurl")
def get_write_url(
    dataset_id: DatasetId,
    sample_id: SampleId,
    platform: Platform,
    caller: Caller,
    file_name: Annotated[str, Query(alias="fileName")],
) -> Response:
    """Return the URL that takes the image or the thumbnail of a sample."""
    url = service.make_write_url(platform, caller, dataset_id, sample_id, file_name)
    return json_response({"signedWriteUrl": url})


@_serve("PUT", _DATASET)
def update_dataset(
    dataset_id: DatasetId, body: JsonBody[DatasetBody], platform: Platform, caller: Caller
) -> Response:
    """Note which pixels the client has sent."""
    service.set_image_type(platform, caller, dataset_id, body.dataset.img_type)
    return json_response({"_id": dataset_id})


@_serve("GET", f"{_DATASET}/embeddings")
def get_embeddings(
    dataset_id: DatasetId,
    platform: Platform,
    caller: Caller,
    mode: Annotated[str | None, Query()] = None,  # noqa: ARG001  the client asks for summaries only
) -> Response:
    """List the embeddings of a dataset."""
    found = embeddings.list_embeddings(platform, caller, dataset_id)
    return json_response(_write_names(found))


@_serve("POST", f"{_DATASET}/embeddings")
def add_embedding_rows(
    dataset_id: DatasetId, body: RawBody, platform: Platform, caller: Caller
) -> Response:
    """Take some rows of an embedding."""
    rows = parse_body(EmbeddingBody, decode_json(body))
    embeddings.receive_rows(platform, caller, dataset_id, rows)
    return json_response({"embeddingName": rows.embedding_name})


@_serve("GET", "/users/docker/soft_authorization")
def get_soft_authorization(caller: Caller) -> Response:  # noqa: ARG001  needs a token
    """Allow a container to run: a server of one's own has no licence that could end."""
    return json_response({"authorized": True})


@_serve("POST", "/users/docker/authorization")
def get_authorization(
    body: JsonBody[AuthorizationBody],  # noqa: ARG001  nothing in it matters here
    caller: Caller,  # noqa: ARG001  needs a token
) -> Response:
    """Allow a container to run; see `get_soft_authorization`."""
    return json_response({"authorized": True})


@_serve("POST", "/users/docker")
def post_diagnostics(
    body: JsonBody[DiagnosticsBody],  # noqa: ARG001  no telemetry is kept
    caller: Caller,  # noqa: ARG001  needs a token
) -> Response:
    """Take what a container reports of itself, which nobody here collects."""
    return json_response({})


@router.get(_CONFIGURATIONS)
def get_configurations(platform: Platform, caller: Caller) -> Response:
    """List the metadata configurations of a user."""
    found = configurations.list_configurations(platform, caller)
    return json_response([write_configuration(configuration) for configuration in found])


@router.post(_CONFIGURATIONS, status_code=201)
def create_configuration(
    body: JsonBody[ConfigurationSetRequest], platform: Platform, caller: Caller
) -> Response:
    """Add a metadata configuration that no dataset goes by yet."""
    return created(configurations.create_configuration(platform, caller, body))


@router.get(f"{_CONFIGURATIONS}/{{configurationId}}")
def get_configuration(
    configuration_id: ConfigurationId, platform: Platform, caller: Caller
) -> Response:
    """Return one metadata configuration."""
    found = configurations.get_configuration(platform, caller, configuration_id)
    return json_response(write_configuration(found))


@router.put(f"{_CONFIGURATIONS}/{{configurationId}}", status_code=204)
def update_configuration(
    configuration_id: ConfigurationId,
    body: JsonBody[ConfigurationSetRequest],
    platform: Platform,
    caller: Caller,
) -> Response:
    """Replace name and entries of a metadata configuration."""
    configurations.update_configuration(platform, caller, configuration_id, body)
    return Response(status_code=204)


@router.put("/v1/datasets/{datasetId}/setMetaDataConfiguration", status_code=204)
def choose_configuration(
    dataset_id: DatasetId, body: JsonBody[ConfigurationChoice], platform: Platform, caller: Caller
) -> Response:
    """Let a dataset go by a metadata configuration."""
    configurations.choose_configuration(platform, caller, dataset_id, body.id)
    return Response(status_code=204)


def _write_names(found: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"_id": id_, "name": name} for id_, name in found]
