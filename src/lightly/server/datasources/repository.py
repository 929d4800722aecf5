"""Queries on datasources."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import orjson
import sqlalchemy as sa

from lightly._kit.ids import make_id
from lightly.server.datasources.models import Configuration, Datasource, Purpose
from lightly.server.db.datasource_tables import datasource_clocks, datasource_files, datasources
from lightly.server.db.engine import insert_rows
from lightly.server.db.tables import datasets

#: Names that one statement asks for: the number of its parameters has a limit.
_NAMES_AT_ONCE = 500

_COLUMNS = [
    datasources.c[name] for name in Datasource.__dataclass_fields__ if name in datasources.c
]


def _make_datasource(row: sa.Row[tuple[object, ...]]) -> Datasource:
    columns = dict(row._mapping)  # noqa: SLF001  the documented name of this view
    return Datasource(settings=orjson.loads(columns.pop("settings_json")), **columns)


def _select() -> sa.Select[tuple[object, ...]]:
    return sa.select(*_COLUMNS, datasources.c.settings_json)


def list_datasources(connection: sa.Connection, dataset_key: int) -> list[Datasource]:
    """Return all datasources of a dataset, the oldest first."""
    query = _select().where(datasources.c.dataset_key == dataset_key).order_by(datasources.c.id)
    return [_make_datasource(row) for row in connection.execute(query)]


def find_datasource(
    connection: sa.Connection, dataset_key: int, purpose: Purpose
) -> Datasource | None:
    """Return the datasource of a dataset that was configured for exactly this purpose."""
    query = _select().where(
        datasources.c.dataset_key == dataset_key, datasources.c.purpose == purpose.value
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _make_datasource(row)


def find_with_dataset_id(
    connection: sa.Connection, datasource_id: str
) -> tuple[Datasource, str] | None:
    """Return a datasource and its dataset's id, unless that was deleted: for signed URLs only."""
    query = (
        _select()
        .add_columns(datasets.c.id.label("dataset_id"))
        .join(datasets, datasets.c.key == datasources.c.dataset_key)
        .where(datasources.c.id == datasource_id, datasets.c.deleted_at_ms.is_(None))
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    columns = dict(row._mapping)  # noqa: SLF001  the documented name of this view
    dataset_id = str(columns.pop("dataset_id"))
    return Datasource(settings=orjson.loads(columns.pop("settings_json")), **columns), dataset_id


def insert_datasource(
    connection: sa.Connection, dataset_key: int, configuration: Configuration, now_ms: int
) -> str:
    """Add a datasource without its secrets and return its id."""
    datasource_id = make_id()
    connection.execute(
        sa.insert(datasources).values(
            id=datasource_id,
            dataset_key=dataset_key,
            purpose=configuration.purpose.value,
            type=configuration.type,
            full_path=configuration.full_path,
            settings_json=orjson.dumps(configuration.settings).decode(),
            created_at_ms=now_ms,
            last_modified_at_ms=now_ms,
        )
    )
    return datasource_id


def update_datasource(
    connection: sa.Connection,
    datasource_id: str,
    configuration: Configuration,
    sealed_secrets: str | None,
    role_hash: str | None,
    now_ms: int,
) -> None:
    """Replace everything of a datasource but its id and purpose."""
    connection.execute(
        sa.update(datasources)
        .where(datasources.c.id == datasource_id)
        .values(
            type=configuration.type,
            full_path=configuration.full_path,
            settings_json=orjson.dumps(configuration.settings).decode(),
            sealed_secrets=sealed_secrets,
            role_hash=role_hash,
            last_modified_at_ms=now_ms,
        )
    )


def delete_datasources(
    connection: sa.Connection, dataset_key: int, purposes: Iterable[Purpose]
) -> None:
    """Forget the datasources of a dataset for some purposes. Their files are not touched."""
    connection.execute(
        sa.delete(datasources).where(
            datasources.c.dataset_key == dataset_key,
            datasources.c.purpose.in_([purpose.value for purpose in purposes]),
        )
    )


def list_sealed(connection: sa.Connection, after_id: str, limit: int) -> list[Datasource]:
    """Return datasources that have secrets, in the order of their ids, those behind one."""
    return _list_behind(connection, after_id, limit, datasources.c.sealed_secrets.is_not(None))


def replace_sealed(connection: sa.Connection, datasource: Datasource, sealed_secrets: str) -> None:
    """Store the same secrets sealed anew, unless others were set meanwhile."""
    connection.execute(
        sa.update(datasources)
        .where(
            datasources.c.id == datasource.id,
            datasources.c.sealed_secrets == datasource.sealed_secrets,
        )
        .values(sealed_secrets=sealed_secrets)
    )


def list_without_role(connection: sa.Connection, after_id: str, limit: int) -> list[Datasource]:
    """Return datasources whose role is not noted, in the order of their ids, those behind one."""
    has_role = datasources.c.type == "S3DelegatedAccess"
    return _list_behind(connection, after_id, limit, has_role & datasources.c.role_hash.is_(None))


def _list_behind(
    connection: sa.Connection, after_id: str, limit: int, condition: sa.ColumnElement[bool]
) -> list[Datasource]:
    query = _select().where(datasources.c.id > after_id, condition)
    query = query.order_by(datasources.c.id).limit(limit)
    return [_make_datasource(row) for row in connection.execute(query)]


def put_role_hash(connection: sa.Connection, datasource: Datasource, role_hash: str) -> None:
    """Note the role of a datasource, unless another one was set meanwhile."""
    connection.execute(
        sa.update(datasources)
        .where(
            datasources.c.id == datasource.id,
            datasources.c.sealed_secrets == datasource.sealed_secrets,
            datasources.c.role_hash.is_(None),
        )
        .values(role_hash=role_hash)
    )


def list_ids(connection: sa.Connection, dataset_keys: Collection[int]) -> dict[int, list[str]]:
    """Return the ids of the datasources of many datasets, by the keys of those that have any."""
    query = (
        sa.select(datasources.c.dataset_key, datasources.c.id)
        .where(datasources.c.dataset_key.in_(dataset_keys))
        .order_by(datasources.c.id)
    )
    found: dict[int, list[str]] = {}
    for key, datasource_id in connection.execute(query):
        found.setdefault(key, []).append(datasource_id)
    return found


def list_processed_until(
    connection: sa.Connection, dataset_keys: Collection[int]
) -> dict[int, int]:
    """Return up to which second the files of datasets were processed, where that is known."""
    query = sa.select(datasource_clocks).where(datasource_clocks.c.dataset_key.in_(dataset_keys))
    return {row.dataset_key: row.processed_until_s for row in connection.execute(query)}


def put_processed_until(
    connection: sa.Connection, dataset_key: int, processed_until_s: int
) -> None:
    """Note up to which second the files of a dataset were processed. The dataset is locked."""
    changed = connection.execute(
        sa.update(datasource_clocks)
        .where(datasource_clocks.c.dataset_key == dataset_key)
        .values(processed_until_s=processed_until_s)
    )
    if changed.rowcount == 0:
        connection.execute(
            sa.insert(datasource_clocks).values(
                dataset_key=dataset_key, processed_until_s=processed_until_s
            )
        )


def note_files(
    connection: sa.Connection, dataset_key: int, names: Iterable[str], now_ms: int
) -> None:
    """Note that files of these names may come. The dataset is locked."""
    table = datasource_files
    unknown = dict.fromkeys(names)
    wanted = list(unknown)
    for start in range(0, len(wanted), _NAMES_AT_ONCE):
        query = sa.select(table.c.name).where(
            table.c.dataset_key == dataset_key,
            table.c.name.in_(wanted[start : start + _NAMES_AT_ONCE]),
        )
        for known in connection.execute(query).scalars():
            del unknown[known]
    if unknown:
        rows = [(dataset_key, name, now_ms) for name in unknown]
        insert_rows(connection, table, ["dataset_key", "name", "created_at_ms"], rows)


def read_file_names(
    connection: sa.Connection, dataset_key: int, after: str, stop: str, limit: int
) -> list[str]:
    """Return noted names behind one and before another, in order of their bytes."""
    name = datasource_files.c.name
    query = (
        sa.select(name)
        .where(datasource_files.c.dataset_key == dataset_key, name > after, name < stop)
        .order_by(name)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())
