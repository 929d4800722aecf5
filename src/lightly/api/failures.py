"""Telling apart how a request failed, and turning it into an error without secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping, MutableMapping
from copy import copy
from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from lightly._kit.redaction import MASK, redact
from lightly._kit.retry import RETRIED_STATUSES
from lightly.api.errors import (
    ApiException,
    ConnectionFailed,
    DatasetNotFoundError,
    UnexpectedAnswer,
)
from lightly.openapi_generated.wire.exceptions import (
    ForbiddenException,
    NotFoundException,
    ServiceException,
    UnauthorizedException,
)

MAX_BODY_CHARACTERS = 1_000
_REFUSED_UNTOUCHED = frozenset({429, 503})
_OUTAGE_STATUSES = frozenset({429, 502, 503, 504})
_SUCCESS = range(200, 300)
_DATASET_UNKNOWN = "DATASET_UNKNOWN"
_KIND_OF_STATUS: dict[int, type[ApiException]] = {
    401: UnauthorizedException,
    403: ForbiddenException,
    404: NotFoundException,
}
_NO_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
)


class Scope(Enum):
    """How long trying again makes sense."""

    NEVER = "never"
    SOME_ATTEMPTS = "some attempts"
    OUTAGE = "outage"


@dataclass(frozen=True, slots=True)
class Failure:
    """One attempt that failed.

    Attributes:
        reason: A phrase for people, without secrets.
        scope: How long trying again makes sense.
        was_untouched: The server has certainly not begun with the request.
        retry_after: The answer's `Retry-After` header.
        error: The error to raise when it was the last attempt.
    """

    reason: str
    scope: Scope
    was_untouched: bool
    error: ApiException | ConnectionFailed
    retry_after: str | None = None


def describe_url(url: str) -> str:
    """Return a URL without its query: that is where signatures and tokens are.

    >>> describe_url("http://host:1/blobs/a?signature=x")
    'http://host:1/blobs/a'
    """
    try:
        return find_origin(url) + urlsplit(url).path
    except ValueError:
        return "an address that is none"


def describe_origin(url: str) -> str:
    """Return scheme, host and port of what should be a URL."""
    try:
        return find_origin(url)
    except requests.exceptions.InvalidURL:
        return "an address that is none"


def find_origin(url: str) -> str:
    """Return scheme, host and port of a URL, without user and password.

    Raises:
        requests.exceptions.InvalidURL: If it is no URL.

    >>> find_origin("https://user:secret@host:1/a")
    'https://host:1'
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = None
    if parts is None:
        raise requests.exceptions.InvalidURL("This is no URL.")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def inspect_answer(
    response: requests.Response, operation: str, secret: str, kind: type[ApiException]
) -> Failure | None:
    """Return what is wrong with an answer, or None if it is a success."""
    if response.status_code in _SUCCESS:
        return None
    status = response.status_code
    scope = Scope.OUTAGE if status in _OUTAGE_STATUSES else Scope.SOME_ATTEMPTS
    if status not in RETRIED_STATUSES:
        scope = Scope.NEVER
    error = make_api_exception(response, operation, secret, kind)
    return Failure(
        reason=f"answered {status}",
        scope=scope,
        was_untouched=status in _REFUSED_UNTOUCHED,
        error=error,
        retry_after=response.headers.get("Retry-After"),
    )


def inspect_exception(
    error: requests.RequestException, operation: str, url: str, remedy: str = ""
) -> Failure:
    """Return what an exception of the HTTP library means. Its own text holds the whole URL."""
    place = describe_origin(url)
    if isinstance(error, requests.exceptions.SSLError):
        message = (
            f"{operation}: no secure connection to {place}. Set LIGHTLY_CA_CERTS to the "
            "certificates to trust if the server uses its own."
        )
        return _fail("no secure connection", Scope.NEVER, message, was_untouched=True)
    was_untouched = _never_connected(error)
    if isinstance(error, requests.exceptions.ConnectionError) or was_untouched:
        reason = "cannot be reached" if was_untouched else "closed the connection"
        message = f"{operation}: {place} {reason}."
        message += f" {remedy}" if was_untouched and remedy else ""
        return _fail(reason, Scope.OUTAGE, message, was_untouched)
    if isinstance(error, requests.exceptions.Timeout):
        return _fail("timed out", Scope.SOME_ATTEMPTS, f"{operation}: {place} timed out.")
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return _fail("broke off", Scope.SOME_ATTEMPTS, f"{operation}: {place} broke off.")
    if isinstance(error, _NO_ADDRESS):
        message = f"{operation}: the server gave an address that cannot be opened."
        return Failure("is no address", Scope.NEVER, True, UnexpectedAnswer(message))
    kind = type(error).__name__
    return _fail(kind, Scope.NEVER, f"{operation}: the request to {place} failed ({kind}).")


def make_api_exception(
    response: requests.Response, operation: str, secret: str, kind: type[ApiException]
) -> ApiException:
    """Return the error that an answer stands for."""
    text = _clean(response.text, secret)
    content = _read_error_body(text)
    code = str(content.get("code") or "")[:100]
    said = str(content.get("error") or content.get("message") or "")
    request_id = str(content.get("requestId") or response.headers.get("X-Request-Id") or "")[:100]
    status = f"{response.status_code} {code or response.reason or ''}".strip()
    message = f"{operation}: {status}"
    message += f": {said}" if said else ""
    message += _suggest_remedy(response, secret)
    message += f" (request {request_id})" if request_id else ""
    error = _choose_kind(kind, response.status_code, code)(message)
    error.status, error.reason = response.status_code, response.reason or ""
    error.code, error.body, error.request_id = code, text, request_id
    error.headers = _keep_harmless(response.headers)
    return error


def _choose_kind(kind: type[ApiException], status: int, code: str) -> type[ApiException]:
    """Return the subclass that says most about an answer of the server itself."""
    if kind is not ApiException:
        return kind
    if code == _DATASET_UNKNOWN and status == requests.codes.not_found:
        return DatasetNotFoundError
    if status >= requests.codes.server_error:
        return ServiceException
    return _KIND_OF_STATUS.get(status, kind)


def _fail(reason: str, scope: Scope, message: str, was_untouched: bool = False) -> Failure:
    return Failure(reason, scope, was_untouched, ConnectionFailed(message))


def _never_connected(error: requests.RequestException) -> bool:
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.ProxyError):
        return True
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", cause), NewConnectionError | ConnectTimeoutError)


def _keep_harmless(headers: MutableMapping[str, str]) -> Mapping[str, str]:
    """Return headers without those that can hold signed URLs or cookies."""
    kept = copy(headers)
    for name in ("Location", "Set-Cookie"):
        kept.pop(name, None)
    return kept


def _clean(text: str, secret: str) -> str:
    shown = text if len(text) <= MAX_BODY_CHARACTERS else text[:MAX_BODY_CHARACTERS] + "…"
    # The whole token is looked for first: cut in half it would not be found.
    cleaned = text.replace(secret, MASK) if secret and secret in text else shown
    return redact(cleaned[:MAX_BODY_CHARACTERS])


def _read_error_body(text: str) -> dict[str, object]:
    try:
        content = json.loads(text)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _suggest_remedy(response: requests.Response, secret: str) -> str:
    if response.status_code == requests.codes.unauthorized:
        return " Check the token (LIGHTLY_TOKEN)."
    if response.is_redirect or response.is_permanent_redirect:
        target = _clean(describe_url(response.headers["Location"]), secret)
        return f": the address leads to {target}. Set LIGHTLY_SERVER_LOCATION accordingly."
    return ""
