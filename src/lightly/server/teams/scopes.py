"""Lists of assets: one's own, those of one's teams, or both."""

from __future__ import annotations

import sqlalchemy as sa

from lightly.server.auth.users import User
from lightly.server.http.parameters import AssetScope
from lightly.server.teams.assets import Moment, Owner, is_asset_of_mates


def is_in_scope(
    caller: User, scope: AssetScope, owner_id: Owner, created_at_ms: Moment
) -> sa.ColumnElement[bool]:
    """Return the condition that an asset belongs into a list.

    Args:
        caller: Who asks.
        scope: Whose assets the list is about.
        owner_id: Column with the id of the asset's owner.
        created_at_ms: Column with the moment when the asset was made.
    """
    conditions: list[sa.ColumnElement[bool]] = []
    if scope is not AssetScope.TEAM:
        conditions.append(owner_id == caller.id)
    if scope is not AssetScope.OWN:
        conditions.append(is_asset_of_mates(caller, owner_id, created_at_ms))
    return sa.or_(*conditions)
