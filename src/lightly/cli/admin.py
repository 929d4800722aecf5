"""`lightly admin`: users and tokens, straight on the server's data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from lightly._kit.clock import Clock, SystemClock
from lightly.server.auth import repository, service
from lightly.server.db.engine import Database, open_database
from lightly.server.db.migrate import migrate_database
from lightly.server.secrets.keys import ServerKeys, load_or_make_keys
from lightly.server.settings import read_settings


@dataclass(frozen=True)
class _Administration:
    database: Database
    keys: ServerKeys
    clock: Clock


@contextmanager
def _open(flags: dict[str, Any]) -> Iterator[_Administration]:
    settings = read_settings(**flags)
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = open_database(settings.effective_database_url)
    try:
        migrate_database(database)
        yield _Administration(database, load_or_make_keys(settings.data_dir), SystemClock())
    finally:
        database.close()


def _place_options(command: Callable[..., None]) -> Callable[..., None]:
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


@click.group()
def admin() -> None:
    """Administer users and tokens of a server's data."""


@admin.group()
def user() -> None:
    """Add, list and disable users."""


@user.command("add")
@click.argument("email")
@_place_options
def add_user(email: str, **place: Any) -> None:
    """Add a user and print the new API token."""
    with _open(place) as parts:
        click.echo(service.add_user(parts.database, parts.keys, parts.clock, email))


@user.command("list")
@_place_options
def list_users(**place: Any) -> None:
    """List all users."""
    with _open(place) as parts, parts.database.read() as connection:
        for found, is_disabled in repository.list_users(connection):
            notes = [*(["admin"] if found.is_admin else []), *(["disabled"] if is_disabled else [])]
            click.echo("\t".join([found.id, found.email, ",".join(notes)]))


@user.command("disable")
@click.argument("email")
@_place_options
def disable_user(email: str, **place: Any) -> None:
    """Refuse all tokens of a user."""
    with _open(place) as parts:
        service.disable_user(parts.database, parts.clock, email)


@admin.group()
def token() -> None:
    """Manage API tokens."""


@token.command("rotate")
@click.argument("email", default=service.FIRST_USER_EMAIL)
@_place_options
def rotate_token(email: str, **place: Any) -> None:
    """Print a new API token of a user; all old ones stop working."""
    with _open(place) as parts:
        click.echo(service.rotate_token(parts.database, parts.keys, parts.clock, email))


@admin.command()
@_place_options
def migrate(**place: Any) -> None:
    """Bring the database to this release's schema."""
    with _open(place):
        click.echo("The database is up to date.")
