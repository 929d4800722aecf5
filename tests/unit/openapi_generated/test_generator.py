"""The generated models say what the contract says."""

import copy
from pathlib import Path
from typing import Any

import pytest

from lightly.openapi_generated.swagger_client import models
from tools.generate_wire_models import (
    CONTRACT,
    TARGET,
    attribute_name,
    enum_member,
    read_schemas,
    to_snake_case,
    write_models,
)

SCHEMAS = read_schemas(CONTRACT)
OBJECTS = [name for name, schema in SCHEMAS.items() if schema.get("type") == "object"]
ENUMS = [name for name, schema in SCHEMAS.items() if "enum" in schema]


def read_tree(folder: Path) -> dict[str, bytes]:
    packages = [folder / "swagger_client", folder / "swagger_codegen"]
    files = [file for package in packages for file in package.rglob("*.py")]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def test_committed_models_are_what_the_generator_writes(tmp_path):
    write_models(CONTRACT, tmp_path)

    assert read_tree(tmp_path) == read_tree(TARGET)


def test_generator_removes_modules_of_schemas_that_are_gone(tmp_path):
    stale = tmp_path / "swagger_client" / "models" / "gone.py"
    stale.parent.mkdir(parents=True)
    stale.write_text("", "utf-8")

    write_models(CONTRACT, tmp_path)

    assert not stale.exists()


def test_every_schema_but_generator_artifacts_has_a_class():
    assert len(SCHEMAS) == 269
    assert sorted(models.__all__) == sorted(SCHEMAS)


@pytest.mark.parametrize("name", OBJECTS)
def test_model_describes_itself_as_the_contract_does(name):
    described = getattr(models, name).model_json_schema(ref_template="#/components/schemas/{model}")

    assert simplify_model_schema(described) == simplify_contract_schema(SCHEMAS[name])


def test_comparison_notices_a_changed_rule():
    changed = copy.deepcopy(SCHEMAS["TagData"])
    changed["properties"]["name"]["minLength"] = 2

    described = models.TagData.model_json_schema(ref_template="#/components/schemas/{model}")

    assert simplify_model_schema(described) != simplify_contract_schema(changed)


@pytest.mark.parametrize("name", ENUMS)
def test_enum_has_the_values_of_the_contract(name):
    assert [member.value for member in getattr(models, name)] == SCHEMAS[name]["enum"]


@pytest.mark.parametrize(
    ("wire_name", "attribute"),
    [
        ("datasetId", "dataset_id"),
        ("s3ARN", "s3_arn"),
        ("s3ServerSideEncryptionKMSKey", "s3_server_side_encryption_kms_key"),
        ("stopping_condition_minimum_distance", "stopping_condition_minimum_distance"),
        # not allowed as attribute in Python
        ("from", "var_from"),
    ],
)
def test_attributes_are_named_as_in_published_clients(wire_name, attribute):
    assert attribute_name(wire_name) == attribute


@pytest.mark.parametrize(
    ("value", "newer", "older"),
    [
        ("Images", "IMAGES", "IMAGES"),
        ("fileNames", "FILENAMES", "FILENAMES"),
        ("_id", "ID", "ID"),
        ("us-east-1", "US_MINUS_EAST_MINUS_1", "US_EAST_1"),
        ("EMBEDDING_2D_UNKNOWN", "EMBEDDING_2_D_UNKNOWN", "EMBEDDING_2D_UNKNOWN"),
        (16, "NUMBER_16", "NUMBER_16"),
    ],
)
def test_enum_members_are_named_as_in_published_clients(value, newer, older):
    assert (enum_member(value), enum_member(value, spell_out=False)) == (newer, older)


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("TagData", "tag_data"),
        ("DatasourceConfigS3DelegatedAccess", "datasource_config_s3_delegated_access"),
        ("DockerWorkerConfigOmniVXCreateRequest", "docker_worker_config_omni_vx_create_request"),
        ("ActiveLearningScoreTypesV2Data", "active_learning_score_types_v2_data"),
    ],
)
def test_modules_are_named_as_in_published_clients(name, module):
    assert to_snake_case(name) == module


def simplify_model_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Keep the rules of a model; null for optional fields is a deliberate leniency."""
    return {
        "properties": {
            name: drop_null(strip(value)) for name, value in schema.get("properties", {}).items()
        },
        "required": sorted(schema.get("required", [])),
        "additionalProperties": schema["additionalProperties"],
    }


def simplify_contract_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Keep the rules of a schema; required fields that may be null may be missing."""
    properties = schema.get("properties", {})
    return {
        "properties": {name: drop_null(strip(value)) for name, value in properties.items()},
        "required": sorted(
            name for name in schema.get("required", []) if not takes_null(properties[name])
        ),
        "additionalProperties": schema["additionalProperties"],
    }


def strip(schema: Any) -> Any:
    if isinstance(schema, list):
        return [strip(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {
        key: strip(value)
        for key, value in schema.items()
        if key not in {"title", "description", "default"} and not key.startswith("x-")
    }
    if "pattern" in kept:
        kept["pattern"] = kept["pattern"].replace("\\/", "/")
    if "const" in kept:
        kept["enum"] = [kept.pop("const")]
    return kept


def drop_null(schema: dict[str, Any]) -> dict[str, Any]:
    if isinstance(schema.get("type"), list):
        return {**schema, "type": next(name for name in schema["type"] if name != "null")}
    options = schema.get("anyOf", schema.get("oneOf"))
    if options is None:
        return schema
    (option,) = (option for option in options if option != {"type": "null"})
    return dict(option)


def takes_null(schema: dict[str, Any]) -> bool:
    return not schema or "null" in schema.get("type", ())
