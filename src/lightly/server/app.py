"""Putting the parts of the server together."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from lightly import __version__
from lightly.server.account.routes import router as account_router
from lightly.server.auth.middleware import AuthenticationMiddleware
from lightly.server.auth.service import Authenticator
from lightly.server.auth.session_routes import router as sessions_router
from lightly.server.columns.routes import router as columns_router
from lightly.server.coverages.routes import router as coverages_router
from lightly.server.datasets.collaboration_routes import router as collaboration_router
from lightly.server.datasets.enriched_routes import router as enriched_router
from lightly.server.datasets.routes import router as datasets_router
from lightly.server.datasources.ext_routes import router as datasources_ext_router
from lightly.server.datasources.file_routes import router as files_router
from lightly.server.datasources.routes import router as datasources_router
from lightly.server.embeddings.routes import router as embeddings_router
from lightly.server.errors import ApiError, NotFound
from lightly.server.events.feed import Feed
from lightly.server.events.routes import router as events_router
from lightly.server.exports.routes import router as exports_router
from lightly.server.http.fairness import FairShareMiddleware
from lightly.server.http.hosts import HostMiddleware, choose_allowed_hosts
from lightly.server.http.middleware import RequestMiddleware
from lightly.server.http.requests import explain_validation_error
from lightly.server.http.responses import error_response
from lightly.server.http.route_table import RouteTable
from lightly.server.jobs.routes import router as jobs_router
from lightly.server.legacy.routes import router as legacy_router
from lightly.server.maintenance import Maintenance
from lightly.server.metadata.routes import router as metadata_router
from lightly.server.metrics import ServerMetrics
from lightly.server.neighborhoods.routes import router as neighborhoods_router
from lightly.server.platform import PlatformState
from lightly.server.predictions.ext_routes import router as predictions_ext_router
from lightly.server.predictions.routes import router as predictions_router
from lightly.server.runs.ext_routes import router as runs_ext_router
from lightly.server.runs.fencing import FencingMiddleware
from lightly.server.runs.routes import router as runs_router
from lightly.server.runs.schedule_routes import router as schedules_router
from lightly.server.samples.ext_routes import router as samples_ext_router
from lightly.server.samples.image_routes import router as images_router
from lightly.server.samples.routes import router as samples_router
from lightly.server.selections.routes import router as selections_router
from lightly.server.service.routes import router as service_router
from lightly.server.storage.routes import router as storage_router
from lightly.server.tags.ext_routes import router as ext_tags_router
from lightly.server.tags.routes import router as tags_router
from lightly.server.teams.routes import router as teams_router
from lightly.server.views.routes import router as views_router
from lightly.server.web.files import find_app_files
from lightly.server.web.middleware import WebAppMiddleware
from lightly.server.workers.config_routes import router as worker_configs_router
from lightly.server.workers.licence_routes import router as licence_router
from lightly.server.workers.routes import router as workers_router

if TYPE_CHECKING:
    from collections.abc import Sequence

log = logging.getLogger("lightly.server")

ROUTERS: Sequence[APIRouter] = (
    service_router,
    sessions_router,
    account_router,
    events_router,
    columns_router,
    views_router,
    enriched_router,
    datasets_router,
    collaboration_router,
    teams_router,
    datasources_router,
    datasources_ext_router,
    files_router,
    storage_router,
    samples_router,
    samples_ext_router,
    images_router,
    metadata_router,
    predictions_router,
    predictions_ext_router,
    tags_router,
    exports_router,
    embeddings_router,
    jobs_router,
    selections_router,
    neighborhoods_router,
    coverages_router,
    ext_tags_router,
    legacy_router,
    licence_router,
    worker_configs_router,
    runs_router,
    runs_ext_router,
    schedules_router,
    # After all others below `/v1/docker/worker/`, which it would take for ids.
    workers_router,
)


class ServerFault(ApiError):
    """The server failed. The request id leads to the reason in its log."""

    code = "MALFORMED_RESPONSE"
    status = 500


class RequestCutOff(ApiError):
    """The connection ended before the request did. Nothing was stored."""


class MethodNotAllowed(ApiError):
    """This path does not take this method."""

    status = 405


def create_app(platform: PlatformState) -> FastAPI:
    """Return the application that serves `platform`."""

    @asynccontextmanager
    async def run(_app: FastAPI) -> AsyncIterator[None]:
        limiter = anyio.to_thread.current_default_thread_limiter()
        limiter.total_tokens = platform.settings.thread_count
        maintenance = Maintenance(platform)
        maintenance.start()
        platform.jobs.start()
        yield
        platform.jobs.stop()
        maintenance.stop()

    app = FastAPI(
        title="Lightly Platform",
        version=__version__,
        lifespan=run,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.platform = platform
    app.state.feed = Feed(platform)
    table = RouteTable(route for router in ROUTERS for route in router.routes)
    app.router.routes.append(table)
    _handle_errors(app, table)
    authenticator = Authenticator(
        platform.database,
        platform.keys,
        failures_per_minute=platform.settings.failed_logins_per_minute,
        cache=platform.token_cache,
        lent=platform.lent_tokens,
    )
    app.add_middleware(FencingMiddleware)
    app.add_middleware(
        FairShareMiddleware,
        max_active=platform.settings.requests_per_user,
        max_waiting=platform.settings.waiting_requests_per_user,
    )
    app.state.authenticator = authenticator
    app.add_middleware(AuthenticationMiddleware, authenticator=authenticator, platform=platform)
    app.add_middleware(WebAppMiddleware, app_files=find_app_files())
    app.add_middleware(HostMiddleware, allowed=choose_allowed_hosts(platform.settings))
    app.state.metrics = ServerMetrics(platform.database)
    app.add_middleware(RequestMiddleware, metrics=app.state.metrics)
    return app


def _handle_errors(app: FastAPI, table: RouteTable) -> None:
    @app.exception_handler(ApiError)
    async def answer_api_error(request: Request, error: ApiError) -> Response:
        return error_response(error, request.scope)

    @app.exception_handler(RequestValidationError)
    async def answer_malformed(request: Request, error: RequestValidationError) -> Response:
        return error_response(explain_validation_error(error, request.method), request.scope)

    @app.exception_handler(HTTPException)
    async def answer_http(request: Request, error: HTTPException) -> Response:
        if error.status_code == MethodNotAllowed.status:
            response = error_response(MethodNotAllowed(), request.scope)
            response.headers["Allow"] = ", ".join(table.list_methods(request.scope["path"]))
            return response
        return error_response(NotFound("This path does not exist."), request.scope)

    @app.exception_handler(ClientDisconnect)
    async def answer_nobody(request: Request, error: ClientDisconnect) -> Response:  # noqa: ARG001  Starlette's interface
        # Whoever sent half a request and went away reads no answer; it is not the server's fault.
        return error_response(RequestCutOff(), request.scope)

    @app.exception_handler(Exception)
    async def answer_fault(request: Request, error: Exception) -> Response:
        log.error("request %s failed", request.scope.get("request_id"), exc_info=error)
        return error_response(ServerFault(), request.scope)
