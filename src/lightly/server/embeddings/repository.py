"""Queries on embeddings and their projections. All are bound to a dataset or to an embedding."""

from __future__ import annotations

import sqlalchemy as sa

from lightly.server.db.tables import datasets, embeddings, embeddings_2d
from lightly.server.embeddings.models import (
    DatasetFacts,
    Embedding,
    EmbeddingState,
    Projection,
)

_COLUMNS = [embeddings.c[name] for name in Embedding.__dataclass_fields__]
_PROJECTION_COLUMNS = [embeddings_2d.c[name] for name in Projection.__dataclass_fields__]
_SUMMARY_COLUMNS = [
    sa.null().label(column.name) if column.name == "coordinates" else column
    for column in _PROJECTION_COLUMNS
]


def _make_embedding(row: sa.Row[tuple[object, ...]]) -> Embedding:
    return Embedding(**row._mapping)  # noqa: SLF001  the documented name of this view


def _make_projection(row: sa.Row[tuple[object, ...]]) -> Projection:
    return Projection(**row._mapping)  # noqa: SLF001  the documented name of this view


def find_embedding(
    connection: sa.Connection, dataset_key: int, embedding_id: str
) -> Embedding | None:
    """Return an embedding of a dataset by id."""
    return _find(connection, dataset_key, embeddings.c.id == embedding_id)


def find_embedding_by_name(
    connection: sa.Connection, dataset_key: int, name: str
) -> Embedding | None:
    """Return an embedding of a dataset by its exact name."""
    return _find(connection, dataset_key, embeddings.c.name == name)


def _find(
    connection: sa.Connection, dataset_key: int, condition: sa.ColumnElement[bool]
) -> Embedding | None:
    query = sa.select(*_COLUMNS).where(embeddings.c.dataset_key == dataset_key, condition)
    row = connection.execute(query).one_or_none()
    return None if row is None else _make_embedding(row)


def find_dataset_facts(connection: sa.Connection, dataset_id: str) -> DatasetFacts | None:
    """Return facts of a dataset that is not deleted: for work that nobody calls for."""
    query = sa.select(datasets.c.key, datasets.c.user_id, datasets.c.n_samples).where(
        datasets.c.id == dataset_id, datasets.c.deleted_at_ms.is_(None)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else DatasetFacts(*row)


def list_embeddings(
    connection: sa.Connection, dataset_key: int, *, newest_first: bool
) -> list[tuple[Embedding, bool]]:
    """Return the embeddings of a dataset, each with whether it has a projection."""
    has_projection = (
        sa.select(sa.literal(1)).where(embeddings_2d.c.embedding_id == embeddings.c.id).exists()
    )
    order = (embeddings.c.created_at_ms, embeddings.c.id)
    query = (
        sa.select(*_COLUMNS, has_projection.label("has_projection"))
        .where(embeddings.c.dataset_key == dataset_key)
        .order_by(*(column.desc() if newest_first else column for column in order))
    )
    return [(Embedding(*row[:-1]), bool(row.has_projection)) for row in connection.execute(query)]


def list_covering(connection: sa.Connection, dataset_key: int, idx: int) -> list[Embedding]:
    """Return the embeddings that have a vector for the sample at `idx`, oldest first."""
    query = (
        sa.select(*_COLUMNS)
        .where(
            embeddings.c.dataset_key == dataset_key,
            embeddings.c.state == EmbeddingState.READY.value,
            embeddings.c.n_rows > idx,
        )
        .order_by(embeddings.c.created_at_ms, embeddings.c.id)
    )
    return [_make_embedding(row) for row in connection.execute(query)]


def insert_embedding(connection: sa.Connection, embedding: Embedding) -> None:
    """Add an embedding. Raises `IntegrityError` when the dataset has one of this name."""
    values = {name: getattr(embedding, name) for name in Embedding.__dataclass_fields__}
    connection.execute(sa.insert(embeddings).values(values))


def mark_ready(
    connection: sa.Connection, embedding_id: str, *, etag: str, n_rows: int, dimension: int
) -> bool:
    """Note that the vectors of a CSV can be used; False when the embedding is gone."""
    return _mark(
        connection,
        embedding_id,
        state=EmbeddingState.READY.value,
        error=None,
        source_etag=etag,
        n_rows=n_rows,
        dimension=dimension,
    )


def mark_failed(connection: sa.Connection, embedding_id: str, *, etag: str, error: str) -> bool:
    """Note which rule a CSV breaks; False when the embedding is gone."""
    state = EmbeddingState.FAILED.value
    return _mark(connection, embedding_id, state=state, error=error, source_etag=etag)


def _mark(connection: sa.Connection, embedding_id: str, **values: object) -> bool:
    changed = connection.execute(
        sa.update(embeddings).where(embeddings.c.id == embedding_id).values(values)
    )
    return changed.rowcount == 1


def delete_embedding(connection: sa.Connection, embedding_id: str) -> None:
    """Remove an embedding; its projections go with it."""
    connection.execute(sa.delete(embeddings).where(embeddings.c.id == embedding_id))


def list_projections(connection: sa.Connection, embedding_id: str) -> list[Projection]:
    """Return all projections of an embedding without their coordinates, oldest first."""
    query = (
        sa.select(*_SUMMARY_COLUMNS)
        .where(embeddings_2d.c.embedding_id == embedding_id)
        .order_by(embeddings_2d.c.created_at_ms, embeddings_2d.c.id)
    )
    return [_make_projection(row) for row in connection.execute(query)]


def find_projection(
    connection: sa.Connection, embedding_id: str, projection_id: str, *, with_coordinates: bool
) -> Projection | None:
    """Return a projection of an embedding by id."""
    columns = _PROJECTION_COLUMNS if with_coordinates else _SUMMARY_COLUMNS
    query = sa.select(*columns).where(
        embeddings_2d.c.embedding_id == embedding_id, embeddings_2d.c.id == projection_id
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _make_projection(row)


def delete_projections(connection: sa.Connection, embedding_id: str, name: str) -> None:
    """Remove the projections of an embedding that have a name."""
    connection.execute(
        sa.delete(embeddings_2d).where(
            embeddings_2d.c.embedding_id == embedding_id, embeddings_2d.c.name == name
        )
    )


def find_newest_map_ms(connection: sa.Connection, dataset_key: int) -> int | None:
    """Return when the newest projection of a dataset's embeddings was made; None without one."""
    query = (
        sa.select(sa.func.max(embeddings_2d.c.created_at_ms))
        .join(embeddings, embeddings.c.id == embeddings_2d.c.embedding_id)
        .where(embeddings.c.dataset_key == dataset_key)
    )
    newest: int | None = connection.execute(query).scalar()
    return newest


def put_projection(connection: sa.Connection, new: Projection) -> str:
    """Store a projection; one of the same method and name is replaced and keeps its id."""
    existing: str | None = connection.execute(
        sa.select(embeddings_2d.c.id)
        .where(
            embeddings_2d.c.embedding_id == new.embedding_id,
            embeddings_2d.c.method == new.method,
            embeddings_2d.c.name == new.name,
        )
        .with_for_update()
    ).scalar_one_or_none()
    if existing is None:
        values = {name: getattr(new, name) for name in Projection.__dataclass_fields__}
        connection.execute(sa.insert(embeddings_2d).values(values))
        return new.id
    connection.execute(
        sa.update(embeddings_2d)
        .where(embeddings_2d.c.id == existing)
        .values(coordinates=new.coordinates)
    )
    return existing
