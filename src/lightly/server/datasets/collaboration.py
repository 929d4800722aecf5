"""Rules of sharing a dataset with people and teams."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from lightly._kit.ids import is_id
from lightly.server.auth.addresses import normalise_address
from lightly.server.auth.users import User
from lightly.server.datasets import repository, shares
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action, Dataset
from lightly.server.datasets.shares import Share
from lightly.server.errors import AccessConfigUnknown, MalformedRequest, TeamUnknown
from lightly.server.platform import PlatformState
from lightly.server.teams.service import load_team

#: Most people, and most teams, in one configuration: the list is answered and replaced whole.
MAX_SHARED = 1_000


def list_access(
    platform: PlatformState, caller: User, dataset_id: str
) -> tuple[Dataset, list[Share]]:
    """Return a dataset and with whom it is shared."""
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        return dataset, shares.list_shares(connection, dataset.key)


def replace_access(
    platform: PlatformState,
    caller: User,
    dataset_id: str,
    *,
    access_type: str,
    emails: Iterable[str],
    team_ids: Iterable[str],
) -> str:
    """Share a dataset with these people and teams and nobody else; return the configuration's id.

    Whether there is a user of an address shows in nothing: what is shared with somebody who is
    still to come, is there when they come.

    Raises:
        MalformedRequest: If an address is none, or there are too many.
        TeamUnknown: If the caller is not in one of the teams.
    """
    addresses = _read_addresses(list(emails))
    wanted_teams = list(dict.fromkeys(team_ids))
    _check_count("teams", len(wanted_teams))
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.SHARE)
        # Of two who replace the list at the same time, one waits for the other.
        repository.lock_dataset(connection, dataset.key)
        _check_teams(connection, caller, wanted_teams)
        return shares.put_share(
            connection,
            dataset.key,
            access_type,
            addresses,
            wanted_teams,
            platform.clock.now_ms(),
        )


def delete_access(
    platform: PlatformState, caller: User, dataset_id: str, access_config_id: str
) -> None:
    """Share a dataset with nobody of a configuration any more, which acts at once.

    Raises:
        AccessConfigUnknown: If the dataset has no such configuration.
    """
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.SHARE)
        if not shares.delete_share(connection, dataset.key, access_config_id):
            raise AccessConfigUnknown


def _read_addresses(emails: list[str]) -> dict[str, str]:
    """Return normal addresses, each with the address as it was given first."""
    _check_count("users", len(emails))
    addresses: dict[str, str] = {}
    for position, email in enumerate(emails):
        normal = normalise_address(email)
        if normal is None:
            raise MalformedRequest(f"users.{position} (body): This is not an e-mail address.")
        addresses.setdefault(normal, email)
    return addresses


def _check_count(name: str, count: int) -> None:
    if count > MAX_SHARED:
        raise MalformedRequest(
            f"{name} (body): A dataset can be shared with at most {MAX_SHARED} {name}."
        )


def _check_teams(connection: sa.Connection, caller: User, team_ids: list[str]) -> None:
    for team_id in team_ids:
        if not is_id(team_id):
            raise TeamUnknown
        load_team(connection, caller, team_id)
