"""Queries on metadata configurations that belong to a user instead of a dataset."""

from __future__ import annotations

import sqlalchemy as sa

from lightly.server.db.legacy_tables import user_metadata_configurations
from lightly.server.metadata.models import MetadataConfiguration

_TABLE = user_metadata_configurations
_COLUMNS = [_TABLE.c[name] for name in MetadataConfiguration.__dataclass_fields__]
_OLDEST_FIRST = (_TABLE.c.created_at_ms, _TABLE.c.id)


def list_configurations(connection: sa.Connection, user_id: str) -> list[MetadataConfiguration]:
    """Return all configurations of a user, oldest first."""
    query = sa.select(*_COLUMNS).where(_TABLE.c.user_id == user_id).order_by(*_OLDEST_FIRST)
    return [MetadataConfiguration(*row) for row in connection.execute(query)]


def find_configuration(
    connection: sa.Connection, user_id: str, configuration_id: str
) -> MetadataConfiguration | None:
    """Return one configuration of a user."""
    return _find_one(connection, user_id, _TABLE.c.id == configuration_id)


def find_equal(
    connection: sa.Connection, user_id: str, name: str, entries_json: str
) -> MetadataConfiguration | None:
    """Return the oldest configuration of a user with this name and these entries."""
    is_same = (_TABLE.c.name == name) & (_TABLE.c.entries_json == entries_json)
    return _find_one(connection, user_id, is_same)


def _find_one(
    connection: sa.Connection, user_id: str, condition: sa.ColumnElement[bool]
) -> MetadataConfiguration | None:
    query = sa.select(*_COLUMNS).where(_TABLE.c.user_id == user_id, condition)
    row = connection.execute(query.order_by(*_OLDEST_FIRST).limit(1)).one_or_none()
    return None if row is None else MetadataConfiguration(*row)


def insert_configuration(
    connection: sa.Connection, user_id: str, configuration: MetadataConfiguration
) -> None:
    """Add a configuration to a user's."""
    values = {name: getattr(configuration, name) for name in configuration.__dataclass_fields__}
    connection.execute(sa.insert(_TABLE).values(user_id=user_id, **values))


def update_configuration(
    connection: sa.Connection, configuration_id: str, now_ms: int, *, name: str, entries_json: str
) -> None:
    """Replace name and entries of a configuration."""
    connection.execute(
        sa.update(_TABLE)
        .where(_TABLE.c.id == configuration_id)
        .values(name=name, entries_json=entries_json, last_modified_at_ms=now_ms)
    )
