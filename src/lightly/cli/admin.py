"""`lightly admin`: users, teams and datasets, straight on the server's data."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from lightly.cli.admin_backup import backup, restore
from lightly.cli.admin_places import open_place, place_options
from lightly.cli.admin_teams import service_account, team
from lightly.server.auth import quotas, repository, service
from lightly.server.datasets import deleted
from lightly.server.teams.repository import list_service_account_ids


@click.group()
def admin() -> None:
    """Administer users, teams and datasets of a server's data."""


admin.add_command(team)
admin.add_command(service_account)
admin.add_command(backup)
admin.add_command(restore)


@admin.group()
def user() -> None:
    """Add, list and disable users."""


@user.command("add")
@click.argument("email")
@place_options
def add_user(email: str, **place: Any) -> None:
    """Add a user and print the new API token."""
    with open_place(place) as parts:
        click.echo(service.add_user(parts.database, parts.keys, parts.clock, email))


@user.command("list")
@place_options
def list_users(**place: Any) -> None:
    """List all users: id, address, notes."""
    with open_place(place) as parts, parts.database.read() as connection:
        accounts = list_service_account_ids(connection)
        for found, is_disabled in repository.list_users(connection):
            notes = {
                "admin": found.is_admin,
                "service-account": found.id in accounts,
                "disabled": is_disabled,
            }
            shown = ",".join(note for note, holds in notes.items() if holds)
            click.echo(f"{found.id}\t{found.email}\t{shown}")


@user.command("disable")
@click.argument("email")
@place_options
def disable_user(email: str, **place: Any) -> None:
    """Refuse all tokens of a user."""
    with open_place(place) as parts:
        service.disable_user(parts.database, parts.clock, email)


@user.command("quota")
@click.argument("email")
@click.argument("samples", type=click.IntRange(min=0), required=False)
@place_options
def set_quota(email: str, samples: int | None, **place: Any) -> None:
    """Let datasets of a user have at most SAMPLES samples; as many as the server takes without."""
    with open_place(place) as parts:
        quotas.set_max_dataset_size(parts.database, email, samples)


@admin.group()
def token() -> None:
    """Manage API tokens."""


@token.command("rotate")
@click.argument("email", default=service.FIRST_USER_EMAIL)
@place_options
def rotate_token(email: str, **place: Any) -> None:
    """Print a new API token of a user; all old ones stop working."""
    with open_place(place) as parts:
        click.echo(service.rotate_token(parts.database, parts.keys, parts.clock, email))


@admin.group()
def dataset() -> None:
    """Bring deleted datasets back."""


@dataset.command("list-deleted")
@place_options
def list_deleted(**place: Any) -> None:
    """List datasets that can come back: id, name, owner, samples, when they were deleted."""
    with open_place(place) as parts:
        for found in deleted.list_deleted(parts.database):
            moment = datetime.fromtimestamp(found.deleted_at_ms / 1000, UTC)
            columns = [found.id, found.name, found.owner_email, str(found.n_samples)]
            click.echo("\t".join([*columns, moment.isoformat(timespec="seconds")]))


@dataset.command("restore")
@click.argument("dataset_id", metavar="ID")
@click.option("--name", help="A new name, if the owner has used the old one again.")
@place_options
def restore_dataset(dataset_id: str, name: str | None, **place: Any) -> None:
    """Bring a deleted dataset back with everything in it."""
    with open_place(place) as parts:
        deleted.restore_dataset(parts.database, parts.clock, dataset_id, name=name)


@admin.command()
@place_options
def migrate(**place: Any) -> None:
    """Bring the database to this release's schema."""
    with open_place(place):
        click.echo("The database is up to date.")
