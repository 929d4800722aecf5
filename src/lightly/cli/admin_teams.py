"""`lightly admin team` and `lightly admin service-account`."""

from __future__ import annotations

from typing import Any

import click

from lightly.cli.admin_places import open_place, place_options
from lightly.openapi_generated.swagger_client.models.team_role import TeamRole
from lightly.server.teams import administration, repository

_ROLES = [role.value for role in (TeamRole.OWNER, TeamRole.ADMIN, TeamRole.MEMBER)]


@click.group()
def team() -> None:
    """Add and list teams and their members."""


@team.command("add")
@click.argument("name")
@click.option("--owner", required=True, help="E-mail address of the user who owns the team.")
@place_options
def add_team(name: str, owner: str, **place: Any) -> None:
    """Add a team and print its id."""
    with open_place(place) as parts:
        click.echo(administration.add_team(parts.database, parts.clock, name, owner))


@team.command("list")
@place_options
def list_teams(**place: Any) -> None:
    """List all teams: id, name, number of members."""
    with open_place(place) as parts, parts.database.read() as connection:
        for found, n_members in repository.list_teams(connection):
            click.echo(f"{found.id}\t{found.name}\t{n_members}")


@team.group("member")
def member() -> None:
    """Add, list and remove members. TEAM is a name or an id."""


@member.command("add")
@click.argument("team_name", metavar="TEAM")
@click.argument("email")
@click.option(
    "--role",
    type=click.Choice(_ROLES, case_sensitive=False),
    default=TeamRole.MEMBER.value,
    show_default=True,
    help="What the member may do.",
)
@place_options
def add_member(team_name: str, email: str, role: str, **place: Any) -> None:
    """Add a user to a team, or give a member another role."""
    with open_place(place) as parts:
        administration.add_member(
            parts.database, parts.clock, team_name, email, TeamRole(role.upper())
        )


@member.command("remove")
@click.argument("team_name", metavar="TEAM")
@click.argument("email")
@place_options
def remove_member(team_name: str, email: str, **place: Any) -> None:
    """Remove a user from a team."""
    with open_place(place) as parts:
        administration.remove_member(parts.database, team_name, email)


@member.command("list")
@click.argument("team_name", metavar="TEAM")
@place_options
def list_members(team_name: str, **place: Any) -> None:
    """List the members of a team: id, address, role."""
    with open_place(place) as parts:
        for found in administration.list_members(parts.database, team_name):
            click.echo(f"{found.user_id}\t{found.email}\t{found.role.value}")


@click.group("service-account")
def service_account() -> None:
    """Add and list service accounts. TEAM is a name or an id."""


@service_account.command("add")
@click.argument("team_name", metavar="TEAM")
@click.argument("name")
@place_options
def add_service_account(team_name: str, name: str, **place: Any) -> None:
    """Add a service account to a team and print its token."""
    with open_place(place) as parts:
        click.echo(
            administration.add_service_account(
                parts.database, parts.keys, parts.clock, team_name, name
            )
        )


@service_account.command("rotate")
@click.argument("team_name", metavar="TEAM")
@click.argument("name")
@place_options
def rotate_service_account(team_name: str, name: str, **place: Any) -> None:
    """Print a new token of a service account; the old one stops working."""
    with open_place(place) as parts:
        click.echo(
            administration.rotate_service_account(
                parts.database, parts.keys, parts.clock, team_name, name
            )
        )


@service_account.command("list")
@click.argument("team_name", metavar="TEAM")
@place_options
def list_service_accounts(team_name: str, **place: Any) -> None:
    """List the service accounts of a team: id, name."""
    with open_place(place) as parts:
        for account in administration.list_service_accounts(parts.database, team_name):
            click.echo(f"{account.user_id}\t{account.name}")
