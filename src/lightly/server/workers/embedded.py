"""The worker that comes with the server: one machine needs one command.

It is a process of its own, started when a run waits that any worker may do, and ends when none is
left. It works through the API like every other worker, as the default worker of whoever owns the
run, with a token that only this server knows and only for that long.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress

from lightly.server.auth import repository as users
from lightly.server.auth.users import User
from lightly.server.errors import ApiError, SessionLost
from lightly.server.platform import PlatformState
from lightly.server.runs import schedule_repository
from lightly.server.runs.sessions import end_session
from lightly.server.workers.access import load_worker
from lightly.server.workers.models import Worker
from lightly.server.workers.service import find_default_worker

log = logging.getLogger("lightly.server")

#: How often to look whether a run waits: with the start of the process a run begins within 3 s.
LOOK_INTERVAL_S = 1.0
_LABELS_OF_ANYBODY = "[]"
_FOLDER = "worker"
#: How long the process may take to hand its run back.
_END_TIMEOUT_S = 5.0
_SHORTEST_WORK_S = 3.0
_LONGEST_PAUSE_S = 60.0


class EmbeddedWorker:
    """Starts a worker process whenever there is something for it to do.

    Args:
        platform: The server.
        server_url: Where this very process listens.
    """

    def __init__(self, platform: PlatformState, server_url: str) -> None:
        self._platform = platform
        self._server_url = server_url
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="embedded-worker", daemon=True)

    def start(self) -> None:
        """Look for runs from now on."""
        self._thread.start()

    def stop(self) -> None:
        """End, and free the run that the process works on."""
        self._stopped.set()
        self._thread.join(timeout=2 * _END_TIMEOUT_S)

    def _run(self) -> None:
        is_well = True
        pause_s = LOOK_INTERVAL_S
        while not self._stopped.wait(pause_s):
            try:
                owner = self._find_owner()
                started_s = time.monotonic()
                if owner is not None:
                    self._work_for(owner)
                # A process that ends at once has got no run; the next one would not either.
                is_in_vain = owner is not None and time.monotonic() - started_s < _SHORTEST_WORK_S
                pause_s = min(_LONGEST_PAUSE_S, 2 * pause_s) if is_in_vain else LOOK_INTERVAL_S
                is_well = True
            except Exception:  # the thread must outlive a database that is away for a while
                if is_well:
                    log.exception("the embedded worker could not be started; it is tried again")
                is_well = False

    def _find_owner(self) -> User | None:
        """Return whose run waits, None if no run does that the embedded worker may do."""
        with self._platform.database.read() as connection:
            user_id = schedule_repository.find_owner_with_open(connection, _LABELS_OF_ANYBODY)
            return None if user_id is None else users.find_enabled_user(connection, user_id)

    def _work_for(self, owner: User) -> None:
        """Let a process do the runs of an owner until none is left."""
        platform = self._platform
        worker = find_default_worker(platform, owner)
        token = platform.lent_tokens.lend(platform.keys, owner)
        log.info("the embedded worker starts for the runs of user %s", owner.id)
        try:
            code = self._wait_for(self._start(worker, token))
            log.info("the embedded worker has ended with %d", code)
        finally:
            platform.lent_tokens.take_back(platform.keys, token)
            platform.token_cache.forget_user(owner.id)
            self._release(owner, worker)

    def _start(self, worker: Worker, token: str) -> subprocess.Popen[bytes]:
        settings = self._platform.settings
        command = [sys.executable, "-P", "-m", "lightly.cli.main", "worker", "--once"]
        command += ["--until-eof", "--server", self._server_url, "--worker-id", worker.id]
        command += ["--work-dir", str(settings.data_dir.resolve() / _FOLDER)]
        for option, folder in (
            ("--input-mount", settings.input_mount),
            ("--lightly-mount", settings.lightly_mount),
        ):
            command += [option, folder] if folder else []
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("LIGHTLY_SERVER")
        }
        # It reads the same stores as the server does.
        environment["LIGHTLY_SERVER_EGRESS_ALLOW"] = settings.egress_allow
        # Its standard input is a pipe: it ends when this process does, however that happens.
        return subprocess.Popen(  # noqa: S603  our own interpreter and settings
            command, stdin=subprocess.PIPE, env={**environment, "LIGHTLY_TOKEN": token}
        )

    def _wait_for(self, process: subprocess.Popen[bytes]) -> int:
        """Return the exit code; end the process if this server ends first."""
        while not self._stopped.is_set():
            with suppress(subprocess.TimeoutExpired):
                return process.wait(LOOK_INTERVAL_S)
        # The server takes no more requests, so the process cannot hand anything back.
        process.kill()
        return process.wait(_END_TIMEOUT_S)

    def _release(self, owner: User, worker: Worker) -> None:
        """Free what a process has left that did not end by itself."""
        with suppress(ApiError, SessionLost):
            with self._platform.database.read() as connection:
                found = load_worker(connection, owner, worker.id)
            if found.session_id is not None:
                end_session(self._platform, owner, worker.id, found.session_id)
