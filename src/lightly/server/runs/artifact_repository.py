"""Queries on the artifacts of runs."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from lightly.server.db.run_tables import run_artifacts
from lightly.server.runs.models import Artifact

_COLUMNS = [run_artifacts.c[name] for name in Artifact.__dataclass_fields__]


def _make_artifact(row: sa.Row[tuple[object, ...]]) -> Artifact:
    return Artifact(**row._mapping)  # noqa: SLF001  the documented name of this view


def insert_artifact(connection: sa.Connection, artifact: Artifact) -> None:
    """Add an artifact. Raises `IntegrityError` when its run has one of this file name."""
    connection.execute(sa.insert(run_artifacts).values(vars(artifact)))


def find_artifact(connection: sa.Connection, run_id: str, artifact_id: str) -> Artifact | None:
    """Return an artifact of a run by id."""
    row = connection.execute(
        sa.select(*_COLUMNS).where(
            run_artifacts.c.id == artifact_id, run_artifacts.c.run_id == run_id
        )
    ).one_or_none()
    return None if row is None else _make_artifact(row)


def find_artifact_by_name(
    connection: sa.Connection, run_id: str, file_name: str
) -> Artifact | None:
    """Return the artifact of a run that has a file name."""
    row = connection.execute(
        sa.select(*_COLUMNS).where(
            run_artifacts.c.run_id == run_id, run_artifacts.c.file_name == file_name
        )
    ).one_or_none()
    return None if row is None else _make_artifact(row)


def find_newest_of_type(connection: sa.Connection, run_id: str, type_: str) -> Artifact | None:
    """Return the artifact of a type that was confirmed last."""
    query = (
        sa.select(*_COLUMNS)
        .where(
            run_artifacts.c.run_id == run_id,
            run_artifacts.c.type == type_,
            run_artifacts.c.confirmed_at_ms.is_not(None),
        )
        .order_by(run_artifacts.c.confirmed_at_ms.desc(), run_artifacts.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _make_artifact(row)


def list_confirmed(
    connection: sa.Connection, run_ids: Collection[str]
) -> dict[str, list[Artifact]]:
    """Return by run the artifacts whose upload is confirmed, in the order of their making."""
    if not run_ids:
        return {}
    query = (
        sa.select(*_COLUMNS)
        .where(run_artifacts.c.run_id.in_(run_ids), run_artifacts.c.confirmed_at_ms.is_not(None))
        .order_by(run_artifacts.c.id)
    )
    found: dict[str, list[Artifact]] = {}
    for row in connection.execute(query):
        artifact = _make_artifact(row)
        found.setdefault(artifact.run_id, []).append(artifact)
    return found


def count_artifacts(connection: sa.Connection, run_id: str) -> int:
    """Return how many artifacts a run has, announced ones too."""
    query = sa.select(sa.func.count()).where(run_artifacts.c.run_id == run_id)
    count: int = connection.execute(query).scalar_one()
    return count


def update_artifact(connection: sa.Connection, artifact_id: str, **values: object) -> None:
    """Change columns of an artifact."""
    connection.execute(
        sa.update(run_artifacts).where(run_artifacts.c.id == artifact_id).values(**values)
    )


def delete_artifact(connection: sa.Connection, artifact_id: str) -> None:
    """Forget an artifact."""
    connection.execute(sa.delete(run_artifacts).where(run_artifacts.c.id == artifact_id))
