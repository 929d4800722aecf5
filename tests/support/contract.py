"""Holds every answer of a server against the wire contract in `openapi/openapi.json`.

`check_response` judges one answer, `ContractClient` wraps an HTTP client so that no call made in a
test goes unchecked. Judging is as strict as the newest published client: no unknown field at any
depth, `1.0` is no integer, NaN is no number, patterns cover the whole text.
"""

import functools
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from jsonschema import (  # type: ignore[import-untyped]  # ships no types
    Draft202012Validator,
    ValidationError,
    validators,
)
from jsonschema.exceptions import best_match  # type: ignore[import-untyped]  # ships no types

CONTRACT = Path(__file__).resolve().parents[2] / "openapi" / "openapi.json"
JSON_TYPE = "application/json"

# Any operation may answer these with the contract's error body: who you are is settled before what
# you ask for, and limits, conflicts and outages can meet every request.
ERRORS_OF_ALL_OPERATIONS = frozenset({401, 402, 409, 410, 413, 422, 429, 501, 503})
# Only these may answer a request that the contract does not know.
ERRORS_OF_UNKNOWN_OPERATIONS = frozenset({404, 405})

# Routes of client 1.1 that the contract no longer has, and the route that answers the same.
MOVED_PATHS = {
    "/v1/configuration/metadata": "/v1/datasets/{datasetId}/configuration/metadata",
    "/v1/configuration/metadata/{configurationId}": (
        "/v1/datasets/{datasetId}/configuration/metadata/{configurationId}"
    ),
    "/v1/datasets/{datasetId}/setMetaDataConfiguration": (
        "/v1/datasets/{datasetId}/registerDatasetUpload"
    ),
}


@dataclass(frozen=True)
class Operation:
    """One operation of the contract, as found for a concrete path."""

    method: str
    template: str
    definition: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.template}"


def list_operations() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield method, path template and definition of every operation of the contract."""
    for template, methods in _load_contract()["paths"].items():
        for method, definition in methods.items():
            yield method.upper(), template, definition


def find_operation(method: str, path: str) -> Operation | None:
    """Return the operation that serves a concrete, still percent-encoded path.

    Doubled leading slashes and a slash at the end are forgiven, as servers must for older clients.
    """
    clean_path = "/" + path.strip("/")
    for pattern, template in _path_patterns():
        definition = _load_contract()["paths"][MOVED_PATHS.get(template, template)]
        if pattern.fullmatch(clean_path) and method.lower() in definition:
            return Operation(method.upper(), template, definition[method.lower()])
    return None


def check_response(
    method: str, path: str, status: int, headers: Mapping[str, str], body: bytes
) -> None:
    """Judge one answer.

    Args:
        method: Of the request.
        path: Of the request, percent-encoded, without query.
        status: Of the answer.
        headers: Of the answer, any case.
        body: Of the answer, decoded from any transfer or content encoding.

    Raises:
        AssertionError: If the contract does not allow the answer; says which rule broke where.
    """
    operation = find_operation(method, path)
    declared = _find_declaration(operation, status)
    name = str(operation or f"{method.upper()} {path}")
    lower_headers = {key.lower(): value for key, value in headers.items()}
    try:
        _check_headers(declared, status, lower_headers, body)
        _check_body(declared, lower_headers.get("content-type", ""), body)
    except _ContractBroken as broken:
        raise AssertionError(f"{name} answered {status}, but {broken}.") from broken


class HttpSession(Protocol):
    """What `requests.Session` and the test clients of web frameworks have in common."""

    def request(self, method: str, url: str, **options: Any) -> Any:
        """Send a request and return the answer."""


class ContractClient:
    """An HTTP client that checks every answer below `/v1/` against the contract.

    All else (`headers`, `cookies`, `close`, ...) is passed on to the wrapped client.
    """

    def __init__(self, session: HttpSession, *, base_url: str = "") -> None:
        self._session = session
        self._base_url = base_url

    def request(self, method: str, url: str, **options: Any) -> Any:
        """Send a request, check the answer and return it."""
        final = self._session.request(method, f"{self._base_url}{url}", **options)
        for answer in [*final.history, final]:
            path = urlsplit(str(answer.url)).path
            if re.match("/+v1/", path):
                sent_method = answer.request.method or method
                check_response(
                    sent_method, path, answer.status_code, answer.headers, answer.content
                )
        return final

    def get(self, url: str, **options: Any) -> Any:
        """Send a GET; see `request`."""
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> Any:
        """Send a POST; see `request`."""
        return self.request("POST", url, **options)

    def put(self, url: str, **options: Any) -> Any:
        """Send a PUT; see `request`."""
        return self.request("PUT", url, **options)

    def delete(self, url: str, **options: Any) -> Any:
        """Send a DELETE; see `request`."""
        return self.request("DELETE", url, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


class _ContractBroken(Exception):
    """An answer breaks a rule; the message completes the sentence "it answered 200, but"."""


def _find_declaration(operation: Operation | None, status: int) -> Mapping[str, Any]:
    error = {"content": {JSON_TYPE: {"schema": {"$ref": "#/components/schemas/ApiErrorResponse"}}}}
    if operation is None:
        if status in ERRORS_OF_UNKNOWN_OPERATIONS:
            return error
        raise AssertionError(f"The contract has no such operation, but {status} was answered.")
    responses: Mapping[str, Mapping[str, Any]] = operation.definition["responses"]
    for key in (str(status), f"{status // 100}XX"):
        if key in responses:
            return responses[key]
    if status in ERRORS_OF_ALL_OPERATIONS:
        return error
    raise AssertionError(f"{operation} answered {status}, but declares {', '.join(responses)}.")


def _check_headers(
    declared: Mapping[str, Any], status: int, headers: Mapping[str, str], body: bytes
) -> None:
    if status == 204 and body:
        raise _ContractBroken("an answer without content has a body")
    for name in declared.get("headers", {}):
        if name.lower() not in headers:
            raise _ContractBroken(f"the header {name} is missing")


def _check_body(declared: Mapping[str, Any], content_type: str, body: bytes) -> None:
    content = declared.get("content")
    if content is None:
        return
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in content:
        raise _ContractBroken(
            f"its content type is '{content_type}' instead of {' or '.join(content)}"
        )
    schema = content[media_type]["schema"]
    if schema.get("format") != "binary":
        _check_value(_decode_body(media_type, body), json.dumps(schema))


def _decode_body(media_type: str, body: bytes) -> Any:
    try:
        text = body.decode("utf-8")
        return json.loads(text, parse_constant=_refuse_constant, parse_float=_parse_finite)
    except UnicodeDecodeError as error:
        raise _ContractBroken(f"the body is not UTF-8: {error}") from error
    except json.JSONDecodeError as error:
        # Published clients read text as JSON where they can, and as it is where they cannot.
        if media_type != JSON_TYPE:
            return text
        raise _ContractBroken(f"the body is not JSON: {error}") from error


def _refuse_constant(name: str) -> float:
    raise _ContractBroken(f"the body holds {name}, which is not JSON")


def _parse_finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _ContractBroken(f"the body holds {text}, which no client can represent")
    return number


def _check_value(value: Any, schema_text: str) -> None:
    error = best_match(_compile_schema(schema_text).iter_errors(value))
    if error is not None:
        message = error.message if len(error.message) <= 300 else f"{error.message[:300]}..."
        raise _ContractBroken(f"at {error.json_path}: {message}")


@functools.cache
def _compile_schema(schema_text: str) -> Any:
    type_checker = Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    )
    strict = validators.extend(
        Draft202012Validator,
        {"pattern": _check_pattern, "oneOf": _check_one_of},
        type_checker=type_checker,
    )
    schema = _inline_references(json.loads(schema_text))
    return strict(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def _check_pattern(
    _validator: object, pattern: str, value: object, _schema: object
) -> Iterator[ValidationError]:
    if isinstance(value, str) and not _compile_pattern(pattern).search(value):
        yield ValidationError(f"{value!r} does not match '{pattern}'")


def _check_one_of(
    validator: Any, options: list[Any], value: object, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if "discriminator" not in schema or not isinstance(value, dict):
        yield from Draft202012Validator.VALIDATORS["oneOf"](validator, options, value, schema)
        return
    # The same verdict as trying every option, but the message is about the option that was meant.
    key, mapping = schema["discriminator"]["propertyName"], schema["discriminator"]["mapping"]
    if str(value.get(key)) in mapping:
        yield from validator.descend(value, _inline_component(mapping[str(value[key])]))
    else:
        yield ValidationError(f"{key!r} is {value.get(key)!r} instead of one of {sorted(mapping)}")


@functools.cache
def _compile_pattern(pattern: str) -> re.Pattern[str]:
    # In Python a `$` also matches before a final newline, in the contract it does not.
    return re.compile(re.sub(r"\$$", r"\\Z", pattern))


def _inline_references(schema: Any) -> Any:
    """Return the schema with references replaced; following them costs more than all else."""
    if isinstance(schema, list):
        return [_inline_references(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inline_component(schema["$ref"])
    return {key: _inline_references(value) for key, value in schema.items()}


@functools.cache
def _inline_component(reference: str) -> Any:
    name = reference.removeprefix("#/components/schemas/")
    return _inline_references(_load_contract()["components"]["schemas"][name])


@functools.cache
def _load_contract() -> dict[str, Any]:
    contract: dict[str, Any] = json.loads(CONTRACT.read_text("utf-8"))
    return contract


@functools.cache
def _path_patterns() -> list[tuple[re.Pattern[str], str]]:
    templates = [*_load_contract()["paths"], *MOVED_PATHS]
    # `worker/default` goes before `worker/{workerId}`.
    templates.sort(key=lambda template: template.count("{"))
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", template)), template) for template in templates]
