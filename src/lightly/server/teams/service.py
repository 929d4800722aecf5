"""Rules of teams: members see, owners and administrators change.

Only an owner makes, changes or removes owners, and a team always has one.
"""

from __future__ import annotations

import sqlalchemy as sa

from lightly._kit.ids import is_id, make_id
from lightly.openapi_generated.swagger_client.models.team_role import TeamRole
from lightly.server.auth import repository as users
from lightly.server.auth.addresses import is_of_service_account, normalise_address
from lightly.server.auth.service import replace_tokens
from lightly.server.auth.users import User
from lightly.server.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    MalformedRequest,
    MemberUnknown,
    ServiceAccountUnknown,
    TeamUnknown,
)
from lightly.server.platform import PlatformState
from lightly.server.teams import repository
from lightly.server.teams.models import MANAGING_ROLES, Member, ServiceAccount, Team

#: Most people in one team: lists of members are answered whole.
MAX_MEMBERS = 10_000


def load_team(connection: sa.Connection, caller: User, team_id: str) -> tuple[Team, TeamRole]:
    """Return a team that the caller is in, and the caller's role in it.

    Raises:
        TeamUnknown: If it does not exist or the caller is not in it; the two look the same.
    """
    found = repository.find_team_for(connection, caller.id, team_id)
    if found is None:
        raise TeamUnknown
    return found


def _load_managed_team(
    connection: sa.Connection, caller: User, team_id: str
) -> tuple[Team, TeamRole]:
    """Return a team to change, held against other changes."""
    team, role = load_team(connection, caller, team_id)
    if role not in MANAGING_ROLES:
        raise Forbidden("Only owners and administrators of a team may change it.")
    repository.lock_team(connection, team.id)
    return team, role


def get_team(platform: PlatformState, caller: User, team_id: str) -> Team:
    """Return a team that the caller is in."""
    with platform.database.read() as connection:
        return load_team(connection, caller, team_id)[0]


def list_members(platform: PlatformState, caller: User, team_id: str) -> tuple[Team, list[Member]]:
    """Return a team and its people."""
    with platform.database.read() as connection:
        team, _ = load_team(connection, caller, team_id)
        return team, repository.list_members(connection, team.id)


def add_member(
    platform: PlatformState, caller: User, team_id: str, email: str, role: TeamRole
) -> str:
    """Add somebody to a team and return the id that this user has or will have.

    Whether there is a user of that address already shows in nothing. What the new member has made
    before stays the member's own. The same request again changes nothing.

    Raises:
        MalformedRequest: If this is no address.
        Conflict: If the user is in the team with another role.
        Forbidden: If the caller may not give this role.
    """
    normal = normalise_address(email)
    if normal is None or is_of_service_account(normal):
        raise MalformedRequest("email (body): This is not an e-mail address.")
    now_ms = platform.clock.now_ms()
    with platform.database.write() as connection:
        team, own_role = _load_managed_team(connection, caller, team_id)
        _check_grant(own_role, role)
        user_id = users.reserve_id(connection, normal, make_id(), now_ms)
        member = repository.find_member(connection, team.id, user_id)
        if member is None:
            _check_room(connection, team)
            repository.insert_member(
                connection, team.id, user_id, role, assets_since_ms=now_ms, now_ms=now_ms
            )
        elif member.role != role:
            raise Conflict(
                f"This user is in the team as {member.role.value}. Change the role instead."
            )
    return user_id


def _check_room(connection: sa.Connection, team: Team) -> None:
    if len(repository.list_members(connection, team.id)) >= MAX_MEMBERS:
        raise BadRequest(f"A team may have at most {MAX_MEMBERS} members.")


def _check_grant(own_role: TeamRole, role: TeamRole) -> None:
    if role is TeamRole.SERVICEACCOUNT:
        raise BadRequest(
            "People cannot have the role SERVICEACCOUNT. "
            "Make service accounts with `lightly admin service-account add`."
        )
    if role is TeamRole.OWNER and own_role is not TeamRole.OWNER:
        raise Forbidden("Only an owner of a team may make somebody its owner.")


def update_member(
    platform: PlatformState, caller: User, team_id: str, user_id: str, role: TeamRole
) -> None:
    """Give a member another role.

    Raises:
        MemberUnknown: If the team has no such member.
        Forbidden: If the caller may not change this member or give this role.
        Conflict: If the team would have no owner.
    """
    with platform.database.write() as connection:
        team, own_role = _load_managed_team(connection, caller, team_id)
        member = _load_member(connection, team, user_id)
        _check_grant(own_role, role)
        if member.role is not role:
            _check_loss(connection, team, own_role, member)
            repository.update_role(connection, team.id, user_id, role)


def remove_member(platform: PlatformState, caller: User, team_id: str, user_id: str) -> None:
    """Remove somebody from a team, which acts at once; everybody may leave.

    A service account is gone with that, and its token with it; what it owns stays the team's.

    Raises:
        MemberUnknown: If the team has no such member.
        Forbidden: If the caller may not remove this member.
        Conflict: If the team would have no owner.
    """
    with platform.database.write() as connection:
        team, own_role = load_team(connection, caller, team_id)
        is_leaving = user_id == caller.id and own_role is not TeamRole.SERVICEACCOUNT
        if is_leaving:
            repository.lock_team(connection, team.id)
        else:
            _load_managed_team(connection, caller, team_id)
        account = _find_account(connection, team, user_id)
        if account is not None:
            _remove_account(connection, account, platform.clock.now_ms())
        else:
            member = _load_member(connection, team, user_id)
            _check_loss(connection, team, own_role, member)
            repository.delete_member(connection, team.id, user_id)
    platform.token_cache.forget_user(user_id)


def _find_account(connection: sa.Connection, team: Team, user_id: str) -> ServiceAccount | None:
    if not is_id(user_id):
        return None
    account = repository.find_service_account(connection, team.id, user_id)
    # Found by its name, it is not what the caller has named.
    return account if account is not None and account.user_id == user_id else None


def _remove_account(connection: sa.Connection, account: ServiceAccount, now_ms: int) -> None:
    repository.mark_removed(connection, account.user_id, now_ms)
    users.disable_user(connection, account.user_id, now_ms)
    users.delete_tokens(connection, account.user_id)


def _load_member(connection: sa.Connection, team: Team, user_id: str) -> Member:
    # Other texts are no ids; databases refuse some of them.
    member = repository.find_member(connection, team.id, user_id) if is_id(user_id) else None
    if member is None:
        raise MemberUnknown
    return member


def _check_loss(connection: sa.Connection, team: Team, own_role: TeamRole, member: Member) -> None:
    """Refuse that an owner stops being one, unless another owner wants it and one is left."""
    if member.role is not TeamRole.OWNER:
        return
    if own_role is not TeamRole.OWNER:
        raise Forbidden("Only an owner of a team may change or remove an owner.")
    if repository.count_owners(connection, team.id) == 1:
        raise Conflict("This is the last owner of the team. Make somebody else its owner first.")


def list_service_accounts(
    platform: PlatformState, caller: User, team_id: str
) -> list[ServiceAccount]:
    """Return the service accounts of a team."""
    with platform.database.read() as connection:
        team, _ = load_team(connection, caller, team_id)
        return repository.list_service_accounts(connection, team.id)


def reset_token(platform: PlatformState, caller: User, team_id: str, account_id: str) -> str:
    """Return a new token of a service account; the old one stops working at once.

    Raises:
        ServiceAccountUnknown: If the team has no such account.
    """
    with platform.database.write() as connection:
        team, _ = _load_managed_team(connection, caller, team_id)
        account = _find_account(connection, team, account_id)
        if account is None:
            raise ServiceAccountUnknown
        token = replace_tokens(connection, platform.keys, account.user_id, platform.clock.now_ms())
    platform.token_cache.forget_user(account.user_id)
    return token
