"""Health for operators, versions and quota for clients."""

from __future__ import annotations

from typing import Annotated

import anyio
from anyio.lowlevel import RunVar
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from lightly.server.auth.quotas import find_max_dataset_size
from lightly.server.errors import Forbidden, Unavailable
from lightly.server.http.responses import json_response
from lightly.server.metrics import ServerMetrics
from lightly.server.platform import Caller, Platform

router = APIRouter()

#: A database that takes longer to answer than this serves nobody.
READY_WITHIN_S = 3.0
#: Threads of this question alone: requests that wait for the database may have taken all others.
_READY_THREADS = 4
_ready_limiter: RunVar[anyio.CapacityLimiter] = RunVar("ready_limiter")

#: Every published client compares this with its own version. The newest of them is 1.5.26.
LATEST_CLIENT_VERSION = "1.5.26"
#: Clients refuse to start below this; old ones refuse anything above 1.0.0.
MINIMUM_CLIENT_VERSION = "1.0.0"


@router.get("/healthz", include_in_schema=False)
async def get_health() -> Response:
    """Answer as long as the process is alive."""
    return json_response({"status": "alive"})


@router.get("/readyz", include_in_schema=False)
async def get_readiness(platform: Platform) -> Response:
    """Answer 200 when requests can be served, 503 while the database is away or hangs."""
    limiter = _ready_limiter.get(None)
    if limiter is None:
        limiter = anyio.CapacityLimiter(_READY_THREADS)
        _ready_limiter.set(limiter)
    with anyio.move_on_after(READY_WITHIN_S):
        await anyio.to_thread.run_sync(
            platform.database.ping, limiter=limiter, abandon_on_cancel=True
        )
        return json_response({"status": "ready"})
    raise Unavailable("The database does not answer in time. Try again shortly.")


@router.get("/metrics", include_in_schema=False)
def get_metrics(request: Request, caller: Caller) -> Response:
    """Return numbers for Prometheus, to administrators."""
    if not caller.is_admin:
        raise Forbidden("Only an administrator's token reads the metrics.")
    metrics: ServerMetrics = request.app.state.metrics
    return Response(metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/v1/versions/pip/latest")
async def get_latest_version(
    current_version: Annotated[str | None, Query(alias="currentVersion")] = None,  # noqa: ARG001  every client sends it
) -> Response:
    """Return the newest published client's version."""
    return json_response(LATEST_CLIENT_VERSION)


@router.get("/v1/versions/pip/minimum")
async def get_minimum_version() -> Response:
    """Return the oldest client version that this server speaks to."""
    return json_response(MINIMUM_CLIENT_VERSION)


@router.get("/v1/quota")
def get_quota(platform: Platform, caller: Caller) -> Response:
    """Return how many samples one dataset of the caller may have, as the contract's text."""
    with platform.database.read() as connection:
        limit = find_max_dataset_size(connection, platform.settings, caller.id)
    return json_response(str(limit))
