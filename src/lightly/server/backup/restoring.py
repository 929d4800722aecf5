"""Making a server from a backup."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import orjson
import pyarrow.parquet as pq
import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext

from lightly._kit.atomic_files import write_atomic
from lightly._kit.errors import BadInput
from lightly.server.backup import layout
from lightly.server.backup.layout import BackupInvalid, Manifest, Progress, read_manifest
from lightly.server.db.engine import Database, insert_rows
from lightly.server.db.migrate import migrate_database
from lightly.server.secrets.keys import KEY_FILE, KEY_VARIABLE, find_keys
from lightly.server.storage.blobs import BlobStore

_PIECE_BYTES = 1024 * 1024


class NotEmpty(BadInput):
    """There is data already where the backup should go. A restore never replaces anything."""


def restore_backup(
    source: Path, database: Database, blobs: BlobStore, data_dir: Path, *, progress: Progress
) -> None:
    """Fill an empty server. Killed at any moment, it can be started again.

    Objects go first and rows last, in one transaction: until that is committed the server is
    empty. The schema is the backup's own; then the migrations of this release are applied.

    Args:
        source: The backup.
        database: Without users; with any schema that is not newer, or none.
        blobs: Where objects go.
        data_dir: Where the key goes.
        progress: Told about tables and objects.

    Raises:
        BackupInvalid: If the file is no backup, or was cut off.
        NotEmpty: If the database has users.
        BadInput: If the key is not the one of the backup.
    """
    with _open_archive(source) as archive:
        manifest = _read_head(archive)
        _require_empty(database)
        _check_whole(archive)
        _restore_keys(archive, manifest, data_dir)
        _restore_objects(archive, blobs, progress)
        migrate_database(database, manifest.schema)
        with database.write() as connection:
            _require_schema(connection, manifest)
            _restore_rows(archive, connection, manifest, progress)
    migrate_database(database)


@contextmanager
def _open_archive(source: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(source, mode="r:") as archive:
            yield archive
    except tarfile.TarError as error:
        raise BackupInvalid from error


def _read_head(archive: tarfile.TarFile) -> Manifest:
    first = archive.next()
    if first is None or first.name != layout.MANIFEST:
        raise BackupInvalid
    return read_manifest(_read_member(archive, first))


def _require_empty(database: Database) -> None:
    with database.read() as connection:
        if not sa.inspect(connection).has_table("users"):
            return
        if connection.execute(sa.text("SELECT count(*) FROM users")).scalar_one():
            raise NotEmpty


def _require_schema(connection: sa.Connection, manifest: Manifest) -> None:
    found = MigrationContext.configure(connection).get_current_revision()
    if found != manifest.schema:
        raise NotEmpty(
            f"The database has schema {found} already, the backup has {manifest.schema}. "
            "Restore into a database without tables."
        )


def _check_whole(archive: tarfile.TarFile) -> None:
    """Raise unless the last member is there and the number of members is the one it tells."""
    members = archive.getmembers()
    if members[-1].name != layout.SEAL:
        raise BackupInvalid("This backup was cut off: its end is missing. Make it again.")
    if not all(member.isreg() for member in members):
        raise BackupInvalid
    seal = orjson.loads(_read_member(archive, members[-1]))
    n_objects = sum(member.name.startswith(layout.OBJECTS) for member in members)
    if n_objects != seal["objects"]:
        raise BackupInvalid(f"This backup has {n_objects} of {seal['objects']} objects.")


def _restore_keys(archive: tarfile.TarFile, manifest: Manifest, data_dir: Path) -> None:
    """Put the key files where there are none yet."""
    for member in archive.getmembers():
        name = member.name.removeprefix(layout.KEYS)
        path = data_dir / name
        if name in layout.KEY_FILES and name != member.name and not path.exists():
            write_atomic(path, _read_member(archive, member), mode=0o600)
    keys = find_keys(data_dir)
    if keys is None:
        raise BadInput(
            f"This backup was made without the server's key. Put it into {KEY_VARIABLE}, "
            f"or as '{KEY_FILE}' into the data folder."
        )
    if keys.fingerprint() != manifest.key_fingerprint:
        raise BadInput(
            f"The key in {KEY_VARIABLE} or the data folder is not the one of this backup. "
            "Take it away, or put the right one there."
        )


def _restore_objects(archive: tarfile.TarFile, blobs: BlobStore, progress: Progress) -> None:
    count = 0
    for member in archive.getmembers():
        if member.name.startswith(layout.OBJECTS):
            key = member.name.removeprefix(layout.OBJECTS)
            with _open_member(archive, member) as file:
                blobs.put(key, iter(lambda: file.read(_PIECE_BYTES), b""))
            count += 1
            progress("objects", count)


def _restore_rows(
    archive: tarfile.TarFile, connection: sa.Connection, manifest: Manifest, progress: Progress
) -> None:
    metadata = sa.MetaData()
    metadata.reflect(connection)
    for name in manifest.tables:
        table = metadata.tables.get(name)
        if table is None:
            raise BackupInvalid(f"This backup has a table {name!r} that its schema does not have.")
        with _open_member(archive, archive.getmember(f"{layout.TABLES}{name}.parquet")) as file:
            count = _insert_table(connection, table, file)
        _continue_numbering(connection, table)
        progress(f"rows of {name}", count)


def _insert_table(connection: sa.Connection, table: sa.Table, file: IO[bytes]) -> int:
    count = 0
    for batch in pq.ParquetFile(file).iter_batches(layout.CHUNK_ROWS):
        columns = [column.to_pylist() for column in batch.columns]
        rows = list(zip(*columns, strict=True))
        insert_rows(connection, table, batch.schema.names, rows)
        count += len(rows)
    return count


def _continue_numbering(connection: sa.Connection, table: sa.Table) -> None:
    """Make PostgreSQL number new rows after the restored ones; SQLite does so by itself."""
    if connection.dialect.name == "sqlite":
        return
    column = table.autoincrement_column
    if column is None or len(table.primary_key) > 1 or column.server_default is None:
        return
    newest = connection.execute(sa.select(sa.func.max(column))).scalar_one()
    if newest is not None:
        sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
        connection.execute(sa.select(sa.func.setval(sequence, newest)))


def _read_member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    with _open_member(archive, member) as file:
        return file.read()


def _open_member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    file = archive.extractfile(member)
    if file is None:
        raise BackupInvalid
    return file
