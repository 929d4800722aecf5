"""A network on which a few operations of the wire contract answer, and all others are missing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from tests.support.sdk import FunctionAdapter, make_json_response, make_response, read_body

Parameters = dict[str, str]
#: Gets query parameters and decoded body; returns decoded JSON, or a whole answer.
Handler = Callable[[Parameters, Any], Any]


class WireFake(FunctionAdapter):
    """A server that knows some operations.

    Args:
        operations: By method and path such as `"GET /v1/docker/worker"` what answers. Values that
            cannot be called are the answer itself.

    Attributes:
        calls: Method and path, query parameters and body of every request.
    """

    def __init__(self, operations: dict[str, Any]) -> None:
        super().__init__(self._answer_request)
        self._operations = operations
        self.calls: list[tuple[str, Parameters, Any]] = []

    def _answer_request(self, request: requests.PreparedRequest) -> requests.Response:
        parts = urlsplit(str(request.url))
        operation = f"{request.method} {parts.path}"
        parameters = {name: values[0] for name, values in parse_qs(parts.query).items()}
        content = read_body(request)
        body = json.loads(content) if content else None
        self.calls.append((operation, parameters, body))
        if operation not in self._operations:
            return make_json_response(
                '{"code": "NOT_FOUND", "error": "There is no such path."}', 404
            )
        handler = self._operations[operation]
        answer = handler(parameters, body) if callable(handler) else handler
        if isinstance(answer, requests.Response):
            return answer
        if answer is None:
            return make_response(204)
        return make_json_response(json.dumps(answer), 201 if request.method == "POST" else 200)

    def read_bodies(self, operation: str) -> list[Any]:
        """Return the bodies of all requests of an operation."""
        return [body for made, _, body in self.calls if made == operation]

    def read_parameters(self, operation: str) -> list[Parameters]:
        """Return the query parameters of all requests of an operation."""
        return [parameters for made, parameters, _ in self.calls if made == operation]


def make_refusal(status: int, code: str = "FORBIDDEN") -> requests.Response:
    """Return an answer that refuses a request."""
    return make_json_response(json.dumps({"code": code, "error": "No."}), status)
