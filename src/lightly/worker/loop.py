"""The life of a worker process: register, ask for runs, do them, end when asked to."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from types import FrameType

from lightly.api.errors import ApiException, ConnectionFailed
from lightly.worker.runs.running import work_on
from lightly.worker.server_link import Session, WorkerLink
from lightly.worker.settings import WorkerSettings
from lightly.worker.shards.executors import check_engine

log = logging.getLogger("lightly.worker")

#: How long a process goes on whose server has ended.
_END_TIMEOUT_S = 5.0


def run_worker(settings: WorkerSettings) -> None:
    """Work until SIGTERM or SIGINT, which hand the present run back.

    Raises:
        ApiException: If the server refuses the worker, for example because of its token.
        ConnectionFailed: If the server is not there.
        BadInput: If the library of the executor is not installed.
    """
    check_engine(settings)
    settings.work_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutdown = threading.Event()
    _listen_for_signals(shutdown)
    if settings.ends_with_input:
        threading.Thread(target=_wait_for_end_of_input, args=(shutdown,), daemon=True).start()
    link = WorkerLink(settings)
    session = link.begin_session()
    log.info("Worker %s waits for runs of %s.", session.worker_id, settings.server_url)
    try:
        _take_runs(settings, link, session, shutdown)
    finally:
        try:
            link.end_session(session)
        except (ApiException, ConnectionFailed) as error:
            log.warning("The server could not be told that this worker ends: %s", error)
        link.transport.close()


def _take_runs(
    settings: WorkerSettings, link: WorkerLink, session: Session, shutdown: threading.Event
) -> None:
    while not shutdown.is_set():
        try:
            claim = link.claim_run(session)
        except ConnectionFailed as error:
            # The transport has waited for minutes already; a worker waits for days.
            log.warning("The server is away: %s", error)
            continue
        if claim is None:
            if settings.stops_when_idle:
                return
            shutdown.wait(session.poll_interval_s)
        elif work_on(settings, claim, shutdown):
            return


def _wait_for_end_of_input(shutdown: threading.Event) -> None:
    """Wait for the end of whoever started this process and holds the other end of the pipe."""
    while os.read(0, 1024):
        pass
    shutdown.set()
    time.sleep(_END_TIMEOUT_S)
    # Whoever started this was the server: it is away, and nobody waits for what is left.
    os._exit(1)


def _listen_for_signals(shutdown: threading.Event) -> None:
    if threading.current_thread() is not threading.main_thread():
        return

    def end(number: int, _frame: FrameType | None) -> None:
        log.info("Ending because of %s.", signal.Signals(number).name)
        shutdown.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
