"""Rules of metadata configurations."""

from __future__ import annotations

import re

import orjson
import sqlalchemy as sa

from lightly._kit.ids import make_id
from lightly.openapi_generated.swagger_client.models.configuration_entry import ConfigurationEntry
from lightly.openapi_generated.swagger_client.models.configuration_set_request import (
    ConfigurationSetRequest,
)
from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action, Dataset
from lightly.server.datasets.repository import lock_dataset
from lightly.server.errors import (
    MalformedRequest,
    MetadataConfigurationUnknown,
    PayloadTooLarge,
)
from lightly.server.metadata import repository
from lightly.server.metadata.models import MetadataConfiguration
from lightly.server.platform import PlatformState

#: Largest name and list of entries: some 5,000 fields, more than a page can show.
MAX_NAME_CHARACTERS = 1_000
MAX_ENTRIES_BYTES = 1024 * 1024

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def list_configurations(
    platform: PlatformState, caller: User, dataset_id: str
) -> list[MetadataConfiguration]:
    """Return the configurations of a dataset, oldest first."""
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        return repository.list_configurations(connection, dataset.key)


def get_configuration(
    platform: PlatformState, caller: User, dataset_id: str, configuration_id: str
) -> MetadataConfiguration:
    """Return one configuration."""
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        return _load_configuration(connection, dataset, configuration_id)


def create_configuration(
    platform: PlatformState, caller: User, dataset_id: str, body: ConfigurationSetRequest
) -> str:
    """Add a configuration and return its id.

    The same request again gets the same id, so that a repeated one leaves no twin.
    """
    name, entries_json = check_body(body)
    now_ms = platform.clock.now_ms()
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        lock_dataset(connection, dataset.key)
        existing = repository.find_equal(connection, dataset.key, name, entries_json)
        if existing is not None:
            return existing.id
        configuration = MetadataConfiguration(make_id(), name, entries_json, now_ms, now_ms)
        repository.insert_configuration(connection, dataset.key, configuration)
    return configuration.id


def update_configuration(
    platform: PlatformState,
    caller: User,
    dataset_id: str,
    configuration_id: str,
    body: ConfigurationSetRequest,
) -> None:
    """Replace name and entries of a configuration."""
    name, entries_json = check_body(body)
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        configuration = _load_configuration(connection, dataset, configuration_id)
        repository.update_configuration(
            connection,
            configuration.id,
            platform.clock.now_ms(),
            name=name,
            entries_json=entries_json,
        )


def _load_configuration(
    connection: sa.Connection, dataset: Dataset, configuration_id: str
) -> MetadataConfiguration:
    found = repository.find_configuration(connection, dataset.key, configuration_id)
    if found is None:
        raise MetadataConfigurationUnknown
    return found


def check_body(body: ConfigurationSetRequest) -> tuple[str, str]:
    """Return name and entries, the latter as JSON text, of a configuration that may be stored.

    Raises:
        MalformedRequest: If the name breaks a rule, or an entry cannot be written again.
        PayloadTooLarge: If there are too many entries.
    """
    if len(body.name) > MAX_NAME_CHARACTERS or _CONTROL.search(body.name):
        raise MalformedRequest(
            f"name (body): must have at most {MAX_NAME_CHARACTERS} characters and no control "
            "characters."
        )
    try:
        text = orjson.dumps([_write_entry(entry) for entry in body.configs])
    except orjson.JSONEncodeError as error:
        raise MalformedRequest("configs (body): a value is nested too deeply.") from error
    if len(text) > MAX_ENTRIES_BYTES:
        raise PayloadTooLarge(f"configs (body): may have at most {MAX_ENTRIES_BYTES} bytes.")
    return body.name, text.decode()


def _write_entry(entry: ConfigurationEntry) -> dict[str, object]:
    return {
        "name": entry.name,
        "path": entry.path,
        # Required, but may be null: clients distinguish null from absent.
        "defaultValue": entry.default_value,
        "valueDataType": entry.value_data_type.value,
    }
