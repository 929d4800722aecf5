"""Datasource configurations as they travel, made of what a caller passes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from lightly._kit.errors import BadInput

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

#: Two regions have been renamed; servers know the new names.
_RENAMED_REGIONS = {"us-gov-east-1": "us-gov-east", "us-gov-west-1": "us-gov-west"}

# 16 hex digits at random are 64 bits; once in 30,000 times they are of fewer than 6 different ones.
_RANDOM_CHARACTERS = 16
_DIFFERENT_CHARACTERS = 6


def make_config(kind: str, fields: Mapping[str, tuple[str, Any]]) -> dict[str, Any]:
    """Return a `DatasourceConfig` of the wire contract as a dictionary.

    Args:
        kind: Its `type`.
        fields: By wire name the name of the caller's parameter and its value. Those that are None
            are left out.

    Raises:
        ValueError: If a value breaks a rule of the contract. Values are never repeated: some are
            secrets.
    """
    from pydantic import ValidationError

    from lightly.openapi_generated.swagger_client.models.datasource_config import DatasourceConfig

    config = {name: value for name, (_, value) in fields.items() if value is not None}
    try:
        return DatasourceConfig.from_dict({"type": kind, **config}).to_dict(by_alias=True)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)[0]
    raise BadInput(_describe(details, fields))


def _describe(details: ErrorDetails, fields: Mapping[str, tuple[str, Any]]) -> str:
    wire_name = str(details["loc"][-1]) if details["loc"] else ""
    parameter = fields[wire_name][0] if wire_name in fields else wire_name
    return f"'{parameter}' is not valid: {details['msg'][:400]}."


def is_easy_to_guess(external_id: str) -> bool:
    """Tell whether an external id is too short, or of too few characters, to be a random one.

    >>> is_easy_to_guess("my-company"), is_easy_to_guess("9f86d081884c7d659a2feaa0c55ad015")
    (True, False)
    """
    return len(external_id) < _RANDOM_CHARACTERS or len(set(external_id)) < _DIFFERENT_CHARACTERS


def rename_region(region: str) -> str:
    """Return the name that servers have for a region of S3."""
    return _RENAMED_REGIONS.get(region, region)


def split_local_path(path: str, web_server_location: str | None) -> tuple[str, str | None]:
    """Return the path of local files below their mount, and the address that serves them.

    Args:
        path: A relative path, or the address of a file server with a path, as older programs have
            it.
        web_server_location: The address if `path` is a relative one.

    Raises:
        ValueError: If `path` is an address that cannot be split.

    >>> split_local_path("http://localhost:1234/my/data", "http://localhost:3456")
    ('my/data', 'http://localhost:1234')
    >>> split_local_path("my/data", None)
    ('my/data', None)
    """
    if "://" not in path:
        return path, web_server_location
    parts = urlsplit(path)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise BadInput(
            "'resource_path' must be a path relative to the mount, or an address such as "
            "http://localhost:3456/path/to/data."
        )
    return unquote(parts.path).strip("/"), f"{parts.scheme}://{parts.netloc}"
