"""`lightly admin backup` and `restore`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from lightly._kit.clock import SystemClock
from lightly.cli.admin_places import place_options
from lightly.server.db.engine import open_database
from lightly.server.settings import read_settings

_FILE = click.Path(dir_okay=False, path_type=Path)


def _storage_option(command: Callable[..., None]) -> Callable[..., None]:
    option = click.option(
        "--storage-url", help="The server's object store, as it was started with."
    )
    return option(command)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--without-key", is_flag=True, help="Leave the server's key out of the file.")
@_storage_option
@place_options
def backup(file: Path, *, without_key: bool, **place: Any) -> None:
    """Write everything into FILE while the server runs: rows, images, embeddings, the key.

    Whoever has the file can do what the server can. Keep it as safe as the server, or leave the
    key out and keep that elsewhere.
    """
    # Loads what `lightly admin --help` does not need.
    from lightly.server.backup.writing import write_backup
    from lightly.server.secrets.keys import load_or_make_keys
    from lightly.server.storage.opening import open_blob_store

    settings = read_settings(**place)
    database = open_database(settings.effective_database_url)
    try:
        keys = load_or_make_keys(settings.data_dir)
        blobs = open_blob_store(settings, keys, "")
        key_dir = None if without_key else settings.data_dir
        write_backup(
            file, database, blobs, keys, SystemClock(), key_dir=key_dir, progress=_Reporter()
        )
    finally:
        database.close()
    click.echo(f"Wrote {file}, {file.stat().st_size:,} bytes.")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_storage_option
@place_options
def restore(file: Path, **place: Any) -> None:
    """Fill an empty server from FILE. Database and store may be of other kinds than before.

    Nothing is ever replaced: a database with users is refused. After an interruption run it again.
    """
    from lightly.server.backup.restoring import restore_backup
    from lightly.server.secrets.keys import ServerKeys
    from lightly.server.storage.opening import open_blob_store

    settings = read_settings(**place)
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = open_database(settings.effective_database_url)
    try:
        # Nothing is signed here, so any key will do to open the store.
        blobs = open_blob_store(settings, ServerKeys(b""), "")
        restore_backup(file, database, blobs, settings.data_dir, progress=_Reporter())
    finally:
        database.close()
    click.echo("Everything is there. Start the server.")


class _Reporter:
    """Prints what is being done, once per thousand and at every change."""

    def __init__(self) -> None:
        self._what = ""

    def __call__(self, what: str, count: int) -> None:
        if what != self._what or count % 1000 == 0:
            click.echo(f"{what}: {count:,}", err=True)
        self._what = what
