"""The one place where this client talks HTTP: token in a header, one retry policy, clean errors."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import requests
from requests.adapters import BaseAdapter

from lightly._kit.retry import RetryPolicy
from lightly.api.configuration import is_default_location, make_user_agent, read_ca_certificates
from lightly.api.encoding import decode_json, encode_json
from lightly.api.errors import ApiException, BlobTransferFailed, UnexpectedAnswer
from lightly.api.sending import Blob, Call, Sender, TransportSettings, make_repeatable
from lightly.api.sessions import BearerToken, Secret, SessionPool

Parameter = str | int | bool | None
#: A list is sent as the same name again and again.
Parameters = Mapping[str, Parameter | Sequence[Parameter]]

#: The server-side encryption of S3 uploads: `True`, or the id of a key.
S3_ENCRYPTION_VARIABLE = "LIGHTLY_S3_SSE_KMS_KEY"


class Transport:
    """Calls of one server by one user.

    Args:
        server_url: Address of the server without a slash at the end.
        token: API token. It travels in the `Authorization` header and is shown nowhere.
        settings: How patient to be.
        make_adapter: Returns what moves the bytes; a test passes its own.

    Attributes:
        headers: Sent with every call of the server, such as the lease of a worker; never with
            signed URLs.
    """

    def __init__(
        self,
        server_url: str,
        token: str,
        *,
        settings: TransportSettings | None = None,
        make_adapter: Callable[[], BaseAdapter] | None = None,
    ) -> None:
        self.server_url = server_url
        self.headers: dict[str, str] = {}
        self._token = Secret(token)
        self._sessions = SessionPool(
            verify=read_ca_certificates(), user_agent=make_user_agent(), make_adapter=make_adapter
        )
        self._sender = Sender(self._sessions, settings or TransportSettings(), self._token)

    def __repr__(self) -> str:
        return f"Transport({self.server_url!r})"

    @property
    def policy(self) -> RetryPolicy:
        """The waits between attempts."""
        return self._sender.policy

    def reveal_token(self) -> str:
        """Return the token; keep it out of everything that people read."""
        return self._token.reveal()

    def replace_token(self, token: str) -> None:
        """Call as another user from now on."""
        self._token.replace(token)

    def set_timeout(self, *, connect_timeout_s: float, read_timeout_s: float) -> None:
        """Change the longest waits for a connection and for an answer."""
        self._sender.set_timeout(connect_timeout_s=connect_timeout_s, read_timeout_s=read_timeout_s)

    def close(self) -> None:
        """Close all connections. The next call opens new ones."""
        self._sessions.close()

    def get(self, path: str, parameters: Parameters | None = None) -> Any:
        """Return the decoded answer of a GET."""
        return self.request("GET", path, parameters=parameters)

    def get_bytes(self, path: str, parameters: Parameters | None = None) -> bytes:
        """Return the answer of a GET as it came."""
        options: dict[str, Any] = {
            "auth": BearerToken(self._token),
            "headers": {"Accept": "application/octet-stream", **self.headers},
            "allow_redirects": False,
        }
        if parameters:
            options["params"] = _write_parameters(parameters)
        with self._sender.send(self._make_call("GET", path, options, is_repeatable=True)) as answer:
            return answer.content

    def post(
        self,
        path: str,
        body: object = None,
        parameters: Parameters | None = None,
        *,
        is_repeatable: bool = False,
    ) -> Any:
        """Return the decoded answer of a POST.

        Args:
            path: Path below the server's address, beginning with a slash.
            body: What to send as JSON; None sends no body.
            parameters: Query parameters; those that are None are left out.
            is_repeatable: By contract the same request twice has the effect of one.
        """
        return self.request(
            "POST", path, parameters=parameters, body=body, is_repeatable=is_repeatable
        )

    def put(self, path: str, body: object = None) -> Any:
        """Return the decoded answer of a PUT."""
        return self.request("PUT", path, body=body)

    def delete(self, path: str) -> None:
        """Make a DELETE."""
        self.request("DELETE", path)

    def request(
        self,
        method: str,
        path: str,
        *,
        parameters: Parameters | None = None,
        body: object = None,
        is_repeatable: bool | None = None,
    ) -> Any:
        """Make one call and return the decoded answer; None if it is empty.

        Args:
            method: GET, PUT and DELETE are repeated when they fail, others only if
                `is_repeatable`.
            path: Path below the server's address, beginning with a slash.
            parameters: Query parameters; those that are None are left out.
            body: What to send as JSON; None sends no body.
            is_repeatable: By contract the same request twice has the effect of one.

        Raises:
            ApiException: If the server answers with an error.
            ConnectionFailed: If it does not answer at all.
        """
        options: dict[str, Any] = {
            "auth": BearerToken(self._token),
            "headers": {"Accept": "application/json", **self.headers},
            # A redirected POST would become a GET, and the token is for this server only.
            "allow_redirects": False,
        }
        if parameters:
            options["params"] = _write_parameters(parameters)
        if body is not None:
            options["data"] = encode_json(body)
            options["headers"]["Content-Type"] = "application/json"
        if is_repeatable is None:
            is_repeatable = method != "POST"
        call = self._make_call(method, path, options, is_repeatable=is_repeatable)
        with self._sender.send(call) as response:
            return _decode(response, call.operation)

    def _make_call(
        self, method: str, path: str, options: dict[str, Any], *, is_repeatable: bool
    ) -> Call:
        return Call(
            operation=f"{method} {path}",
            method=method,
            url=self.server_url + path,
            is_repeatable=is_repeatable,
            error_kind=ApiException,
            options=options,
            remedy=_suggest_server(),
        )

    def put_blob(
        self,
        url: str,
        content: Blob,
        headers: Mapping[str, str] | None = None,
        *,
        session: requests.Session | None = None,
    ) -> requests.Response:
        """Send bytes to a signed URL.

        Args:
            url: It is a secret; errors name it without its query.
            content: Bytes, or a file that can seek; it is read from where it stands.
            headers: Sent with the request.
            session: Sends the request; one of the client's own if None.

        Raises:
            BlobTransferFailed: If the store refuses.
            ConnectionFailed: If it does not answer.
        """
        all_headers = {**_choose_store_headers(url), **(headers or {})}
        call = Call(
            operation="PUT (signed URL)",
            method="PUT",
            url=url,
            is_repeatable=True,
            error_kind=BlobTransferFailed,
            options={
                "data": make_repeatable(content),
                "headers": all_headers,
                "allow_redirects": False,
            },
            session=session,
        )
        with self._sender.send(call) as response:
            return response

    @contextmanager
    def open_blob(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        read_timeout_s: float | None = None,
        session: requests.Session | None = None,
    ) -> Iterator[requests.Response]:
        """Open a signed URL for reading piece by piece; follows redirects.

        Args:
            url: It is a secret; errors name it without its query.
            headers: Sent with the request.
            read_timeout_s: Longest silence of the store; that of the settings if None.
            session: Sends the request; one of the client's own if None.

        Raises:
            BlobTransferFailed: If the store refuses.
            ConnectionFailed: If it does not answer.
        """
        call = Call(
            operation="GET (signed URL)",
            method="GET",
            url=url,
            is_repeatable=True,
            error_kind=BlobTransferFailed,
            # Without this the bytes on disk could be fewer or more than the store has.
            options={
                "stream": True,
                "headers": {"Accept-Encoding": "identity", **(headers or {})},
            },
            read_timeout_s=read_timeout_s,
            session=session,
        )
        with self._sender.send(call) as response:
            yield response


def _suggest_server() -> str:
    if is_default_location():
        return "Start one with `lightly server`, or set LIGHTLY_SERVER_LOCATION to where it is."
    return "The address comes from LIGHTLY_SERVER_LOCATION: is a server running there?"


def _choose_store_headers(url: str) -> dict[str, str]:
    """Return what the stores of some providers insist on."""
    headers = {}
    if ".windows.net/" in url:
        headers["x-ms-blob-type"] = "BlockBlob"
    key = os.environ.get(S3_ENCRYPTION_VARIABLE, "").strip()
    if key and ".s3." in url and ".amazonaws.com/" in url:
        if key.lower() == "true":
            headers["x-amz-server-side-encryption"] = "AES256"
        else:
            headers["x-amz-server-side-encryption"] = "aws:kms"
            headers["x-amz-server-side-encryption-aws-kms-key-id"] = key
    return headers


def _write_parameters(parameters: Parameters) -> dict[str, list[str]]:
    """Return query parameters as the contract spells them: booleans are `True` and `False`."""
    return {
        name: [str(one) for one in (value if isinstance(value, list | tuple) else [value])]
        for name, value in parameters.items()
        if value is not None
    }


def _decode(response: requests.Response, operation: str) -> Any:
    if not response.content:
        return None
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type == "text/plain":
        response.encoding = "utf-8"
        return response.text
    try:
        return decode_json(response.content)
    except ValueError:
        error = UnexpectedAnswer(
            f"{operation}: the answer is not JSON ({media_type or 'no content type'}). Is "
            "LIGHTLY_SERVER_LOCATION the address of a Lightly server?"
        )
        error.status = response.status_code
    raise error
