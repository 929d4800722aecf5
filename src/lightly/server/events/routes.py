"""The stream of events of a page; see `openapi/ext-v1.json`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response, StreamingResponse

from lightly.server.auth.middleware import find_caller_again
from lightly.server.errors import MalformedRequest
from lightly.server.events.feed import Feed, Wish
from lightly.server.events.frames import MEDIA_TYPE, read_mark
from lightly.server.events.topics import DatasetTopic, JobTopic, RunsTopic, RunTopic, WorkersTopic
from lightly.server.http.parameters import ID_PATTERN
from lightly.server.http.requests import ContractRoute
from lightly.server.platform import Caller

router = APIRouter(prefix="/ext/v1/events", route_class=ContractRoute)

#: After this a page connects again; proxies cut off what lasts for ever.
MAX_SECONDS = 3_600

_Flag = Annotated[bool, Query()]


@router.get("")
async def get_events(
    request: Request,
    caller: Caller,
    run_id: Annotated[str | None, Query(alias="runId", pattern=ID_PATTERN)] = None,
    dataset_id: Annotated[str | None, Query(alias="datasetId", pattern=ID_PATTERN)] = None,
    job_id: Annotated[str | None, Query(alias="jobId", pattern=ID_PATTERN)] = None,
    runs: _Flag = False,
    workers: _Flag = False,
    max_seconds: Annotated[int, Query(alias="maxSeconds", ge=0, le=MAX_SECONDS)] = MAX_SECONDS,
    after: Annotated[str, Query()] = "",
    last_event_id: Annotated[str, Header(alias="Last-Event-ID")] = "",
) -> Response:
    """Tell what happens, as it happens."""
    wishes = _list_wishes(run_id, dataset_id, has_runs=runs, has_workers=workers)
    if job_id is not None:
        wishes.append((("job", job_id), lambda caller: JobTopic(caller, job_id)))
    if not wishes:
        raise MalformedRequest(
            "Say what to watch: runs, workers, runId, datasetId or jobId (query)."
        )
    feed: Feed = request.app.state.feed
    stream = await feed.open(caller, wishes, read_mark(last_event_id or after))
    content = feed.listen(stream, lambda: find_caller_again(request), max_seconds)
    # Proxies that collect answers before they pass them on would keep everything back.
    return StreamingResponse(content, media_type=MEDIA_TYPE, headers={"X-Accel-Buffering": "no"})


def _list_wishes(
    run_id: str | None, dataset_id: str | None, *, has_runs: bool, has_workers: bool
) -> list[Wish]:
    wishes: list[Wish] = []
    if run_id is not None:
        wishes.append((("run", run_id), lambda caller: RunTopic(caller, run_id)))
    if dataset_id is not None:
        wishes.append((("dataset", dataset_id), lambda caller: DatasetTopic(caller, dataset_id)))
    if has_runs:
        wishes.append((("runs", dataset_id), lambda caller: RunsTopic(caller, dataset_id)))
    if has_workers:
        wishes.append((("workers",), WorkersTopic))
    return wishes
