"""Servers for tests: in this process, or as a process of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import requests
from starlette.testclient import TestClient

from lightly.server.app import create_app
from lightly.server.auth.service import add_user, ensure_first_user
from lightly.server.platform import PlatformState
from lightly.server.settings import Settings
from lightly.server.startup import open_platform
from tests.support.migrated_databases import copy_migrated_sqlite
from tests.support.ports import find_free_port

TOKEN = "0123456789abcdef0123456789abcdef"
START_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class InProcessServer:
    """A server without a socket.

    Attributes:
        platform: Its parts.
        client: Calls it as `admin@localhost`.
    """

    platform: PlatformState
    client: TestClient

    def client_of(self, token: str) -> TestClient:
        """Return a client with another token; it shares the running application."""
        client = self.anonymous_client()
        client.headers["Authorization"] = f"Bearer {token}"
        return client

    def anonymous_client(self) -> TestClient:
        """Return a client without a token."""
        client = TestClient(self.client.app, raise_server_exceptions=False)
        # The event loop that the application runs in; else each request would start one.
        client.portal = self.client.portal
        return client

    def add_user(self, email: str) -> TestClient:
        """Add a user and return a client that calls as that user."""
        platform = self.platform
        return self.client_of(add_user(platform.database, platform.keys, platform.clock, email))


@contextmanager
def run_in_process(
    data_dir: Path, database_url: str = "", **settings: Any
) -> Iterator[InProcessServer]:
    """Yield a server in this process.

    URLs that it hands out begin with `http://testserver`, so its own client can follow them.
    """
    chosen = replace(
        Settings(data_dir=data_dir, database_url=database_url, public_url="http://testserver"),
        **settings,
    )
    if not database_url:
        copy_migrated_sqlite(data_dir / "lightly.sqlite")
    platform = open_platform(chosen)
    ensure_first_user(platform.database, platform.keys, platform.clock, data_dir, TOKEN)
    try:
        with TestClient(create_app(platform), raise_server_exceptions=False) as client:
            client.headers["Authorization"] = f"Bearer {TOKEN}"
            yield InProcessServer(platform, client)
    finally:
        platform.database.close()


def name_mounts(root: Path) -> dict[str, str]:
    """Return the variables of a server whose mounts are `input` and `lightly` below a folder."""
    return {
        "LIGHTLY_SERVER_INPUT_MOUNT": str(root / "input"),
        "LIGHTLY_SERVER_LIGHTLY_MOUNT": str(root / "lightly"),
    }


class ServerProcess:
    """`lightly server` as a real process.

    Args:
        data_dir: Where it keeps everything; a second process on it goes on from there.
        database_url: Empty for SQLite.
        environment: More variables.
        has_worker: Whether the embedded worker runs.
    """

    def __init__(
        self,
        data_dir: Path,
        database_url: str = "",
        environment: dict[str, str] | None = None,
        *,
        has_worker: bool = False,
    ) -> None:
        self.data_dir = data_dir
        self.token = TOKEN
        self.port = 0
        self._database_url = database_url
        self._environment = environment or {}
        self._has_worker = has_worker
        self._process: subprocess.Popen[bytes] | None = None
        self.log_path = data_dir.parent / f"{data_dir.name}-server.log"

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start and wait until it is ready. A second start takes the same port."""
        self.port = self.port or find_free_port()
        command = [str(Path(sys.executable).parent / "lightly"), "server"]
        command += [] if self._has_worker else ["--no-worker"]
        command += ["--port", str(self.port), "--data-dir", str(self.data_dir)]
        if self._database_url:
            command += ["--database-url", self._database_url]
        environment = {**os.environ, "LIGHTLY_TOKEN": self.token, **self._environment}
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start:\n{self.read_log()[-3000:]}")
            time.sleep(0.05)

    def kill(self) -> None:
        """End it with SIGKILL, as a crash would."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to stop; return its exit code."""
        return self._end(signal.SIGTERM)

    def read_log(self) -> str:
        """Return everything it has printed."""
        return self.log_path.read_text(errors="replace")

    def _end(self, number: signal.Signals) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(timeout=60)

    def _is_ready(self) -> bool:
        try:
            answer = requests.get(f"{self.url}/readyz", timeout=5)
        except requests.ConnectionError:
            return False
        return answer.ok


@contextmanager
def run_process(
    data_dir: Path, database_url: str = "", **environment: str
) -> Iterator[ServerProcess]:
    """Yield a running server process and stop it afterwards, however it was left."""
    with keep_running(ServerProcess(data_dir, database_url, environment)) as server:
        yield server


@contextmanager
def keep_running(server: ServerProcess) -> Iterator[ServerProcess]:
    """Start a server process and stop it afterwards, however it was left."""
    server.start()
    try:
        yield server
    finally:
        server.kill()
