"""Whether a cluster is still there: engines themselves wait for it in silence, or end the process.

Measured on a cluster that was killed whole: futures of Ray stay pending and the process that holds
them is aborted a minute later; those of Dask are cancelled without a reason.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import dataclass

from lightly._kit.errors import LightlyError
from lightly.worker.errors import RunFailed

log = logging.getLogger("lightly.worker")

#: How often to look, how long one look may take, and how long nobody may answer.
_LOOK_INTERVAL_S = 2.0
_CONNECT_TIMEOUT_S = 5.0
_GONE_AFTER_S = 15.0
#: How long a cluster may be without a process that works, as when it grows or nodes are replaced.
_IDLE_AFTER_S = 300.0
_MAX_REASON_CHARACTERS = 300
_ENGINE_MODULES = ("ray.", "distributed.")


@dataclass(frozen=True)
class ClusterPlace:
    """Where a cluster is.

    Attributes:
        engine: Its name for people.
        host: Of the process that everything goes through.
        port: Of the same.
    """

    engine: str
    host: str
    port: int

    def __str__(self) -> str:
        """Return it for messages."""
        return f"{self.engine} cluster at {self.host}:{self.port}"

    def answers(self) -> bool:
        """Tell whether somebody listens there."""
        try:
            socket.create_connection((self.host, self.port), _CONNECT_TIMEOUT_S).close()
        except OSError:
            return False
        return True


class ClusterWatch:
    """Looks after a cluster while shards run on it.

    Args:
        place: The cluster.
        answers: Tells whether it is there.
        count_cores: Returns how many cores of it work; asked only while it answers.
    """

    def __init__(
        self, place: ClusterPlace, answers: Callable[[], bool], count_cores: Callable[[], int]
    ) -> None:
        self._place = place
        self._answers = answers
        self._count_cores = count_cores
        now_s = time.monotonic()
        self._looks_next_s = now_s
        self._answered_s = now_s
        self._worked_s = now_s
        self._counting: threading.Thread | None = None
        self._n_cores: int | None = None

    def check(self) -> None:
        """Raise if the cluster is gone.

        Raises:
            RunFailed: If it has not answered for a while, or has had no process for long.
        """
        now_s = time.monotonic()
        if now_s < self._looks_next_s:
            return
        if self._answers():
            self._answered_s = time.monotonic()
            # As long as that is not known, the cluster may be at work.
            if self._count_in_time() != 0:
                self._worked_s = self._answered_s
        now_s = time.monotonic()
        self._looks_next_s = now_s + _LOOK_INTERVAL_S
        if now_s - self._answered_s > _GONE_AFTER_S:
            raise RunFailed(
                f"The {self._place} is gone: it has not answered for {_GONE_AFTER_S:.0f} seconds. "
                "Start it again, or set another --executor-address, and schedule the run again."
            )
        if now_s - self._worked_s > _IDLE_AFTER_S:
            raise RunFailed(
                f"The {self._place} has had no process that works for {_IDLE_AFTER_S:.0f} seconds. "
                "Start some, and schedule the run again."
            )

    def _count_in_time(self) -> int | None:
        """Return how many cores work; None if the engine does not say so soon.

        Engines wait for a cluster that ends meanwhile, Ray until it ends this process.
        """
        if self._counting is None or not self._counting.is_alive():
            self._n_cores = None
            self._counting = threading.Thread(target=self._count, name="cluster", daemon=True)
            self._counting.start()
        self._counting.join(_CONNECT_TIMEOUT_S)
        return self._n_cores

    def _count(self) -> None:
        try:
            self._n_cores = self._count_cores()
        except Exception as error:  # noqa: BLE001  engines raise what they like; the next look tells
            log.info("The %s does not say how many cores it has: %s", self._place, error)


def wait_for_cluster(place: ClusterPlace) -> None:
    """Return once somebody listens.

    Raises:
        RunFailed: If nobody does.
    """
    deadline_s = time.monotonic() + _GONE_AFTER_S
    while not place.answers():
        if time.monotonic() > deadline_s:
            raise RunFailed(
                f"There is no {place}. Start it, or set another --executor-address, and schedule "
                "the run again."
            )
        time.sleep(1.0)


def explain_failure(error: Exception, engine: str) -> Exception:
    """Return what a failure on a cluster means: ours as it was, those of the engine in words."""
    # Ray wraps what a function raises, and adds its own trace to the message.
    cause = getattr(error, "cause", None)
    if isinstance(cause, LightlyError):
        return cause
    is_of_engine = type(error).__module__.startswith(_ENGINE_MODULES)
    if not is_of_engine and not isinstance(error, CancelledError):
        return error
    log.error("The %s cluster has failed.", engine, exc_info=error)
    if isinstance(error, CancelledError):
        return RunFailed(
            f"The {engine} cluster has dropped the work: the process that everything goes through "
            "was lost. Start it again and schedule the run again."
        )
    reason = " ".join(str(error).split())[:_MAX_REASON_CHARACTERS]
    return RunFailed(
        f"The {engine} cluster could not do its work ({type(error).__name__}"
        f"{': ' + reason if reason else ''}). If its processes are killed again and again, they "
        "may have too little memory. Mend it and schedule the run again."
    )
