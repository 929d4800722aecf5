"""What a client of ours sends, request by request, and ways to disturb it."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NewConnectionError

from lightly._kit.retry import RetryPolicy
from lightly.api.api_workflow_client import ApiWorkflowClient
from lightly.api.sending import TransportSettings
from lightly.api.transport import Transport

#: Called with what makes a request; returns the answer or raises.
Disturbance = Callable[[Callable[[], requests.Response]], requests.Response]

#: Waits as short as a test wants them, for an outage as long as a test has.
QUICK = TransportSettings(
    RetryPolicy(attempts=8, base_s=0.1, cap_s=0.5), outage_s=240.0, first_contact_s=30.0
)


@dataclass(frozen=True)
class Exchange:
    """One request of a client, as often as it was made.

    Attributes:
        method: The HTTP method.
        path: The path without the query.
        names: File names that a bulk request described with their metadata.
        status: What was answered; 0 if the answer never came.
        was_sent: Whether there was a connection to send it on.
    """

    method: str
    path: str
    names: tuple[str, ...]
    status: int
    was_sent: bool


class Traffic:
    """Everything that a client sends.

    Args:
        disturb: Called for each uploading request in place of sending it.
        journal: A file that every exchange is written to, for a client in another process.
    """

    def __init__(self, disturb: Disturbance | None = None, journal: IO[str] | None = None) -> None:
        self.exchanges: list[Exchange] = []
        self._disturb = disturb
        self._journal = journal
        self._lock = threading.Lock()

    def adapter(self) -> HTTPAdapter:
        """Return what moves the bytes of one session."""
        return _RecordingAdapter(self)

    def connect(
        self, url: str, token: str, settings: TransportSettings = QUICK
    ) -> ApiWorkflowClient:
        """Return a client whose traffic this is."""
        client = ApiWorkflowClient(token=token)
        client._transport = Transport(url, token, settings=settings, make_adapter=self.adapter)
        return client

    def count_repeats(self) -> int:
        """Return how many names were registered again after they had been sent once."""
        return count_repeats(self.exchanges)

    def count_repeated_files(self) -> int:
        """Return how many files were sent again."""
        files = (e for e in self.exchanges if e.was_sent and e.path.startswith("/blobs/"))
        sent = Counter(exchange.path for exchange in files)
        return sum(sent.values()) - len(sent)

    def find_acknowledged(self) -> set[str]:
        """Return the names that the server has answered for."""
        with self._lock:
            done = [exchange for exchange in self.exchanges if exchange.status == 201]
        return {name for exchange in done for name in exchange.names}

    def make(
        self, request: requests.PreparedRequest, send: Callable[[], requests.Response]
    ) -> requests.Response:
        """Make a request and note it, however it ends."""
        path = urlsplit(str(request.url)).path
        names = _read_names(path, request.body)
        status, was_sent = 0, True

        def send_and_look() -> requests.Response:
            nonlocal status, was_sent
            try:
                answer = send()
            except requests.ConnectionError as error:
                was_sent = not _was_refused(error)
                raise
            status = answer.status_code
            return answer

        try:
            return self._pass_on(path, send_and_look)
        finally:
            self._note(Exchange(str(request.method), path, names, status, was_sent))

    def _pass_on(self, path: str, send: Callable[[], requests.Response]) -> requests.Response:
        is_upload = path.startswith(("/blobs/", "/ext/v1/"))
        if self._disturb is None or not is_upload:
            return send()
        return self._disturb(send)

    def _note(self, exchange: Exchange) -> None:
        with self._lock:
            self.exchanges.append(exchange)
            if self._journal is not None:
                self._journal.write(json.dumps(asdict(exchange)) + "\n")
                self._journal.flush()


class _RecordingAdapter(HTTPAdapter):
    def __init__(self, traffic: Traffic) -> None:
        super().__init__(pool_connections=4, pool_maxsize=1, max_retries=0)
        self._traffic = traffic

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]  # by name
        send = super().send
        return self._traffic.make(request, lambda: send(request, **options))


def count_repeats(exchanges: Iterable[Exchange]) -> int:
    """Return how many names were registered again after they had been sent once."""
    sent = Counter(name for exchange in exchanges if exchange.was_sent for name in exchange.names)
    return sum(sent.values()) - len(sent)


def read_journal(path: Path) -> list[Exchange]:
    """Return the exchanges of a client in another process, up to the moment it was killed."""
    lines = path.read_text("utf-8").split("\n")[:-1]
    return [Exchange(**{**entry, "names": tuple(entry["names"])}) for entry in _parse(lines)]


def _parse(lines: Iterable[str]) -> Iterable[dict[str, Any]]:
    return (json.loads(line) for line in lines)


def _was_refused(error: requests.ConnectionError) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", cause), NewConnectionError)


def _read_names(path: str, body: Any) -> tuple[str, ...]:
    if not path.endswith("/samples/bulk"):
        return ()
    samples = json.loads(body)["samples"]
    return tuple(sample["fileName"] for sample in samples if len(sample) > 1)
