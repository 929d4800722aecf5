"""Requests to stores that the library of object stores cannot make: bounded, and repeated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import requests

from lightly._kit.retry import RETRIED_STATUSES, RetryPolicy
from lightly.server.datasources.buckets.network import (
    CONNECT_TIMEOUT_S,
    MAX_RETRIES,
    READ_TIMEOUT_S,
)

#: A page of 5,000 names of 1,024 encoded bytes each has some 20 MB.
_MAX_ANSWER_BYTES = 32 * 1024 * 1024
_MAX_ERROR_BYTES = 4_000
_PIECE_BYTES = 64 * 1024


class StoreAnswered(OSError):
    """The store answered with an error; the text has its status and codes, never its URL."""


@dataclass(frozen=True)
class RawRequests:
    """Makes requests through the proxy, and again when that may help.

    Attributes:
        session: Uses the proxy.
        retries: How often.
    """

    session: requests.Session
    retries: RetryPolicy = field(
        default_factory=lambda: RetryPolicy(attempts=MAX_RETRIES, base_s=0.2, cap_s=4.0)
    )

    def send(
        self,
        method: str,
        make_url: Callable[[], str],
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """Return the body of an answer.

        Args:
            method: Of the request, which is one that can be repeated.
            make_url: Signs the URL anew for each attempt.
            body: To be sent.
            headers: Likewise.

        Raises:
            FileNotFoundError: If there is no such object or bucket.
            StoreAnswered: If the store says no.
            OSError: If it does not answer.
        """
        for attempt in range(1, self.retries.attempts + 1):
            is_last = attempt == self.retries.attempts
            retry_after = None
            try:
                status, answer, retry_after = self._try(method, make_url(), body, headers)
            except requests.RequestException as error:
                if is_last:
                    # Its text has the URL.
                    raise OSError(f"connection: {type(error).__name__}") from None
            else:
                if requests.codes.ok <= status < requests.codes.multiple_choices:
                    return answer
                if is_last or status not in RETRIED_STATUSES:
                    raise make_answer(status, answer)
            self.retries.sleep(self.retries.wait_s(attempt, retry_after))
        raise OSError("connection: no attempt was made")

    def _try(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str] | None
    ) -> tuple[int, bytes, str | None]:
        with self.session.request(
            method,
            url,
            data=body,
            headers=headers,
            stream=True,
            allow_redirects=False,
            timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
        ) as answer:
            pieces, size_bytes = [], 0
            for piece in answer.iter_content(_PIECE_BYTES):
                pieces.append(piece)
                size_bytes += len(piece)
                if size_bytes > _MAX_ANSWER_BYTES:
                    raise requests.exceptions.ContentDecodingError
            return answer.status_code, b"".join(pieces), answer.headers.get("Retry-After")


def make_answer(status: int, body: bytes) -> OSError:
    """Return the error of an answer that is not a good one."""
    text = f"status {status}: {body[:_MAX_ERROR_BYTES].decode('utf-8', 'replace')}"
    return FileNotFoundError(text) if status == requests.codes.not_found else StoreAnswered(text)
