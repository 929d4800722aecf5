"""Every parameter that a route takes: in its path, its query and its body.

Path and query are read from the application itself, bodies from the documents that describe them,
so that tests which go through all parameters meet new ones by themselves.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from fastapi.dependencies.models import Dependant

from tests.support.routes import find_route, list_routes

Place = Literal["path", "query", "body"]

DOCUMENTS = Path(__file__).resolve().parents[2] / "openapi"
_DOCUMENT_NAMES = ("openapi.json", "ext-v1.json")
WRITING_METHODS = frozenset({"POST", "PUT", "PATCH"})
_ID_PATTERN = "^[a-f0-9]{24}$"
_ID: dict[str, Any] = {"type": "string", "pattern": _ID_PATTERN}
_TEXT: dict[str, Any] = {"type": "string"}


def _describe(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


_USERS = "/users/datasets/{datasetId}"
_ROW = _describe(fileName=_TEXT, value={"type": "array", "items": {"type": "number"}})
_ENTRY = _describe(name=_TEXT, path=_TEXT, valueDataType=_TEXT)
_CONFIGURATION = _describe(name=_TEXT, configs={"type": "array", "items": _ENTRY})
#: Bodies that only published clients before 1.2 send; no document describes them.
LEGACY_BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", f"{_USERS}/tags"): _describe(token=_TEXT),
    ("POST", f"{_USERS}/samples"): _describe(sample=_describe(fileName=_TEXT, thumbName=_TEXT)),
    ("PUT", _USERS): _describe(dataset=_describe(imgType=_TEXT)),
    ("POST", f"{_USERS}/embeddings"): _describe(
        embeddingName=_TEXT, embeddings={"type": "array", "items": _ROW}
    ),
    ("POST", "/users/docker/authorization"): _describe(timestamp=_TEXT),
    ("POST", "/users/docker"): _describe(runId=_TEXT, action=_TEXT, timestamp=_TEXT),
    ("POST", "/v1/configuration/metadata"): _CONFIGURATION,
    ("PUT", "/v1/configuration/metadata/{configurationId}"): _CONFIGURATION,
    ("PUT", "/v1/datasets/{datasetId}/setMetaDataConfiguration"): _describe(id=_ID),
}


@dataclass(frozen=True)
class Parameter:
    """One thing that a caller may send.

    Attributes:
        place: Where it travels.
        name: Its wire name; in bodies a path such as `items.[].id`.
        schema: What the contract says of it; empty outside of bodies.
    """

    place: Place
    name: str
    schema: dict[str, Any]

    @property
    def leaf(self) -> str:
        """The last name in `name` that is not a list."""
        return next(part for part in reversed(self.name.split(".")) if part != "[]")

    @property
    def looks_like_id(self) -> bool:
        """Whether form or name say that it names an object."""
        if self.schema.get("type") == "integer":
            return False
        return (
            self.schema.get("pattern") == _ID_PATTERN
            or self.leaf == "id"
            or self.leaf.endswith(("Id", "Ids", "Id1", "Id2"))
        )


def list_parameters(method: str, path: str) -> list[Parameter]:
    """Return all parameters of a route, those of its path first."""
    found: list[Parameter] = []
    pending: list[Dependant] = [find_route(method, path).dependant]
    while pending:
        dependant = pending.pop()
        found += [Parameter("path", field.alias, {}) for field in dependant.path_params]
        found += [Parameter("query", field.alias, {}) for field in dependant.query_params]
        assert not dependant.body_params, f"{method} {path} reads its body by itself"
        pending += dependant.dependencies
    schema = find_body_schema(method, path)
    if schema is not None:
        found += _walk(schema, ())
    return found


def find_body_schema(method: str, path: str) -> dict[str, Any] | None:
    """Return the schema of a route's body, references replaced; None when it takes none.

    Raises:
        LookupError: If the route writes but no document describes it.
    """
    if (method, path.rstrip("/")) in LEGACY_BODIES:
        return LEGACY_BODIES[method, path.rstrip("/")]
    definition = find_definition(method, path)
    if definition is None:
        if method in WRITING_METHODS and not path.startswith(("/blobs/", "/files/")):
            raise LookupError(f"no document in {DOCUMENTS.name}/ describes {method} {path}")
        return None
    if "requestBody" not in definition:
        return None
    schema: dict[str, Any] = definition["requestBody"]["content"]["application/json"]["schema"]
    return schema


def find_definition(method: str, path: str) -> dict[str, Any] | None:
    """Return what the documents say of a route, references replaced."""
    template = path.replace(":path}", "}").rstrip("/")
    for name in _DOCUMENT_NAMES:
        definition = _load(name)["paths"].get(template, {}).get(method.lower())
        if definition is not None:
            resolved: dict[str, Any] = _resolve(definition, name)
            return resolved
    return None


def list_answer_fields() -> list[str]:
    """Return the name of every field of every object that any operation answers with."""
    names: set[str] = set()
    for document in _DOCUMENT_NAMES:
        for methods in _load(document)["paths"].values():
            for definition in methods.values():
                names |= _list_fields(_resolve(definition["responses"], document))
    return sorted(names)


def list_served_answer_fields() -> list[str]:
    """Return the name of every field of every object that a route of the server answers with."""
    definitions = (find_definition(*route) for route in list_routes())
    fields = (_list_fields(found["responses"]) for found in definitions if found is not None)
    return sorted(set().union(*fields))


def _list_fields(responses: dict[str, Any]) -> set[str]:
    return {
        name
        for response in responses.values()
        for content in response.get("content", {}).values()
        for parameter in _walk(content["schema"], ())
        for name in parameter.name.split(".")
        if name != "[]"
    }


def _walk(schema: dict[str, Any], path: tuple[str, ...]) -> Iterator[Parameter]:
    for key in ("allOf", "anyOf", "oneOf"):
        for option in schema.get(key, ()):
            yield from _walk(option, path)
    for name, inner in schema.get("properties", {}).items():
        yield Parameter("body", ".".join((*path, name)), inner)
        yield from _walk(inner, (*path, name))
    items = schema.get("items")
    if isinstance(items, dict):
        if path:
            yield Parameter("body", ".".join((*path, "[]")), items)
        yield from _walk(items, (*path, "[]"))


def _resolve(value: Any, document: str) -> Any:
    """Return a part of a document with all references replaced by what they lead to."""
    if isinstance(value, list):
        return [_resolve(item, document) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return _resolve_reference(value["$ref"], document)
    return {key: _resolve(item, document) for key, item in value.items()}


@functools.cache
def _resolve_reference(reference: str, document: str) -> Any:
    name, _, pointer = reference.partition("#/")
    target = name or document
    found: Any = _load(target)
    for part in pointer.split("/"):
        found = found[part]
    return _resolve(found, target)


@functools.cache
def _load(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((DOCUMENTS / name).read_text("utf-8"))
    return document
