"""Our models and those of the newest published client give the same verdict on the same JSON."""

from typing import Any

import pytest
from pydantic import ValidationError

from lightly.openapi_generated.swagger_client import models
from tests.support.published_clients.runner import run_client_script
from tools.generate_wire_models import CONTRACT, read_schemas, to_snake_case

SCHEMAS = read_schemas(CONTRACT)
# Bases that only exist as part of their sub-models are never sent, and the client refuses them.
MODELS = [
    name
    for name, schema in SCHEMAS.items()
    if "enum" not in schema and "x-discriminator-property" not in schema
]

TEXT_OF_PATTERN = {
    r"^[a-f0-9]{24}$": "65f0c0ffee65f0c0ffee1234",
    r"^[a-zA-Z0-9][a-zA-Z0-9 _-]+$": "street scenes",
    r"^[a-zA-Z0-9][a-zA-Z0-9 .:;=@_-]+$": "initial-tag",
    r"^[a-zA-Z0-9_+=,.@:\/-]*$": "cars",
    r"^[a-zA-Z0-9_+=,.@:\/-]+$": "uncertainty",
    r"^[a-zA-Z0-9 _-]*$": "label",
    r"^0b[01]{6}$": "0b000111",
    r"^0x[a-f0-9]+$": "0x59",
    r"^https?:\/\/.+$": "http://127.0.0.1:3456",
    r"^arn:aws:kms:[a-zA-Z0-9-]*:[0-9]{12}:key.+$": "arn:aws:kms:eu:012345678901:key/a",
    r"^arn:aws:iam::[0-9]{12}:role.+$": "arn:aws:iam::012345678901:role/a",
}

# What a field is replaced by to see who objects; chosen from how servers and clients go wrong.
EMPTY_VALUES = ["", [], {}]
STRANGE_VALUES = [None, True, "ab", "x y/z", "1", -1, 1, 2.5, 10**12, [1], {"a": 1}, *EMPTY_VALUES]

JUDGE_WITH_CLIENT = """
import importlib

def load(name):
    module = "lightly.openapi_generated.swagger_client.models." + arguments["modules"][name]
    return getattr(importlib.import_module(module), name)

def judge(name, obj):
    try:
        model = load(name).from_dict(obj)
        return [model.to_dict(by_alias=True), model.to_dict()]
    # Its own code trips over some types before its rules come to bear.
    except (AttributeError, TypeError, ValueError):
        return "refused"

result = [judge(name, obj) for name, obj in arguments["cases"]]
"""


def make_example(schema: Any, *, is_full: bool) -> Any:
    """Return JSON that fits the schema, with all fields or only those that are required."""

    def make(part: Any) -> Any:
        return make_example(part, is_full=is_full)

    if "$ref" in schema:
        return make(SCHEMAS[schema["$ref"].rpartition("/")[2]])
    if "oneOf" in schema:
        return make(schema["oneOf"][0])
    if "items" in schema:
        return [make(schema["items"]) for _ in range(schema.get("minItems", 1))]
    if "properties" in schema or "additionalProperties" in schema:
        fields = schema.get("properties", {}).items()
        required = schema.get("required", [])
        return {key: make(value) for key, value in fields if is_full or key in required}
    return make_scalar(schema)


def make_scalar(schema: Any) -> Any:
    """Return a text, number or truth value that fits the schema."""
    if "enum" in schema:
        return schema["enum"][0]
    if "pattern" in schema:
        return TEXT_OF_PATTERN[schema["pattern"]]
    if schema.get("type") in ("integer", "number"):
        return schema.get("minimum", 0) + ("exclusiveMinimum" in schema)
    return True if schema.get("type") == "boolean" else "a text that is long enough"


def judge_with_ours(name: str, obj: Any) -> Any:
    try:
        model = getattr(models, name).from_dict(obj)
    except ValidationError:
        return "refused"
    return [model.to_dict(by_alias=True), model.to_dict()]


def judge_with_client(cases: list[tuple[str, Any]]) -> list[Any]:
    run = run_client_script(
        "1.5.26",
        JUDGE_WITH_CLIENT,
        arguments={"cases": cases, "modules": {name: to_snake_case(name) for name in MODELS}},
        server_url="http://127.0.0.1:9",
        token="a-token-of-nobody",
    )
    return [drop_nulls(verdict) for verdict in run.result]


def drop_nulls(value: Any) -> Any:
    """The client writes some optional nulls that we leave out; both mean nothing."""
    if isinstance(value, list):
        return [drop_nulls(item) for item in value]
    if isinstance(value, dict):
        return {key: drop_nulls(item) for key, item in value.items() if item is not None}
    return value


@pytest.fixture(scope="module")
def verdicts():
    """Ours and theirs on every model with every field replaced by every strange value."""
    cases = [
        (name, key, {**example, key: value})
        for name in MODELS
        for example in [make_example(SCHEMAS[name], is_full=True)]
        for key in example
        for value in STRANGE_VALUES
    ]
    theirs = judge_with_client([(name, obj) for name, _, obj in cases])
    ours = [drop_nulls(judge_with_ours(name, obj)) for name, _, obj in cases]
    return list(zip(cases, ours, theirs, strict=True))


def test_examples_of_all_models_are_read_and_written_alike():
    cases = [
        (name, make_example(SCHEMAS[name], is_full=is_full))
        for name in MODELS
        for is_full in (False, True)
    ]

    ours = [drop_nulls(judge_with_ours(name, obj)) for name, obj in cases]

    assert ours == judge_with_client(cases)
    assert "refused" not in ours


def test_client_reads_everything_that_we_accept_and_reads_it_alike(verdicts):
    accepted = [
        ((name, key, obj[key]), ours, theirs)
        for (name, key, obj), ours, theirs in verdicts
        # For null the client puts the default, where there is one.
        if ours != "refused" and obj[key] is not None
    ]

    assert len(accepted) > 500
    assert [entry for entry in accepted if entry[1] != entry[2]] == []


def test_we_refuse_more_only_where_the_client_looks_away(verdicts):
    """It takes any empty value for nothing, and trusts `type` and `version` of a chosen model."""
    refused = [
        (name, key, obj[key])
        for (name, key, obj), ours, theirs in verdicts
        if ours == "refused" and theirs != "refused"
    ]

    assert [
        (name, key, value)
        for name, key, value in refused
        if value not in EMPTY_VALUES and key not in {"type", "version"}
    ] == []
