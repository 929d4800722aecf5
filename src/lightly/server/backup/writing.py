"""Writing a backup while the server runs."""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext

from lightly import __version__
from lightly._kit.atomic_files import open_atomic
from lightly._kit.clock import Clock
from lightly.server.backup import layout
from lightly.server.backup.layout import Manifest, Progress
from lightly.server.db.engine import Database
from lightly.server.errors import Unavailable
from lightly.server.secrets.keys import ServerKeys
from lightly.server.storage.blobs import BlobStore

#: Signs of life of processes, which mean nothing elsewhere.
_PASSING_TABLES = frozenset({"alembic_version", "job_executors"})


def write_backup(
    target: Path,
    database: Database,
    blobs: BlobStore,
    keys: ServerKeys,
    clock: Clock,
    *,
    key_dir: Path | None,
    progress: Progress,
) -> None:
    """Write everything into one file, which appears when it is whole.

    The rows are those of one moment. Objects are read after them, so that each object that a row
    means is there; newer ones do no harm.

    Args:
        target: The file; readable by its owner only.
        database: With the schema of this release.
        blobs: The objects.
        keys: The server's key.
        clock: The time.
        key_dir: Where the key files are that go into the backup; None leaves them out, and a
            restore needs them beside.
        progress: Told about tables and objects.
    """
    with open_atomic(target, mode=0o600) as file, tarfile.open(fileobj=file, mode="w") as archive:
        with database.snapshot() as connection:
            tables = _reflect_tables(connection)
            manifest = Manifest(
                format=layout.FORMAT,
                release=__version__,
                schema=_read_schema(connection),
                key_fingerprint=keys.fingerprint(),
                created_at_ms=clock.now_ms(),
                tables=tuple(str(table.name) for table in tables),
            )
            _add_bytes(archive, layout.MANIFEST, manifest.write())
            if key_dir is not None:
                _add_keys(archive, key_dir)
            counts = {}
            for name, table in zip(manifest.tables, tables, strict=True):
                counts[name] = _add_table(archive, connection, table)
                progress(f"rows of {name}", counts[name])
        n_objects = 0
        for key in blobs.list_keys(""):
            n_objects += _add_object(archive, blobs, key)
            progress("objects", n_objects)
        seal = {"rows": counts, "objects": n_objects}
        _add_bytes(archive, layout.SEAL, orjson.dumps(seal, option=orjson.OPT_INDENT_2))


def _add_keys(archive: tarfile.TarFile, key_dir: Path) -> None:
    for name in layout.KEY_FILES:
        path = key_dir / name
        if path.exists():
            _add_bytes(archive, layout.KEYS + name, path.read_bytes())


def _reflect_tables(connection: sa.Connection) -> list[sa.Table]:
    metadata = sa.MetaData()
    metadata.reflect(connection)
    return [table for table in metadata.sorted_tables if table.name not in _PASSING_TABLES]


def _read_schema(connection: sa.Connection) -> str:
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None:
        raise Unavailable("The database has no schema yet. Start the server once.")
    return revision


def _add_table(archive: tarfile.TarFile, connection: sa.Connection, table: sa.Table) -> int:
    schema = pa.schema([(column.name, _choose_type(column)) for column in table.columns])
    n_rows = 0
    with tempfile.TemporaryFile() as file:
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for batch in _iterate_batches(connection, table, schema):
                writer.write_batch(batch)
                n_rows += batch.num_rows
        _add_file(archive, f"{layout.TABLES}{table.name}.parquet", file)
    return n_rows


def _iterate_batches(
    connection: sa.Connection, table: sa.Table, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    rows = connection.execution_options(yield_per=layout.CHUNK_ROWS).execute(sa.select(table))
    for chunk in rows.partitions():
        columns = zip(*chunk, strict=True)
        arrays = [pa.array(values, kind.type) for values, kind in zip(columns, schema, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _choose_type(column: sa.Column[object]) -> pa.DataType:
    kind = column.type
    if isinstance(kind, sa.Boolean):
        return pa.bool_()
    if isinstance(kind, sa.Integer):
        return pa.int64()
    if isinstance(kind, sa.Numeric):
        return pa.float64()
    if isinstance(kind, sa.LargeBinary):
        return pa.large_binary()
    return pa.large_string()


def _add_object(archive: tarfile.TarFile, blobs: BlobStore, key: str) -> bool:
    try:
        with blobs.open(key) as file:
            _add_file(archive, layout.OBJECTS + key, file)
    except FileNotFoundError:
        # Removed since it was listed, so no row of the backup means it for long.
        return False
    return True


def _add_file(archive: tarfile.TarFile, name: str, file: BinaryIO) -> None:
    member = tarfile.TarInfo(name)
    member.size = file.seek(0, os.SEEK_END)
    member.mode = 0o600
    file.seek(0)
    archive.addfile(member, file)


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    _add_file(archive, name, io.BytesIO(content))
