"""Rules of what belongs to one user."""

from __future__ import annotations

from lightly.openapi_generated.swagger_client.models.team_role import TeamRole
from lightly.server.account import repository
from lightly.server.account.repository import ApiToken
from lightly.server.auth.service import make_token
from lightly.server.auth.users import User
from lightly.server.auth.web_sessions import hash_session
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action
from lightly.server.errors import ApiTokenUnknown, BadRequest, Conflict
from lightly.server.platform import PlatformState
from lightly.server.teams.models import Team

#: More than anybody has machines; the list of them is answered whole.
MAX_TOKENS = 1_000


def list_teams(platform: PlatformState, caller: User) -> list[tuple[Team, TeamRole]]:
    """Return the teams of the caller with the caller's roles."""
    with platform.database.read() as connection:
        return repository.list_teams(connection, caller.id)


def list_tokens(
    platform: PlatformState, caller: User, session: str | None
) -> list[tuple[ApiToken, bool]]:
    """Return the caller's tokens, each with whether the present session was begun with it.

    Args:
        platform: The server.
        caller: Who asks.
        session: The secret of the session that asks; None when a token asks.
    """
    with platform.database.read() as connection:
        found = repository.list_tokens(connection, caller.id)
        used = session and repository.find_token_hash_of_session(
            connection, hash_session(platform, session)
        )
    return [(token, token.hash == used) for token in found]


def create_token(platform: PlatformState, caller: User, name: str) -> tuple[str, str]:
    """Return the id and the text of a new token; this is the only time that it is known.

    Raises:
        BadRequest: If there are too many.
    """
    token = make_token()
    token_hash = platform.keys.hash_token(token)
    with platform.database.write() as connection:
        if len(repository.list_tokens(connection, caller.id)) >= MAX_TOKENS:
            raise BadRequest(f"There are {MAX_TOKENS} tokens already. Revoke those not in use.")
        repository.insert_token(connection, token_hash, caller.id, name, platform.clock.now_ms())
    return token_hash[:24], token


def delete_token(platform: PlatformState, caller: User, token_id: str) -> None:
    """Revoke a token, which acts at once; sessions that were begun with it end.

    Raises:
        ApiTokenUnknown: If the caller has no such token.
        Conflict: If it is the only one: nobody could sign in any more.
    """
    with platform.database.write() as connection:
        repository.hold_user(connection, caller.id)
        found = repository.list_tokens(connection, caller.id)
        token = next((one for one in found if one.id == token_id), None)
        if token is None:
            raise ApiTokenUnknown
        if len(found) == 1:
            raise Conflict("This is the only token. Make another one first, or nobody gets in.")
        repository.delete_token(connection, token.hash)
    platform.token_cache.forget_user(caller.id)


def list_favourites(platform: PlatformState, caller: User) -> list[str]:
    """Return the ids of the datasets that the caller marked."""
    with platform.database.read() as connection:
        return repository.list_favourites(connection, caller)


def set_favourite(
    platform: PlatformState, caller: User, dataset_id: str, *, is_favourite: bool
) -> None:
    """Mark a dataset for the caller alone, or take the mark away."""
    change = repository.insert_favourite if is_favourite else repository.delete_favourite
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        change(connection, caller.id, dataset.key)
