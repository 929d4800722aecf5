"""Queries on metadata configurations."""

from __future__ import annotations

import sqlalchemy as sa

from lightly.server.db.tables import metadata_configurations
from lightly.server.metadata.models import MetadataConfiguration

_COLUMNS = [metadata_configurations.c[n] for n in MetadataConfiguration.__dataclass_fields__]


def list_configurations(connection: sa.Connection, dataset_key: int) -> list[MetadataConfiguration]:
    """Return all configurations of a dataset, oldest first."""
    rows = connection.execute(
        sa.select(*_COLUMNS)
        .where(metadata_configurations.c.dataset_key == dataset_key)
        .order_by(metadata_configurations.c.created_at_ms, metadata_configurations.c.id)
    )
    return [MetadataConfiguration(*row) for row in rows]


def find_configuration(
    connection: sa.Connection, dataset_key: int, configuration_id: str
) -> MetadataConfiguration | None:
    """Return one configuration of a dataset."""
    return _find_one(connection, dataset_key, metadata_configurations.c.id == configuration_id)


def find_equal(
    connection: sa.Connection, dataset_key: int, name: str, entries_json: str
) -> MetadataConfiguration | None:
    """Return the configuration of a dataset with this name and these entries."""
    same = (metadata_configurations.c.name == name) & (
        metadata_configurations.c.entries_json == entries_json
    )
    return _find_one(connection, dataset_key, same)


def _find_one(
    connection: sa.Connection, dataset_key: int, condition: sa.ColumnElement[bool]
) -> MetadataConfiguration | None:
    row = connection.execute(
        sa.select(*_COLUMNS)
        .where(metadata_configurations.c.dataset_key == dataset_key, condition)
        .order_by(metadata_configurations.c.created_at_ms, metadata_configurations.c.id)
        .limit(1)
    ).one_or_none()
    return None if row is None else MetadataConfiguration(*row)


def insert_configuration(
    connection: sa.Connection, dataset_key: int, configuration: MetadataConfiguration
) -> None:
    """Add a configuration to a dataset."""
    connection.execute(
        sa.insert(metadata_configurations).values(
            dataset_key=dataset_key,
            id=configuration.id,
            name=configuration.name,
            entries_json=configuration.entries_json,
            created_at_ms=configuration.created_at_ms,
            last_modified_at_ms=configuration.last_modified_at_ms,
        )
    )


def update_configuration(
    connection: sa.Connection, configuration_id: str, now_ms: int, *, name: str, entries_json: str
) -> None:
    """Replace name and entries of a configuration."""
    connection.execute(
        sa.update(metadata_configurations)
        .where(metadata_configurations.c.id == configuration_id)
        .values(name=name, entries_json=entries_json, last_modified_at_ms=now_ms)
    )
