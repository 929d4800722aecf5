"""Sending one request as often as its policy allows."""

from __future__ import annotations

import io
import itertools
import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import IO, Any

import requests

from lightly._kit.retry import RetryPolicy
from lightly.api.errors import ApiException, ConnectionFailed
from lightly.api.failures import (
    Failure,
    Scope,
    describe_origin,
    find_origin,
    inspect_answer,
    inspect_exception,
)
from lightly.api.sessions import Secret, SessionPool

log = logging.getLogger("lightly.api")

Blob = bytes | IO[bytes]


@dataclass(frozen=True)
class TransportSettings:
    """How patient the client is. All times are seconds.

    Attributes:
        policy: Waits between attempts, and how often a failing request is made at most.
        outage_s: How long a server that has answered before may be away, as in a restart; None
            counts attempts as for other failures.
        first_contact_s: The same for a server that has never answered.
        connect_timeout_s: Longest wait for a connection.
        read_timeout_s: Longest silence of the server; the published clients wait as long.
    """

    policy: RetryPolicy = field(default_factory=lambda: RetryPolicy(attempts=6, cap_s=15.0))
    outage_s: float | None = 300.0
    first_contact_s: float | None = 10.0
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 180.0


@dataclass(frozen=True)
class Call:
    """One request, ready to be made any number of times.

    Attributes:
        operation: What errors call it; without secrets.
        method: The HTTP method.
        url: Where it goes. May be a secret.
        is_repeatable: Twice has the effect of once.
        error_kind: What an answer that is an error becomes.
        options: More of what `requests.Session.request` takes.
        remedy: What to do when nobody answers; a sentence for people.
        read_timeout_s: Longest silence of the server; that of the settings if None.
        session: Sends the request; one of the client's own if None.
    """

    operation: str
    method: str
    url: str
    is_repeatable: bool
    error_kind: type[ApiException]
    options: dict[str, Any]
    remedy: str = ""
    read_timeout_s: float | None = None
    session: requests.Session | None = None

    def rewind(self) -> None:
        """Make sure that a second attempt sends the file from where the first one began."""
        body = self.options.get("data")
        if isinstance(body, RewindableFile):
            body.rewind()


class Sender:
    """Sends requests of one client.

    Args:
        sessions: Lends connections.
        settings: How patient to be.
        secret: Masked wherever an answer repeats it.
    """

    def __init__(self, sessions: SessionPool, settings: TransportSettings, secret: Secret) -> None:
        self._sessions = sessions
        self._settings = settings
        self._secret = secret
        self._has_answered = False
        self._is_away = False

    def set_timeout(self, *, connect_timeout_s: float, read_timeout_s: float) -> None:
        """Change the longest waits of all later requests."""
        self._settings = replace(
            self._settings, connect_timeout_s=connect_timeout_s, read_timeout_s=read_timeout_s
        )

    @property
    def policy(self) -> RetryPolicy:
        """The waits between attempts."""
        return self._settings.policy

    @contextmanager
    def send(self, call: Call) -> Iterator[requests.Response]:
        """Lend the answer of a call.

        Raises:
            ApiException: Of the call's kind, if the last answer was an error.
            ConnectionFailed: If there was no answer.
        """
        waited_s = 0.0
        for attempt in itertools.count(1):
            with ExitStack() as stack:
                session = call.session or stack.enter_context(self._sessions.borrow())
                response, failure = self._attempt(session, call)
                if response is not None:
                    stack.callback(response.close)
                if failure is None or failure.scope is Scope.NEVER:
                    self._note_answer(response)
                if failure is None and response is not None:
                    yield response
                    return
            assert failure is not None  # noqa: S101  an attempt gives an answer or a failure
            if not self._may_repeat(call, failure, attempt, waited_s):
                raise _count_attempts(failure.error, attempt)
            wait_s = self.policy.wait_s(attempt, failure.retry_after)
            self._note_failure(call, failure, wait_s)
            waited_s += wait_s
            self.policy.sleep(wait_s)
            call.rewind()

    def _attempt(
        self, session: requests.Session, call: Call
    ) -> tuple[requests.Response | None, Failure | None]:
        read_timeout_s = call.read_timeout_s or self._settings.read_timeout_s
        timeout = (self._settings.connect_timeout_s, read_timeout_s)
        try:
            response = session.request(
                call.method,
                call.url,
                timeout=timeout,
                proxies=self._sessions.find_proxies(find_origin(call.url)),
                **call.options,
            )
            secret = self._secret.reveal()
            return response, inspect_answer(response, call.operation, secret, call.error_kind)
        except requests.RequestException as error:
            return None, inspect_exception(error, call.operation, call.url, call.remedy)

    def _may_repeat(self, call: Call, failure: Failure, attempt: int, waited_s: float) -> bool:
        if failure.scope is Scope.NEVER or not (call.is_repeatable or failure.was_untouched):
            return False
        settings = self._settings
        patience_s = settings.outage_s if self._has_answered else settings.first_contact_s
        if failure.scope is Scope.SOME_ATTEMPTS or patience_s is None:
            return attempt < self.policy.attempts
        return waited_s < patience_s

    def _note_answer(self, response: requests.Response | None) -> None:
        self._has_answered = self._has_answered or response is not None
        if self._is_away and response is not None:
            self._is_away = False
            log.warning("The server answers again.")

    def _note_failure(self, call: Call, failure: Failure, wait_s: float) -> None:
        place = describe_origin(call.url)
        if failure.scope is Scope.OUTAGE and not self._is_away:
            self._is_away = True
            log.warning("%s %s; trying again.", place, failure.reason)
        else:
            log.info("%s %s; trying again in %.1f s.", place, failure.reason, wait_s)


def _count_attempts(
    error: ApiException | ConnectionFailed, attempts: int
) -> ApiException | ConnectionFailed:
    if isinstance(error, ApiException):
        error.attempts = attempts
    return error


class RewindableFile:
    """A file that can be sent again from where it stood at first; looks as long as what is left."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._start = file.tell()
        self._length = file.seek(0, os.SEEK_END) - self._start
        file.seek(self._start)

    def __len__(self) -> int:
        return self._length

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        return self._file.read(size)

    def rewind(self) -> None:
        """Go back to the start."""
        self._file.seek(self._start)


def make_repeatable(content: Blob) -> bytes | RewindableFile:
    """Return a body that can be sent more than once."""
    if isinstance(content, bytes | bytearray | memoryview):
        return bytes(content)
    if not (hasattr(content, "seekable") and content.seekable()):
        content = io.BytesIO(content.read())
    file = RewindableFile(content)
    # An empty file would be sent in chunks, which stores refuse.
    return file if len(file) else b""
