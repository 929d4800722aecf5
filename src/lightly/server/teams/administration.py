"""Teams as the operator makes them: from the shell, as nobody's member."""

from __future__ import annotations

import sqlalchemy as sa

from lightly._kit.clock import Clock
from lightly._kit.errors import BadInput
from lightly._kit.ids import make_id
from lightly.openapi_generated.swagger_client.models.team_role import TeamRole
from lightly.server.auth import repository as users
from lightly.server.auth.addresses import SERVICE_ACCOUNT_DOMAIN
from lightly.server.auth.service import find_user, make_token, replace_tokens
from lightly.server.auth.users import User
from lightly.server.db.engine import Database
from lightly.server.secrets.keys import ServerKeys
from lightly.server.teams import repository
from lightly.server.teams.models import Member, ServiceAccount, Team

MAX_NAME_CHARACTERS = 255
#: Whom the operator puts into a team brings everything: the operator has everything anyway.
_EVER_MS = 0


def add_team(database: Database, clock: Clock, name: str, owner_email: str) -> str:
    """Add a team with one owner and return its id.

    Raises:
        BadInput: If there is no such user, or a team of this name.
    """
    _check_name(name)
    team = Team(make_id(), name, clock.now_ms())
    try:
        with database.write() as connection:
            owner = find_user(connection, owner_email)
            repository.insert_team(connection, team)
            _insert_member(connection, team, owner.id, TeamRole.OWNER, team.created_at_ms)
    except sa.exc.IntegrityError as error:
        raise BadInput(
            f"There is already a team {name!a}. See `lightly admin team list`."
        ) from error
    return team.id


def add_member(
    database: Database, clock: Clock, team_name: str, email: str, role: TeamRole
) -> None:
    """Add a user to a team, or give a member another role.

    Raises:
        BadInput: If there is no such team or user, or the team would have no owner.
    """
    with database.write() as connection:
        team = _find_team(connection, team_name)
        repository.lock_team(connection, team.id)
        user = find_user(connection, email)
        member = repository.find_member(connection, team.id, user.id)
        if member is None:
            _insert_member(connection, team, user.id, role, clock.now_ms())
            return
        if role is not TeamRole.OWNER:
            _keep_an_owner(connection, team, member.role)
        repository.update_role(connection, team.id, user.id, role)


def remove_member(database: Database, team_name: str, email: str) -> None:
    """Remove a user from a team.

    Raises:
        BadInput: If there is no such team or member, or the team would have no owner.
    """
    with database.write() as connection:
        team = _find_team(connection, team_name)
        repository.lock_team(connection, team.id)
        user = find_user(connection, email)
        member = repository.find_member(connection, team.id, user.id)
        if member is None:
            raise BadInput(f"{user.email} is not in the team {team.name!a}.")
        _keep_an_owner(connection, team, member.role)
        repository.delete_member(connection, team.id, user.id)


def _keep_an_owner(connection: sa.Connection, team: Team, role_lost: TeamRole) -> None:
    if role_lost is TeamRole.OWNER and repository.count_owners(connection, team.id) == 1:
        raise BadInput(
            f"This is the last owner of the team {team.name!a}. Add another one first: "
            "`lightly admin team member add TEAM EMAIL --role OWNER`."
        )


def list_members(database: Database, team_name: str) -> list[Member]:
    """Return the people of a team.

    Raises:
        BadInput: If there is no such team.
    """
    with database.read() as connection:
        return repository.list_members(connection, _find_team(connection, team_name).id)


def add_service_account(
    database: Database, keys: ServerKeys, clock: Clock, team_name: str, name: str
) -> str:
    """Add a service account to a team and return its token, which is shown only now.

    Raises:
        BadInput: If there is no such team, or the team has a service account of this name.
    """
    _check_name(name)
    now_ms, token, user_id = clock.now_ms(), make_token(), make_id()
    user = User(user_id, f"{user_id}@{SERVICE_ACCOUNT_DOMAIN}", is_admin=False)
    try:
        with database.write() as connection:
            team = _find_team(connection, team_name)
            users.insert_user(connection, user, now_ms)
            users.insert_token(connection, keys.hash_token(token), user_id, now_ms)
            account = ServiceAccount(user_id, name, now_ms)
            repository.insert_service_account(connection, team.id, account)
            _insert_member(connection, team, user_id, TeamRole.SERVICEACCOUNT, now_ms)
    except sa.exc.IntegrityError as error:
        raise BadInput(
            f"The team has already a service account {name!a}. "
            "See `lightly admin service-account rotate`."
        ) from error
    return token


def rotate_service_account(
    database: Database, keys: ServerKeys, clock: Clock, team_name: str, name: str
) -> str:
    """Return a new token of a service account; the old one stops working.

    Raises:
        BadInput: If there is no such team or service account.
    """
    with database.write() as connection:
        team = _find_team(connection, team_name)
        account = repository.find_service_account(connection, team.id, name)
        if account is None:
            raise BadInput(f"The team has no service account {ascii(name)[:80]}.")
        return replace_tokens(connection, keys, account.user_id, clock.now_ms())


def list_service_accounts(database: Database, team_name: str) -> list[ServiceAccount]:
    """Return the service accounts of a team.

    Raises:
        BadInput: If there is no such team.
    """
    with database.read() as connection:
        team = _find_team(connection, team_name)
        return repository.list_service_accounts(connection, team.id)


def _insert_member(
    connection: sa.Connection, team: Team, user_id: str, role: TeamRole, now_ms: int
) -> None:
    repository.insert_member(
        connection, team.id, user_id, role, assets_since_ms=_EVER_MS, now_ms=now_ms
    )


def _find_team(connection: sa.Connection, id_or_name: str) -> Team:
    team = repository.find_team(connection, id_or_name)
    if team is None:
        raise BadInput(f"There is no team {ascii(id_or_name)[:80]}. See `lightly admin team list`.")
    return team


def _check_name(name: str) -> None:
    if not 1 <= len(name) <= MAX_NAME_CHARACTERS or not name.isprintable() or name != name.strip():
        raise BadInput(
            f"A name has 1 to {MAX_NAME_CHARACTERS} printable characters and no blank at its "
            f"ends, got {ascii(name)[:80]}."
        )
