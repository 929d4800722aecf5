"""From settings to a running server."""

from __future__ import annotations

import gc
import logging
import os
import socket
from dataclasses import replace
from pathlib import Path
from types import FrameType

import uvicorn

from lightly._kit.clock import SystemClock
from lightly.server.app import create_app
from lightly.server.auth.service import (
    FIRST_TOKEN_FILE,
    FIRST_USER_EMAIL,
    RECOMMENDED_TOKEN_LENGTH,
    ensure_first_user,
)
from lightly.server.db.engine import open_database
from lightly.server.db.migrate import migrate_database
from lightly.server.events.feed import Feed
from lightly.server.http.protocol import make_protocol
from lightly.server.jobs.service import JobService
from lightly.server.log_records import configure_logging
from lightly.server.platform import PlatformState
from lightly.server.secrets.keys import load_or_make_keys
from lightly.server.settings import Settings
from lightly.server.storage.opening import open_blob_store
from lightly.server.web.build_hash import find_stale_sources, read_built_hash
from lightly.server.web.files import STATIC_DIR
from lightly.server.workers.embedded import EmbeddedWorker

log = logging.getLogger("lightly.server")


def open_platform(settings: Settings) -> PlatformState:
    """Return the parts of a server: data folder, migrated database, blobs, jobs."""
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    keys = load_or_make_keys(settings.data_dir)
    database = open_database(settings.effective_database_url)
    migrate_database(database)
    clock = SystemClock()
    blobs = open_blob_store(settings, keys, settings.base_url)
    jobs = JobService(settings, database, blobs, clock)
    return PlatformState(settings, database, blobs, keys, clock, jobs)


def run_server(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Requests under way are finished first."""
    configure_logging(settings.log_format)
    listener = _bind(settings)
    settings = replace(settings, port=listener.getsockname()[1])
    platform = open_platform(settings)
    _announce(platform)
    app = create_app(platform)
    config = uvicorn.Config(
        app,
        http=make_protocol(settings),
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=30,
        timeout_keep_alive=75,
    )
    tune_garbage_collection()
    worker = None if settings.no_worker else EmbeddedWorker(platform, _find_own_url(settings))
    if worker is not None:
        worker.start()
    try:
        _Server(config, app.state.feed).run(sockets=[listener])
    finally:
        if worker is not None:
            worker.stop()
        platform.database.close()


def _find_own_url(settings: Settings) -> str:
    """Return where this machine reaches the server itself, whatever its public address is."""
    host = settings.host
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104  all addresses, among them this one
        host = "127.0.0.1"
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


class _Server(uvicorn.Server):
    """Being asked to stop, and stopping, is success: the process ends with 0.

    Args:
        config: Of the web server.
        feed: Its streams never end by themselves, so that the end would wait for them.
    """

    def __init__(self, config: uvicorn.Config, feed: Feed) -> None:
        super().__init__(config)
        self._feed = feed

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self._feed.stop()
        # What is left here would be raised again at the end.
        self._captured_signals.clear()


def tune_garbage_collection() -> None:
    """Collect garbage less often, and never look at what was made before the first request.

    A bulk request makes a million short-lived objects. With Python's own thresholds the collector
    takes half of its time.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _bind(settings: Settings) -> socket.socket:
    """Take the port before anything else, so that two servers never share a data folder's work."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise SystemExit(
            f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}. "
            "Choose another port with --port."
        ) from error
    return listener


def _announce(platform: PlatformState) -> None:
    settings = platform.settings
    token = os.environ.get("LIGHTLY_TOKEN") or None
    made = ensure_first_user(
        platform.database, platform.keys, platform.clock, settings.data_dir, token
    )
    if made is not None:
        place = Path(settings.data_dir, FIRST_TOKEN_FILE)
        print(f"API token of {FIRST_USER_EMAIL}: {made}\n(kept in {place})", flush=True)  # noqa: T201  shown once, to the operator
    elif token is not None and len(token) < RECOMMENDED_TOKEN_LENGTH:
        log.warning("LIGHTLY_TOKEN has fewer than %d characters.", RECOMMENDED_TOKEN_LENGTH)
    if read_built_hash(STATIC_DIR) is None:
        log.warning("the web app is not built; in a checkout, run: make web")
    elif find_stale_sources(STATIC_DIR) is not None:
        log.warning("the web app is older than its sources; build it again with: make web")
    log.info("listening on %s:%d, data in %s", settings.host, settings.port, settings.data_dir)
