"""Queries on neighborhoods. All are bound to embeddings of a dataset that was loaded before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from lightly.server.db.neighborhood_tables import neighborhoods
from lightly.server.db.tables import embeddings
from lightly.server.neighborhoods.models import Neighborhood

_COLUMNS = [neighborhoods.c[name] for name in Neighborhood.__dataclass_fields__]
_SUMMARY_COLUMNS = [
    sa.null().label(column.name) if column.name == "content" else column for column in _COLUMNS
]


def put_neighborhood(connection: sa.Connection, new: Neighborhood) -> None:
    """Store a neighborhood in place of an earlier one with the same parameters."""
    connection.execute(
        sa.delete(neighborhoods).where(
            neighborhoods.c.embedding_id == new.embedding_id,
            neighborhoods.c.kind == new.kind,
            neighborhoods.c.parameters_json == new.parameters_json,
        )
    )
    values = {name: getattr(new, name) for name in Neighborhood.__dataclass_fields__}
    connection.execute(sa.insert(neighborhoods).values(values))


def list_neighborhoods(connection: sa.Connection, dataset_key: int) -> list[Neighborhood]:
    """Return those of a dataset without their values, the newest first."""
    query = _select_current(_SUMMARY_COLUMNS, dataset_key).order_by(
        neighborhoods.c.created_at_ms.desc(), neighborhoods.c.id.desc()
    )
    return [Neighborhood(*row) for row in connection.execute(query)]


def find_neighborhood(
    connection: sa.Connection, dataset_key: int, neighborhood_id: str
) -> Neighborhood | None:
    """Return one of a dataset with its values."""
    query = _select_current(_COLUMNS, dataset_key).where(neighborhoods.c.id == neighborhood_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else Neighborhood(*row)


def _select_current(
    columns: Sequence[sa.ColumnElement[Any]], dataset_key: int
) -> sa.Select[*tuple[Any, ...]]:
    """Select those of the present version of an embedding."""
    return (
        sa.select(*columns)
        .join(embeddings, embeddings.c.id == neighborhoods.c.embedding_id)
        .where(
            embeddings.c.dataset_key == dataset_key,
            embeddings.c.source_etag == neighborhoods.c.source_etag,
        )
    )
