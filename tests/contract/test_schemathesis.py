"""Requests made from the contract, good ones and bad ones, against every operation we serve.

Each answer must have a status, a type and a body that the contract allows, bad requests must be
refused, and no operation may do without a token. Half of the requests are aimed at things that
exist; at random none would ever be hit.
"""

from __future__ import annotations

import functools
import json
import re
import sys
import zlib
from typing import Any

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig

from lightly._kit.ids import is_id, make_id
from tests.support.contract import CONTRACT, ERRORS_OF_ALL_OPERATIONS
from tests.support.parameters import find_body_schema, list_parameters
from tests.support.platforms import run_in_process
from tests.support.population import N_SAMPLES, FilledDataset, add_person, fill_dataset
from tests.support.routes import list_routes

SEED = 20261122
#: Any text may be asked for as a name: what no dataset can be called is not found.
LENIENT = {
    "GET /v1/datasets/query/name/{datasetName}",
    "GET /v1/datasets/enriched/query/name/{datasetName}",
}
TASK_NAME = re.compile(r"[a-zA-Z0-9_+=,.@:/-]*")
#: Required, but may be null, and then old clients leave it out.
MAY_BE_MISSING = {"defaultValue"}
#: Old clients send one number for each channel that the image has.
PER_CHANNEL = {"mean", "std", "shape", "sumOfValues", "sumOfSquares"}


def select_served_contract() -> dict[str, Any]:
    """Return the contract with the operations that the server has, as lenient as it has to be."""
    contract: dict[str, Any] = json.loads(CONTRACT.read_text("utf-8"))
    paths: dict[str, dict[str, Any]] = {}
    for method, path in list_routes():
        template = path.replace(":path}", "}")
        definition = contract["paths"].get(template, {}).get(method.lower())
        if definition is not None:
            paths.setdefault(template, {})[method.lower()] = relax(definition, method, path)
    return {**contract, "paths": paths}


def relax(definition: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    """Return an operation with what published clients rely on beyond the letter of the contract.

    Limits and conflicts can meet every request; optional fields may be null; query parameters for
    what is not built yet are not looked at.
    """
    error = {"$ref": "#/components/schemas/ApiErrorResponse"}
    answer = {"description": "", "content": {"application/json": {"schema": error}}}
    errors = {str(status): answer for status in ERRORS_OF_ALL_OPERATIONS if status < 500}
    read = {parameter.name for parameter in list_parameters(method, path)}
    relaxed = {
        **definition,
        "responses": {**errors, **definition["responses"]},
        "parameters": [p for p in definition.get("parameters", []) if p["name"] in read],
    }
    body = find_body_schema(method, path)
    if body is not None:
        content = {"application/json": {"schema": allow_nulls(body)}}
        relaxed["requestBody"] = {**definition["requestBody"], "content": content}
    return relaxed


def allow_nulls(schema: Any) -> Any:
    """Return a schema in which optional properties may be null, and channels any number."""
    if isinstance(schema, list):
        return [allow_nulls(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    relaxed = {key: allow_nulls(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict):
        required = set(schema.get("required", ())) - MAY_BE_MISSING
        relaxed["required"] = sorted(required)
        for name, value in relaxed["properties"].items():
            if name in PER_CHANNEL:
                value.pop("minItems", None)
                value.pop("maxItems", None)
            if name not in required:
                relaxed["properties"][name] = {"anyOf": [value, {"type": "null"}]}
    return relaxed


def load_schema(example_count: int) -> Any:
    """Return what makes the requests, so many per operation beyond those at the limits."""
    config = {
        "seed": SEED,
        "suppress-health-check": ["all"],
        "generation": {
            "max-examples": example_count,
            "deterministic": True,
            "database": "none",
            "with-security-parameters": False,
        },
        "phases": {
            "examples": {"enabled": False},
            # Only methods that no path has: `PUT .../tags/initial` is a tag with an odd id.
            "coverage": {"unexpected-methods": ["patch", "trace"]},
        },
        "checks": {
            # Much that has the right form has no meaning, such as a mask beyond the last sample.
            "positive_data_acceptance": {"enabled": False},
            "unsupported_method": {"enabled": True},
        },
        "operations": [
            {"include-name": name, "checks": {"negative_data_rejection": {"enabled": False}}}
            for name in LENIENT
        ],
    }
    schema = schemathesis.openapi.from_dict(
        select_served_contract(), config=SchemathesisConfig.from_dict(config)
    )
    schema.app = relay
    return schema


class Relay:
    """The application under test, which is made long after the requests are planned.

    Attributes:
        target: The application. It is running already, so it is not to be started here.
    """

    target: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            raise NotImplementedError
        await self.target(scope, receive, send)


relay = Relay()
few = load_schema(15)
many = load_schema(300)


@pytest.fixture(scope="module")
def bob(tmp_path_factory):
    """A user on a server that lets everybody guess tokens, as the checks do."""
    sys.stdout.write(f"seed {SEED}\n")
    data_dir = tmp_path_factory.mktemp("contract") / "data"
    with run_in_process(data_dir, failed_logins_per_minute=10**9) as server:
        person = add_person(server, "bob")
        relay.target = person.client.app
        yield functools.partial(fill_dataset, server, person.client, person.user), person.client


@pytest.fixture
def dataset(bob) -> FilledDataset:
    """A dataset of its own for each operation: some delete it."""
    fill, _ = bob
    return fill(f"bob {make_id()}")


XS = [float(number) for number in range(N_SAMPLES)]

pytestmark = pytest.mark.filterwarnings(
    # How the requests are made is not ours to change.
    "ignore:Do not use the `random` module:hypothesis.errors.HypothesisDeprecationWarning"
)


@few.parametrize()
def test_answers_are_what_the_contract_says(case, dataset, bob):
    send_and_check(case, dataset, bob)


@pytest.mark.long
@many.parametrize()
def test_many_answers_are_what_the_contract_says(case, dataset, bob):
    send_and_check(case, dataset, bob)


def send_and_check(case: Any, dataset: FilledDataset, bob: Any) -> None:
    aim(case, dataset)
    _, client = bob
    headers = {"Authorization": client.headers["Authorization"]}
    case.call_and_validate(headers=headers)


def aim(case: Any, dataset: FilledDataset) -> None:
    """Let three of four values of the right form name or fit what the dataset has."""
    ids = {
        "datasetId": dataset.id,
        "sampleId": dataset.sample_ids[0],
        "tagId": dataset.leaf_tag_id,
        "scoreId": dataset.score_id,
        "embeddingId": dataset.embedding_id,
        "embedding2dId": dataset.embedding2d_id,
        "configurationId": dataset.configuration_id,
        "parentDatasetId": dataset.id,
        "prevTagId": dataset.initial_tag_id,
        "queryTagId": dataset.child_tag_id,
        "preselectedTagId": dataset.leaf_tag_id,
        "tagId1": dataset.initial_tag_id,
        "tagId2": dataset.child_tag_id,
    }
    texts = {
        "jobId": dataset.job_id,
        "field": "fileName",
        "type": "full",
        "fileName": "new.jpg",
        "taskName": dataset.task_name,
    }
    counts = {"totSize": N_SAMPLES, "rowCount": N_SAMPLES}
    lists = {"scores": [0.5] * 3, "coordinatesDimension1": XS, "coordinatesDimension2": XS}

    def replace(values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        replaced = {
            name: targets[name]
            for targets, kind in ((texts, str), (counts, int | float), (lists, list))
            for name in targets.keys() & values.keys()
            if isinstance(values[name], kind) and is_hit(values[name])
            # A name that is wrong has to stay wrong.
            if name != "taskName" or TASK_NAME.fullmatch(values[name])
        }
        found = {name for name in ids.keys() & values.keys() if is_id(str(values[name]))}
        replaced |= {name: ids[name] for name in found if is_hit(values[name])}
        return {**values, **replaced}

    case.path_parameters = replace(case.path_parameters)
    case.query = replace(case.query)
    if case.path.endswith("/readurlRedirect"):
        case.query = {**(case.query or {}), "publicToken": dataset.public_token}
    case.body = replace(case.body)


def is_hit(value: Any) -> bool:
    """Tell by a value alone whether it is replaced, so that a failure can be repeated."""
    return zlib.crc32(repr(value).encode()) % 4 != 0
