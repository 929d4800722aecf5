"""Rules of metadata configurations without a dataset, which client 1.1 makes.

They belong to a user. When a dataset is told to go by one, it gets a copy among its own, so that
newer clients and the app find what `metaDataConfigurationId` names.
"""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from lightly._kit.ids import make_id
from lightly.openapi_generated.swagger_client.models.configuration_set_request import (
    ConfigurationSetRequest,
)
from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action
from lightly.server.datasets.repository import lock_dataset, update_dataset
from lightly.server.errors import MetadataConfigurationUnknown
from lightly.server.legacy import repository
from lightly.server.metadata import repository as metadata_repository
from lightly.server.metadata.models import MetadataConfiguration
from lightly.server.metadata.service import check_body
from lightly.server.platform import PlatformState


def list_configurations(platform: PlatformState, caller: User) -> list[MetadataConfiguration]:
    """Return the caller's configurations, oldest first."""
    with platform.database.read() as connection:
        return repository.list_configurations(connection, caller.id)


def get_configuration(
    platform: PlatformState, caller: User, configuration_id: str
) -> MetadataConfiguration:
    """Return one configuration of the caller."""
    with platform.database.read() as connection:
        return _load_configuration(connection, caller, configuration_id)


def create_configuration(
    platform: PlatformState, caller: User, body: ConfigurationSetRequest
) -> str:
    """Add a configuration and return its id; the same request again gets the same id."""
    name, entries_json = check_body(body)
    now_ms = platform.clock.now_ms()
    with platform.database.write() as connection:
        existing = repository.find_equal(connection, caller.id, name, entries_json)
        if existing is not None:
            return existing.id
        configuration = MetadataConfiguration(make_id(), name, entries_json, now_ms, now_ms)
        repository.insert_configuration(connection, caller.id, configuration)
    return configuration.id


def update_configuration(
    platform: PlatformState, caller: User, configuration_id: str, body: ConfigurationSetRequest
) -> None:
    """Replace name and entries of a configuration of the caller."""
    name, entries_json = check_body(body)
    now_ms = platform.clock.now_ms()
    with platform.database.write() as connection:
        configuration = _load_configuration(connection, caller, configuration_id)
        repository.update_configuration(
            connection, configuration.id, now_ms, name=name, entries_json=entries_json
        )


def choose_configuration(
    platform: PlatformState, caller: User, dataset_id: str, configuration_id: str
) -> None:
    """Let a dataset go by a configuration: one of its own, or a copy of one of the caller's."""
    now_ms = platform.clock.now_ms()
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        lock_dataset(connection, dataset.key)
        chosen = metadata_repository.find_configuration(connection, dataset.key, configuration_id)
        if chosen is None:
            original = _load_configuration(connection, caller, configuration_id)
            chosen = metadata_repository.find_equal(
                connection, dataset.key, original.name, original.entries_json
            )
            if chosen is None:
                chosen = replace(original, id=make_id())
                metadata_repository.insert_configuration(connection, dataset.key, chosen)
        update_dataset(connection, dataset.key, now_ms, metadata_configuration_id=chosen.id)


def _load_configuration(
    connection: sa.Connection, caller: User, configuration_id: str
) -> MetadataConfiguration:
    found = repository.find_configuration(connection, caller.id, configuration_id)
    if found is None:
        raise MetadataConfigurationUnknown
    return found
