"""The SDK in tests: on servers without a socket, and on a network that misbehaves on purpose."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from unittest.mock import patch

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse

from lightly._kit.retry import RetryPolicy
from lightly.api.api_workflow_client import ApiWorkflowClient
from lightly.api.sending import TransportSettings
from lightly.api.transport import Transport

#: Looks at a request; returns an answer, raises, or returns None to let it pass.
Hook = Callable[[requests.PreparedRequest], requests.Response | None]
Outcome = requests.Response | Exception


def connect_client(url: str, token: str) -> ApiWorkflowClient:
    """Return a client of a server; the environment stays as it is."""
    with patch.dict(os.environ, {"LIGHTLY_SERVER_LOCATION": url}):
        return ApiWorkflowClient(token=token)


def make_response(
    status: int = 200, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> requests.Response:
    """Return an answer as it comes from the network."""
    raw = HTTPResponse(
        io.BytesIO(body), headers=dict(headers or {}), status=status, preload_content=False
    )
    request = requests.Request("GET", "http://unused").prepare()
    return HTTPAdapter().build_response(request, raw)


def make_json_response(content: str, status: int = 200, **headers: str) -> requests.Response:
    """Return an answer that holds JSON text."""
    all_headers = {"Content-Type": "application/json", **headers}
    return make_response(status, content.encode(), all_headers)


def read_body(request: requests.PreparedRequest) -> bytes:
    """Return the bytes that a request would send."""
    body: Any = request.body
    if body is None:
        return b""
    if hasattr(body, "read"):
        return bytes(body.read())
    return body.encode() if isinstance(body, str) else bytes(body)


class ScriptedAdapter(BaseAdapter):
    """A network that gives prepared outcomes, one for each request, the last one for ever.

    Attributes:
        requests: What was sent.
        bodies: The bodies of `requests`.
    """

    def __init__(self, outcomes: Iterable[Outcome]) -> None:
        super().__init__()
        self._outcomes = list(outcomes)
        self.requests: list[requests.PreparedRequest] = []
        self.bodies: list[bytes] = []

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        """Give the next outcome."""
        self.requests.append(request)
        self.bodies.append(read_body(request))
        outcome = self._outcomes[0] if len(self._outcomes) == 1 else self._outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        outcome.request, outcome.url = request, str(request.url)
        return outcome

    def close(self) -> None:
        """Do nothing."""


class FunctionAdapter(BaseAdapter):
    """A network that is one function.

    Attributes:
        log: Method and path of every request that was made.
    """

    def __init__(self, answer: Callable[[requests.PreparedRequest], requests.Response]) -> None:
        super().__init__()
        self._answer = answer
        self.log: list[tuple[str, str]] = []

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        """Ask the function."""
        self.log.append((str(request.method), str(request.path_url)))
        answer = self._answer(request)
        answer.request, answer.url = request, str(request.url)
        return answer

    def close(self) -> None:
        """Do nothing."""


class BridgeAdapter(BaseAdapter):
    """A network that leads to an application in this process.

    Attributes:
        hook: Called before each request.
        log: Method and path of every request that was made.
    """

    def __init__(self, client: Any, hook: Hook | None = None) -> None:
        super().__init__()
        self._client = client
        self.hook = hook
        self.log: list[tuple[str, str]] = []

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        """Pass the request on."""
        self.log.append((str(request.method), str(request.path_url)))
        answer = self.hook(request) if self.hook else None
        if answer is None:
            answer = self.forward(request)
        answer.request, answer.url = request, str(request.url)
        return answer

    def forward(self, request: requests.PreparedRequest) -> requests.Response:
        """Let the application answer."""
        made = self._client.request(
            request.method,
            request.url,
            headers=dict(request.headers),
            content=read_body(request),
            follow_redirects=False,
        )
        headers = {
            name: value
            for name, value in made.headers.items()
            if name.lower() not in {"content-encoding", "transfer-encoding"}
        }
        return make_response(made.status_code, made.content, headers)

    def close(self) -> None:
        """Do nothing."""

    def count(self, method: str, fragment: str) -> int:
        """Return how many requests with this method had `fragment` in their path."""
        return sum(made == method and fragment in path for made, path in self.log)


def make_settings(sleep: Callable[[float], None] = lambda _: None) -> TransportSettings:
    """Return settings that never really wait."""
    return TransportSettings(RetryPolicy(attempts=4, sleep=sleep, jitter=lambda: 1.0))


def make_transport(adapter: BaseAdapter, url: str = "http://testserver") -> Transport:
    """Return a transport whose requests go through an adapter."""
    return Transport(url, "TOKEN", settings=make_settings(), make_adapter=lambda: adapter)


def make_waiting_settings() -> TransportSettings:
    """Return settings for a server whose jobs take a moment."""
    return TransportSettings(RetryPolicy(attempts=4, base_s=0.05))


def make_client(
    adapter: BaseAdapter,
    token: str = "0123456789abcdef0123456789abcdef",
    dataset_id: str | None = None,
    *,
    url: str = "http://testserver",
    settings: TransportSettings | None = None,
) -> ApiWorkflowClient:
    """Return a client whose requests go through an adapter."""
    client = ApiWorkflowClient(token=token, dataset_id=dataset_id)
    client._transport = Transport(
        url, token, settings=settings or make_settings(), make_adapter=lambda: adapter
    )
    return client


def make_client_of(user: Any) -> ApiWorkflowClient:
    """Return a client that calls a server without a socket as the user of a test client."""
    token = user.headers["Authorization"].removeprefix("Bearer ")
    return make_client(BridgeAdapter(user), token)
