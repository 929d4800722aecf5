"""What the generated classes of calls are built on: one method for each operation."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Protocol
from urllib.parse import quote

from lightly.openapi_generated.wire.exceptions import ApiException


class Caller(Protocol):
    """Calls a server as one user; `lightly.api.transport.Transport` is one."""

    def request(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        body: object = None,
    ) -> Any:
        """Make one call and return the decoded answer; None if it is empty."""


class WireApi:
    """Operations of the wire contract, one to one.

    Args:
        api_client: Calls the server.
    """

    def __init__(self, api_client: Caller) -> None:
        self.api_client = api_client

    def _call(
        self,
        operation: str,
        path_values: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        body: object = None,
        answer: str = "",
    ) -> Any:
        """Make a call.

        Args:
            operation: Method and path with placeholders, such as `GET /v1/datasets/{datasetId}`.
            path_values: Values of the placeholders.
            query: Query parameters; those that are None are left out.
            body: A wire model, or a list of them; None sends no body.
            answer: Name of the wire model in the answer, in brackets if it is a list of them; empty
                if it is handed through.

        Raises:
            ApiException: If the server refuses, or the answer breaks the contract.
        """
        method, _, path = operation.partition(" ")
        for name, value in (path_values or {}).items():
            path = path.replace(f"{{{name}}}", quote(str(_make_plain(value)), safe=""))
        parameters = {name: _make_plain(value) for name, value in (query or {}).items()}
        content = self.api_client.request(
            method, path, parameters=parameters, body=None if body is None else _make_plain(body)
        )
        return _read(answer, content) if answer else content


def _make_plain(value: object) -> Any:
    """Return a value of a call as it travels."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list | tuple):
        return [_make_plain(one) for one in value]
    to_dict = getattr(value, "to_dict", None)
    return value if to_dict is None else to_dict(by_alias=True)


def _read(answer: str, content: object) -> Any:
    # Loaded when first needed: making a client must stay fast.
    from pydantic import ValidationError  # noqa: PLC0415

    from lightly.openapi_generated.swagger_client import models  # noqa: PLC0415

    name = answer.strip("[]")
    model = getattr(models, name)
    try:
        if not answer.startswith("["):
            return model.from_dict(content, ignore_unknown=True)
        if isinstance(content, list):
            return [model.from_dict(one, ignore_unknown=True) for one in content]
    except ValidationError:
        pass
    raise ApiException(f"The server's answer is no {answer}.")
