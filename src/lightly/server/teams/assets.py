"""Whose assets a caller may use or manage: the one answer that every domain asks for.

An asset (a dataset, a worker, a worker configuration, a run) belongs to one user. It is a team's
too while its owner is in that team, unless it is older than the owner's membership: nobody gives
away what they have by being named in somebody's team. Members made by the operator, and service
accounts, bring everything that they own.

What the caller may do with a team's asset depends on the caller's own role: OWNER and ADMIN have
`Rights.FULL`, MEMBER and SERVICEACCOUNT `Rights.USE`. Memberships are looked up in the same
statement as the asset, so that losing one acts at once.
"""

from __future__ import annotations

import sqlalchemy as sa

from lightly.server.auth.users import User
from lightly.server.db.team_tables import team_members
from lightly.server.teams.models import MANAGING_ROLES, Rights

Owner = sa.ColumnElement[str]
Moment = sa.ColumnElement[int]


def is_asset_of_mates(
    caller: User, owner_id: Owner, created_at_ms: Moment
) -> sa.ColumnElement[bool]:
    """Return the condition that an asset is of one of the caller's teams, and not the caller's own.

    Args:
        caller: Who asks.
        owner_id: Column with the id of the asset's owner; an index on it is used.
        created_at_ms: Column with the moment when the asset was made.

    Source: `getAssetsOfTeam` of the wire contract.
    """
    mine, theirs = team_members.alias("mine"), team_members.alias("theirs")
    mates = sa.select(theirs.c.user_id).where(
        mine.c.user_id == caller.id, theirs.c.team_id == mine.c.team_id
    )
    return sa.and_(
        owner_id != caller.id,
        owner_id.in_(mates),
        _shares_team(caller.id, owner_id, created_at_ms),
    )


def select_rights(
    caller: User,
    owner_id: Owner,
    created_at_ms: Moment,
    *is_used: sa.ColumnElement[bool],
) -> sa.ColumnElement[str | None]:
    """Return the expression of what the caller may do with an asset.

    Its value is that of a `Rights`, NULL for nothing: then the asset does not exist for the caller.

    Args:
        caller: Who asks.
        owner_id: Column with the id of the asset's owner.
        created_at_ms: Column with the moment when the asset was made.
        *is_used: Further conditions that each give `Rights.USE`.
    """
    manages = _shares_team(
        caller.id, owner_id, created_at_ms, sorted(role.value for role in MANAGING_ROLES)
    )
    uses = sa.or_(_shares_team(caller.id, owner_id, created_at_ms), *is_used)
    # The database looks at these one after the other: owners pay nothing for the rest.
    return sa.case(
        (owner_id == caller.id, Rights.FULL.value),
        (manages, Rights.FULL.value),
        (uses, Rights.USE.value),
        else_=None,
    )


def is_of_same_tenant(
    user_id: str, owner_id: Owner, created_at_ms: Moment
) -> sa.ColumnElement[bool]:
    """Return the condition that an asset is a user's own, or of one of that user's teams.

    Args:
        user_id: The user; need not be who asks.
        owner_id: Column with the id of the asset's owner.
        created_at_ms: Column with the moment when the asset was made.
    """
    return sa.or_(owner_id == user_id, _shares_team(user_id, owner_id, created_at_ms))


def find_rights(
    connection: sa.Connection, caller: User, owner_id: str, created_at_ms: int
) -> Rights | None:
    """Return what the caller may do with an asset that was loaded already; None is nothing.

    Args:
        connection: An open transaction.
        caller: Who asks.
        owner_id: The asset's owner.
        created_at_ms: When the asset was made.
    """
    owner, moment = sa.literal(owner_id), sa.literal(created_at_ms, sa.BigInteger)
    value = connection.execute(sa.select(select_rights(caller, owner, moment))).scalar_one()
    return None if value is None else Rights(value)


def is_mate(connection: sa.Connection, caller: User, user_id: str) -> bool:
    """Tell whether somebody is in one of the caller's teams, or is the caller."""
    mine, theirs = team_members.alias("mine"), team_members.alias("theirs")
    query = sa.select(theirs.c.user_id).where(
        mine.c.user_id == caller.id,
        theirs.c.team_id == mine.c.team_id,
        theirs.c.user_id == user_id,
    )
    return user_id == caller.id or connection.execute(query.limit(1)).first() is not None


def _shares_team(
    user_id: str, owner_id: Owner, created_at_ms: Moment, roles: list[str] | None = None
) -> sa.ColumnElement[bool]:
    mine, theirs = team_members.alias("my_membership"), team_members.alias("owners_membership")
    conditions = [
        mine.c.user_id == user_id,
        theirs.c.team_id == mine.c.team_id,
        theirs.c.user_id == owner_id,
        theirs.c.assets_since_ms <= created_at_ms,
    ]
    if roles is not None:
        conditions.append(mine.c.role.in_(roles))
    return sa.exists().where(*conditions)
