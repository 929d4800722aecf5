"""HTTP in and out of tags and their scores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from lightly._kit.bitmask import format_bitmask
from lightly.openapi_generated.swagger_client.models.active_learning_score_create_request import (
    ActiveLearningScoreCreateRequest,
)
from lightly.openapi_generated.swagger_client.models.initial_tag_create_request import (
    InitialTagCreateRequest,
)
from lightly.openapi_generated.swagger_client.models.tag_arithmetics_request import (
    TagArithmeticsRequest,
)
from lightly.openapi_generated.swagger_client.models.tag_create_request import TagCreateRequest
from lightly.openapi_generated.swagger_client.models.tag_creator import TagCreator
from lightly.openapi_generated.swagger_client.models.tag_update_request import TagUpdateRequest
from lightly.openapi_generated.swagger_client.models.tag_upsize_request import TagUpsizeRequest
from lightly.server.http.parameters import DatasetId, ScoreId, TagId
from lightly.server.http.requests import ContractRoute, JsonBody, RawBody, decode_json, parse_body
from lightly.server.http.responses import created, json_response, stream_json_list
from lightly.server.platform import Caller, Platform
from lightly.server.samples.listing import stream_pieces
from lightly.server.tags import arithmetics, editing, scores, selected, service
from lightly.server.tags.bodies import read_body_with_mask
from lightly.server.tags.masks import read_mask
from lightly.server.tags.models import Score, Tag

router = APIRouter(prefix="/v1/datasets/{datasetId}/tags", route_class=ContractRoute)

#: Scores per piece of a streamed answer: about 1 MB.
SCORES_PER_PIECE = 50_000


def write_tag(dataset_id: str, tag: Tag) -> dict[str, Any]:
    """Return the contract's `TagData`."""
    optional = {
        "queryTagId": tag.query_tag_id,
        "preselectedTagId": tag.preselected_tag_id,
        "runId": tag.run_id,
        "changes": tag.changes_json and orjson.Fragment(tag.changes_json),
    }
    return {
        "id": tag.id,
        "datasetId": dataset_id,
        "prevTagId": tag.prev_tag_id,
        "name": tag.name,
        "bitMaskData": format_bitmask(read_mask(tag)),
        "totSize": tag.tot_size,
        "createdAt": tag.created_at_ms,
        "lastModifiedAt": tag.last_modified_at_ms,
    } | {name: value for name, value in optional.items() if value is not None}


@router.get("")
def get_tags(dataset_id: DatasetId, platform: Platform, caller: Caller) -> Response:
    """List all tags of a dataset, oldest first."""
    tags = service.list_tags(platform, caller, dataset_id)
    return stream_json_list(write_tag(dataset_id, tag) for tag in tags)


@router.post("", status_code=201)
def create_tag(
    dataset_id: DatasetId, body: RawBody, platform: Platform, caller: Caller
) -> Response:
    """Make a tag."""
    request = read_body_with_mask(TagCreateRequest, body)
    return created(service.create_tag(platform, caller, dataset_id, request))


@router.post("/initial", status_code=201)
def create_initial_tag(
    dataset_id: DatasetId,
    body: JsonBody[InitialTagCreateRequest],
    platform: Platform,
    caller: Caller,
) -> Response:
    """Make the tag over all samples. Its name is fixed, whatever the request says."""
    tag_id = service.create_initial_tag(
        platform,
        caller,
        dataset_id,
        img_type=body.img_type.value,
        creator=(body.creator or TagCreator.UNKNOWN).value,
        run_id=body.run_id,
    )
    return created(tag_id)


@router.post("/upsize", status_code=201)
def upsize_tags(
    dataset_id: DatasetId, body: JsonBody[TagUpsizeRequest], platform: Platform, caller: Caller
) -> Response:
    """Let the tags cover the samples that were added; those get a tag of their own."""
    return created(service.upsize_tags(platform, caller, dataset_id, body))


@router.post("/arithmetics")
def perform_arithmetics(
    dataset_id: DatasetId, body: JsonBody[TagArithmeticsRequest], platform: Platform, caller: Caller
) -> Response:
    """Combine two tags: into a new tag if it is given a name, else into a mask."""
    if body.new_tag_name is None:
        mask = arithmetics.combine_tags(platform, caller, dataset_id, body)
        return json_response({"bitMaskData": format_bitmask(mask)})
    tag_id = arithmetics.create_combined_tag(platform, caller, dataset_id, body, body.new_tag_name)
    return json_response({"id": tag_id})


@router.post("/arithmetics/bitmask")
def perform_arithmetics_bitmask(
    dataset_id: DatasetId, body: JsonBody[TagArithmeticsRequest], platform: Platform, caller: Caller
) -> Response:
    """Combine two tags into a mask."""
    mask = arithmetics.combine_tags(platform, caller, dataset_id, body)
    return json_response({"bitMaskData": format_bitmask(mask)})


@router.get("/{tagId}")
def get_tag(dataset_id: DatasetId, tag_id: TagId, platform: Platform, caller: Caller) -> Response:
    """Return one tag."""
    return json_response(
        write_tag(dataset_id, service.get_tag(platform, caller, dataset_id, tag_id))
    )


@router.put("/{tagId}", status_code=204)
def update_tag(
    dataset_id: DatasetId, tag_id: TagId, body: RawBody, platform: Platform, caller: Caller
) -> Response:
    """Rename a tag or replace its samples."""
    request = read_body_with_mask(TagUpdateRequest, body)
    editing.update_tag(platform, caller, dataset_id, tag_id, request)
    return Response(status_code=204)


@router.delete("/{tagId}", status_code=204)
def delete_tag(
    dataset_id: DatasetId, tag_id: TagId, platform: Platform, caller: Caller
) -> Response:
    """Delete a tag that no other refers to."""
    service.delete_tag(platform, caller, dataset_id, tag_id)
    return Response(status_code=204)


@router.get("/{tagId}/filenames")
def get_file_names(
    dataset_id: DatasetId, tag_id: TagId, platform: Platform, caller: Caller
) -> Response:
    """List the file names of a tag's samples, in index order."""
    return stream_pieces(selected.list_file_names(platform, caller, dataset_id, tag_id))


@router.get("/{tagId}/scores")
def get_scores(
    dataset_id: DatasetId, tag_id: TagId, platform: Platform, caller: Caller
) -> Response:
    """List which scores a tag has."""
    found = scores.list_scores(platform, caller, dataset_id, tag_id)
    return json_response([_write_score(score) for score in found])


@router.post("/{tagId}/scores", status_code=201)
def put_scores(
    dataset_id: DatasetId, tag_id: TagId, body: RawBody, platform: Platform, caller: Caller
) -> Response:
    """Store one score per sample of a tag; the same type again replaces them."""
    request = parse_body(ActiveLearningScoreCreateRequest, decode_json(body))
    return created(scores.put_scores(platform, caller, dataset_id, tag_id, request))


@router.get("/{tagId}/scores/{scoreId}")
def get_score(
    dataset_id: DatasetId, tag_id: TagId, score_id: ScoreId, platform: Platform, caller: Caller
) -> Response:
    """Return one score with its values."""
    score, values = scores.get_scores(platform, caller, dataset_id, tag_id, score_id)
    content = stream_scores(_write_score(score), values)
    return StreamingResponse(content, media_type="application/json")


def _write_score(score: Score) -> dict[str, Any]:
    return {
        "id": score.id,
        "tagId": score.tag_id,
        "scoreType": score.score_type,
        "createdAt": score.created_at_ms,
    }


def stream_scores(head: dict[str, Any], values: scores.ScoreArray) -> Iterator[bytes]:
    """Yield a JSON object in pieces: the fields of `head`, then all values as `scores`."""
    yield orjson.dumps(head)[:-1] + b',"scores":['
    for start in range(0, len(values), SCORES_PER_PIECE):
        piece = values[start : start + SCORES_PER_PIECE]
        text = orjson.dumps(piece, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]
        yield text if start == 0 else b"," + text
    yield b"]}"
