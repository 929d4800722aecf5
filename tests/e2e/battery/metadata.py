"""Custom metadata."""

from __future__ import annotations

from typing import Any

from battery.ledger import step
from battery.world import World, raises


def make_metadata(names: list[str]) -> dict[str, Any]:
    return {
        "images": [{"id": number, "file_name": name} for number, name in enumerate(names)],
        "metadata": [{"image_id": number, "people": number} for number in range(len(names))],
    }


@step("verify_custom_metadata_format")
def metadata_is_checked(world: World) -> None:
    metadata = make_metadata(world.kept["names"])
    assert world.client.verify_custom_metadata_format(metadata) is None
    assert raises(KeyError, world.client.verify_custom_metadata_format, {"images": []})


@step("index_custom_metadata_by_filename")
def metadata_is_indexed(world: World) -> None:
    names = world.kept["names"]
    arguments = (names,) if world.line <= (1, 1) else ()
    found = world.client.index_custom_metadata_by_filename(*arguments, make_metadata(names))
    assert found[names[3]] == {"image_id": 3, "people": 3}


@step("upload_custom_metadata")
def metadata_is_uploaded(world: World) -> None:
    names = world.kept["names"]
    world.client.upload_custom_metadata(make_metadata(names))
    samples = world.http.get(f"{world.dataset_path}/samples")
    found = {sample["fileName"]: sample["customMetaData"]["people"] for sample in samples}
    assert found == {name: number for number, name in enumerate(names)}


@step("create_custom_metadata_config", since=(1, 2))
def metadata_gets_a_meaning(world: World) -> None:
    from lightly.openapi_generated.swagger_client.models.configuration_entry import (
        ConfigurationEntry,
    )

    fields = {"name": "People", "path": "people", "default_value": 0}
    if world.line >= (1, 4):
        fields = {"name": "People", "path": "people", "defaultValue": 0}
    kind = "value_data_type" if world.line <= (1, 2) else "valueDataType"
    entry = ConfigurationEntry(**fields, **{kind: "NUMERIC_INT"})
    made = world.client.create_custom_metadata_config("people", [entry])
    stored = world.http.get(f"{world.dataset_path}/configuration/metadata/{made.id}")
    assert stored["configs"][0]["path"] == "people"


@step(until=(1, 1))
def configurations_lie_outside_of_datasets(world: World) -> None:
    """No public method of 1.1 reaches these routes, but its generated calls do."""
    from lightly.openapi_generated.swagger_client import MetaDataConfigurationsApi
    from lightly.openapi_generated.swagger_client.models.configuration_entry import (
        ConfigurationEntry,
    )
    from lightly.openapi_generated.swagger_client.models.configuration_set_request import (
        ConfigurationSetRequest,
    )

    api = MetaDataConfigurationsApi(api_client=world.client.api_client)
    entry = ConfigurationEntry("People", "people", 0, "NUMERIC_INT")
    made = api.create_meta_data_configuration(ConfigurationSetRequest("people", [entry]))
    api.update_meta_data_configuration_by_id(ConfigurationSetRequest("crowd", [entry]), made.id)
    assert api.get_meta_data_configuration_by_id(made.id).name == "crowd"
    assert made.id in [found.id for found in api.get_meta_data_configurations()]
