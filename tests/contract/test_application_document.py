"""The application's own OpenAPI document says the same as the contract files.

Compared are operations, parameters with their rules, and bodies. What answers look like is not
declared in the code, for speed; every answer in these tests is held to the contract instead.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from lightly.server.app import ROUTERS

OPENAPI = Path(__file__).resolve().parents[2] / "openapi"
METHODS = ("get", "post", "put", "delete")
RULES = (
    "type",
    "enum",
    "pattern",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "format",
)
#: Who asks and with which right: security schemes in the documents, or read before any route.
NOT_IN_DOCUMENT = {
    ("User-Agent", "header"),
    ("publicToken", "query"),
    ("Lightly-Lease", "header"),
}
#: Rules of ours that the contract leaves to its descriptions, and what they are.
NARROWER: dict[str, dict[str, Any]] = {
    # The description names the two values.
    "field": {"enum": ["_id", "fileName"]},
    "type": {"enum": ["full", "thumbnail"]},
    # A link that has expired when it is made helps nobody.
    "expiresIn": {"minimum": 1},
    # Databases hold no larger number.
    "predictionUUIDTimestamp": {"maximum": 2**53},
}
#: Where the server takes more than the contract says, because older clients send it.
WIDER = {"datasetName": {"pattern"}}
#: Parameters of older clients that the contract has forgotten.
FORGOTTEN = {
    ("/v1/datasets/{datasetId}/embeddings/{embeddingId}/2d", "mode"),
    ("/v1/datasets/{datasetId}/embeddings/{embeddingId}/2d/{embedding2dId}", "mode"),
}

CONTRACT = json.loads((OPENAPI / "openapi.json").read_text())
EXTENSION = json.loads((OPENAPI / "ext-v1.json").read_text())


def make_application_document() -> dict[str, Any]:
    app = FastAPI()
    for router in ROUTERS:
        app.include_router(router)
    return get_openapi(title="Lightly Platform", version="1", routes=app.routes)


APPLICATION = make_application_document()


def list_operations(document: dict[str, Any], prefix: str = "/") -> set[tuple[str, str]]:
    return {
        (path, method)
        for path, operations in document["paths"].items()
        for method in METHODS
        if method in operations and path.startswith(prefix)
    }


def resolve(document: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in value:
        name, _, pointer = value["$ref"].partition("#/")
        found: Any = CONTRACT if name == "openapi.json" else document
        for part in pointer.split("/"):
            found = found[part]
        value = found
    return value


def normalise(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Return the rules of a schema; texts, titles, defaults and nullable wrappers are left out."""
    schema = resolve(document, schema)
    for word in ("allOf", "anyOf"):
        options = [resolve(document, one) for one in schema.get(word, [])]
        options = [one for one in options if one.get("type") != "null"]
        if len(options) == 1:
            schema = {**options[0], **schema}
    rules = {name: schema[name] for name in RULES if name in schema}
    if "enum" in rules:
        rules["enum"] = sorted(rules["enum"])
    if "pattern" in rules:
        rules["pattern"] = rules["pattern"].replace(r"\/", "/")
    if "items" in schema:
        rules["items"] = normalise(document, schema["items"])
    return rules


def read_parameters(document: dict[str, Any], path: str, method: str) -> dict[str, Any]:
    item = document["paths"][path]
    found = [
        resolve(document, parameter)
        for parameter in [*item.get("parameters", []), *item[method].get("parameters", [])]
    ]
    return {
        (one["name"], one["in"]): (
            one.get("required", False),
            normalise(document, one.get("schema", {})),
        )
        for one in found
        if (one["name"], one["in"]) not in NOT_IN_DOCUMENT and (path, one["name"]) not in FORGOTTEN
    }


def apply_known_differences(parameters: dict[str, Any]) -> dict[str, Any]:
    changed = {}
    for (name, place), (is_required, rules) in parameters.items():
        kept = {rule: value for rule, value in rules.items() if rule not in WIDER.get(name, ())}
        changed[name, place] = (is_required, {**kept, **NARROWER.get(name, {})})
    return changed


def find_routes() -> dict[tuple[str, str], APIRoute]:
    return {
        (route.path.replace(":path}", "}"), method.lower()): route
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }


ROUTES = find_routes()


def find_body_models(dependant: Dependant) -> set[str]:
    """Return the names of the wire models that a route reads its body as."""
    found = {model.__name__ for model in [getattr(dependant.call, "wire_model", None)] if model}
    for inner in dependant.dependencies:
        found |= find_body_models(inner)
    return found


def read_body_schema(document: dict[str, Any], path: str, method: str) -> dict[str, Any] | None:
    body = document["paths"][path][method].get("requestBody")
    if body is None:
        return None
    schema: dict[str, Any] = resolve(document, body)["content"]["application/json"]["schema"]
    return schema


def test_the_application_serves_the_operations_of_the_contract_and_no_others_below_v1():
    assert list_operations(APPLICATION, "/v1/") == list_operations(CONTRACT, "/v1/")


def test_the_extension_document_names_what_is_served_below_ext():
    assert list_operations(APPLICATION, "/ext/") == list_operations(EXTENSION, "/ext/")


def test_everything_of_ours_is_outside_of_v1():
    assert {path.split("/")[1] for path in EXTENSION["paths"]} == {"ext"}


@pytest.mark.parametrize(("path", "method"), sorted(list_operations(CONTRACT)))
def test_parameters_are_those_of_the_contract(path, method):
    expected = apply_known_differences(read_parameters(CONTRACT, path, method))

    found = apply_known_differences(read_parameters(APPLICATION, path, method))

    assert found == expected


@pytest.mark.parametrize(("path", "method"), sorted(list_operations(EXTENSION)))
def test_parameters_are_those_of_the_extension_document(path, method):
    expected = read_parameters(EXTENSION, path, method)

    assert read_parameters(APPLICATION, path, method) == expected


@pytest.mark.parametrize(("path", "method"), sorted(list_operations(CONTRACT)))
def test_bodies_are_read_as_the_contracts_models(path, method):
    schema = read_body_schema(CONTRACT, path, method)
    models = find_body_models(ROUTES[path, method].dependant)

    # Long bodies are parsed in the service, where tests of theirs look at them.
    if models:
        assert schema is not None
        assert models == {schema["$ref"].rpartition("/")[2]}
    elif schema is None:
        assert not any(
            getattr(inner.call, "__name__", "") == "_read_body"
            for inner in ROUTES[path, method].dependant.dependencies
        )


@pytest.mark.parametrize("document", [CONTRACT, EXTENSION], ids=["contract", "extension"])
def test_every_reference_of_a_document_leads_somewhere(document):
    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                resolve(document, value)
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(document)
