"""HTTP in of predictions of many samples; see `openapi/ext-v1.json`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from lightly.server.http.parameters import DatasetId
from lightly.server.http.requests import ContractRoute, RawBody
from lightly.server.http.responses import json_response
from lightly.server.platform import Caller, Platform
from lightly.server.predictions import service, tag_search
from lightly.server.samples.ext_routes import AfterIndex, run_bulk

router = APIRouter(prefix="/ext/v1/datasets/{datasetId}/predictions", route_class=ContractRoute)

#: Most matches in one answer.
MAX_MATCHES = 10_000

Word = Annotated[str, Query(min_length=1, max_length=100)]
MinScore = Annotated[float, Query(alias="minScore", ge=0, le=1, allow_inf_nan=False)]
MatchLimit = Annotated[int, Query(ge=1, le=MAX_MATCHES)]


@router.get("/tagSearch")
def search_tags(
    dataset_id: DatasetId,
    platform: Platform,
    caller: Caller,
    word: Word,
    min_score: MinScore = 0.2,
    after: AfterIndex = -1,
    limit: MatchLimit = 1_000,
) -> Response:
    """Find samples by a word for what they show."""
    found = tag_search.search_tags(
        platform, caller, dataset_id, word, min_score=min_score, after=after, limit=limit
    )
    body = {
        "word": found.word,
        "nClasses": found.n_classes,
        "suggestions": found.suggestions,
        "matches": [[one.idx, one.id, one.file_name, one.score] for one in found.matches],
        "next": found.next_after,
    }
    return json_response(body)


@router.put("/samples", status_code=204)
async def put_predictions_of_many(
    dataset_id: DatasetId, body: RawBody, platform: Platform, caller: Caller
) -> Response:
    """Store predictions of many samples, of all or of none."""
    await run_bulk(
        caller, lambda: service.put_predictions_of_many(platform, caller, dataset_id, body)
    )
    return Response(status_code=204)
