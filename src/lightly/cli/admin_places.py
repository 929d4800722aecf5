"""Where the data lies that `lightly admin` works on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from lightly._kit.clock import Clock, SystemClock
from lightly.server.db.engine import Database, open_database
from lightly.server.db.migrate import migrate_database
from lightly.server.secrets.keys import ServerKeys, load_or_make_keys
from lightly.server.settings import read_settings


@dataclass(frozen=True)
class Administration:
    """What commands need of a server's data."""

    database: Database
    keys: ServerKeys
    clock: Clock


@contextmanager
def open_place(flags: dict[str, Any]) -> Iterator[Administration]:
    """Yield the data that `place_options` say."""
    settings = read_settings(**flags)
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = open_database(settings.effective_database_url)
    try:
        migrate_database(database)
        yield Administration(database, load_or_make_keys(settings.data_dir), SystemClock())
    finally:
        database.close()


def place_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say where the server's data lies."""
    for option in (
        click.option("--database-url", help="The server's database."),
        click.option(
            "--data-dir",
            type=click.Path(file_okay=False, path_type=Path),
            help="The server's data folder. [default: ./lightly-data]",
        ),
    ):
        command = option(command)
    return command
