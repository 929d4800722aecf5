"""The server that the demo starts and leaves running."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import requests

from lightly._kit.atomic_files import write_atomic
from lightly._kit.errors import LightlyError

PREFERRED_PORT = 8000
START_TIMEOUT_S = 60.0


class ServerDidNotStart(LightlyError):
    """The server did not start. Its log tells why."""

    code = "demo_server_did_not_start"


@dataclass(frozen=True)
class DemoServer:
    """A running server.

    Attributes:
        url: Where it listens.
        token: API token of its administrator.
        pid: Process id.
    """

    url: str
    token: str
    pid: int

    def is_alive(self) -> bool:
        """Tell whether it answers, and to this token."""
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            answer = requests.get(f"{self.url}/v1/datasets", headers=headers, timeout=5)
        except requests.ConnectionError:
            return False
        return answer.ok

    def stop(self) -> None:
        """Ask it to stop."""
        os.kill(self.pid, signal.SIGTERM)


def read_server(folder: Path) -> DemoServer | None:
    """Return the server that an earlier demo left running, if it still runs."""
    state = folder / "server.json"
    if not state.exists():
        return None
    server = DemoServer(**json.loads(state.read_text()))
    return server if server.is_alive() else None


def ensure_server(folder: Path) -> DemoServer:
    """Return a running server whose data lies in `folder`; start one if there is none.

    Raises:
        ServerDidNotStart: If it does not answer in time.
    """
    running = read_server(folder)
    if running is not None:
        return running
    token_path = folder / "token"
    if not token_path.exists():
        write_atomic(token_path, secrets.token_hex(32).encode(), mode=0o600)
    port = choose_port()
    token = token_path.read_text()
    command = [str(Path(sys.executable).parent / "lightly"), "server", "--port", str(port)]
    command += ["--data-dir", str(folder / "data")]
    with (folder / "server.log").open("ab") as log:
        # A session of its own: it must outlive the demo and the terminal's Ctrl-C.
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "LIGHTLY_TOKEN": token},
            start_new_session=True,
        )
    server = DemoServer(f"http://127.0.0.1:{port}", token, process.pid)
    deadline = time.monotonic() + START_TIMEOUT_S
    while not server.is_alive():
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServerDidNotStart(f"The server did not start, see {folder / 'server.log'}.")
        time.sleep(0.1)
    write_atomic(folder / "server.json", json.dumps(asdict(server)).encode(), mode=0o600)
    return server


def choose_port() -> int:
    """Return the preferred port, or a free one if somebody listens there."""
    for port in (PREFERRED_PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            chosen: int = probe.getsockname()[1]
            return chosen
    raise ServerDidNotStart("There is no free port on 127.0.0.1.")
