"""The one way to workers and their configurations: loaded for this caller, or not at all."""

from __future__ import annotations

import sqlalchemy as sa

from lightly.server.auth.users import User
from lightly.server.errors import Forbidden, WorkerConfigUnknown, WorkerUnknown
from lightly.server.teams.assets import is_mate
from lightly.server.teams.models import Rights
from lightly.server.workers import repository
from lightly.server.workers.models import Worker, WorkerConfig


def load_worker(
    connection: sa.Connection, caller: User, worker_id: str, needs: Rights = Rights.USE
) -> Worker:
    """Return the worker if the caller may use it, or with `Rights.FULL` do anything with it.

    Raises:
        WorkerUnknown: If it does not exist or is somebody else's; the two look the same.
        Forbidden: If it is a team's and the caller's role there does not allow this.
    """
    found = repository.find_worker(connection, caller, worker_id)
    if found is None:
        raise WorkerUnknown
    worker, rights = found
    _check_rights(rights, needs)
    return worker


def load_config(
    connection: sa.Connection, caller: User, config_id: str, needs: Rights = Rights.USE
) -> WorkerConfig:
    """Return the configuration if the caller may use it, or with `Rights.FULL` change it.

    Raises:
        WorkerConfigUnknown: If it does not exist or is somebody else's; the two look the same.
        Forbidden: If it is a team's and the caller's role there does not allow this.
    """
    found = repository.find_config(connection, caller, config_id)
    if found is None:
        raise WorkerConfigUnknown
    config, rights = found
    _check_rights(rights, needs)
    return config


def choose_owner(connection: sa.Connection, caller: User, for_user_id: str | None) -> str:
    """Return who will own what the caller registers: the caller, or somebody of the same team.

    Raises:
        Forbidden: If that is nobody of the caller's teams, whoever it may be.
    """
    if for_user_id is None or is_mate(connection, caller, for_user_id):
        return for_user_id or caller.id
    raise Forbidden("forUserId (query): you can register for members of your own teams only.")


def _check_rights(rights: Rights, needs: Rights) -> None:
    if needs is Rights.FULL and rights is not Rights.FULL:
        raise Forbidden(
            "Only its owner and those who manage the team may change or delete it. Ask one of them."
        )
