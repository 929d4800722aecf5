"""Holding a run: signs of life while it is worked on, and noticing that it shall end.

A thread of its own sends the signs, so that no stage has to think of it. Stages report their state
and progress here and ask `check` now and then whether to go on.
"""

from __future__ import annotations

import logging
import threading
import time
from types import TracebackType
from typing import Self

from lightly.api.errors import ApiException, ConnectionFailed
from lightly.openapi_generated.swagger_client.models.docker_run_state import DockerRunState
from lightly.worker.errors import RunLost, RunStopped, WorkerShutsDown
from lightly.worker.run_log import MemoryLog, RunLog
from lightly.worker.server_link import RunLink

log = logging.getLogger("lightly.worker")

#: Log entries and progress travel at least this often while there are any.
_NEWS_INTERVAL_S = 2.0
_ORDER = {state.value: number for number, state in enumerate(DockerRunState)}


class RunLease:
    """The hold on one run.

    Args:
        link: Calls about the run.
        run_log: Where its log is collected.
        memory_log: Where memory is noted at each sign of life.
        shutdown: Set when this process shall end.
    """

    def __init__(
        self, link: RunLink, run_log: RunLog, memory_log: MemoryLog, shutdown: threading.Event
    ) -> None:
        self._link = link
        self._log = run_log
        self._memory_log = memory_log
        self._shutdown = shutdown
        self._state = DockerRunState.STARTED.value
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._progress: tuple[int, int] | None = None
        self._is_stopped = False
        self._lost: RunLost | None = None
        self._thread = threading.Thread(target=self._show_life, name="lease", daemon=True)

    def __enter__(self) -> Self:
        """Begin with the signs of life."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End them."""
        self._ended.set()
        self._thread.join()

    def report_state(self, state: str, message: str) -> None:
        """Say that the run is in a state now.

        States follow their order in the contract and never go back. Work that belongs to an earlier
        one, such as embedding the objects that a detector has found, is told as a message in the
        present one.

        Raises:
            RunLost: If the run is not this worker's any more.
            RunStopped: If somebody asked for its end.
            WorkerShutsDown: If this process shall end.
        """
        state = self._state = max(self._state, state, key=_ORDER.__getitem__)
        with self._lock:
            self._progress = None
            self._log.state = state
        log.info("%s: %s", state, message)
        self._note(self._link.show_life(state=state, message=message))
        self.send_log()
        self.check()

    def report_progress(self, n_done: int, n_total: int) -> None:
        """Say how far the present state is; travels with the next sign of life."""
        with self._lock:
            self._progress = (n_done, n_total)

    def check(self) -> None:
        """Raise if the run shall not go on; see `report_state`. Costs nothing."""
        if self._lost is not None:
            raise self._lost
        if self._is_stopped:
            raise RunStopped("The run was stopped on request.")
        if self._shutdown.is_set():
            raise WorkerShutsDown("The worker was asked to end.")

    @property
    def shall_end(self) -> bool:
        """Whether `check` would raise."""
        return self._lost is not None or self._is_stopped or self._shutdown.is_set()

    def send_log(self) -> None:
        """Send the log entries that wait."""
        while entries := self._log.take_waiting():
            try:
                self._link.append_log(entries)
            except (ApiException, ConnectionFailed):
                self._log.put_back(entries)
                raise

    def _note(self, is_stop_requested: bool) -> None:
        self._is_stopped = self._is_stopped or is_stop_requested

    def _show_life(self) -> None:
        next_beat_s = time.monotonic() + self._link.claim.heartbeat_s
        sent: tuple[int, int] | None = None
        while not self._ended.wait(min(_NEWS_INTERVAL_S, self._link.claim.heartbeat_s)):
            with self._lock:
                progress = self._progress
            try:
                if progress != sent or time.monotonic() >= next_beat_s:
                    self._note(self._link.show_life(progress=progress))
                    sent, next_beat_s = progress, time.monotonic() + self._link.claim.heartbeat_s
                    self._memory_log.note()
                self.send_log()
            except RunLost as error:
                self._lost = error
                return
            except (ApiException, ConnectionFailed) as error:
                # The transport has waited for the server already. The lease ends by the server's
                # clock, so only the server can say that it is over.
                log.warning("No sign of life could be sent: %s", error)
