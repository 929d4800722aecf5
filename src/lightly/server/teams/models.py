"""Teams as the server works with them."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from lightly.openapi_generated.swagger_client.models.team_role import TeamRole

#: Teams do not end here; the contract wants a moment nevertheless: the last of the year 9999.
NEVER_MS = 253_402_300_799_000
#: Who administers a team, and may do everything with what belongs to it.
MANAGING_ROLES = frozenset({TeamRole.OWNER, TeamRole.ADMIN})


class Rights(enum.Enum):
    """What somebody may do with an asset: a dataset, a worker, a run.

    FULL is everything. USE is everything but deleting it, sharing it, and reading or changing
    secrets.
    """

    FULL = "FULL"
    USE = "USE"


@dataclass(frozen=True)
class Team:
    """One team.

    Attributes:
        id: 24 hex digits.
        name: Unique on this server.
        created_at_ms: When it was made.
    """

    id: str
    name: str
    created_at_ms: int


@dataclass(frozen=True)
class Member:
    """Somebody in a team; perhaps somebody who is still to come.

    Attributes:
        user_id: The id that the user has or will have.
        email: The address.
        role: In the team.
        created_at_ms: When the member came to the team.
    """

    user_id: str
    email: str
    role: TeamRole
    created_at_ms: int


@dataclass(frozen=True)
class ServiceAccount:
    """A user of a team whom nobody is behind.

    Attributes:
        user_id: Its id as a user.
        name: Unique in its team.
        created_at_ms: When it was made.
    """

    user_id: str
    name: str
    created_at_ms: int
