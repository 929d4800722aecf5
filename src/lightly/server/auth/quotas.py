"""How much one user may have."""

from __future__ import annotations

import sqlalchemy as sa

from lightly._kit.errors import BadInput
from lightly.server.auth.service import find_user
from lightly.server.db.engine import Database
from lightly.server.db.team_tables import user_quotas
from lightly.server.settings import Settings


def find_max_dataset_size(connection: sa.Connection, settings: Settings, user_id: str) -> int:
    """Return how many samples each dataset of a user may have.

    Args:
        connection: An open transaction.
        settings: The server's own limit counts for users without one of theirs, and for all as the
            most that there is.
        user_id: The owner of the dataset, whoever adds to it.
    """
    own: int | None = connection.execute(
        sa.select(user_quotas.c.max_dataset_size).where(user_quotas.c.user_id == user_id)
    ).scalar_one_or_none()
    limit = settings.max_dataset_size
    return limit if own is None else min(own, limit)


def set_max_dataset_size(database: Database, email: str, max_dataset_size: int | None) -> None:
    """Let each dataset of a user have at most so many samples; None: as many as the server takes.

    Datasets that have more already keep what they have.

    Raises:
        BadInput: If there is no such user, or the number is negative.
    """
    if max_dataset_size is not None and not 0 <= max_dataset_size < 2**63:
        raise BadInput(f"A dataset cannot have at most {max_dataset_size} samples.")
    with database.write() as connection:
        user = find_user(connection, email)
        connection.execute(sa.delete(user_quotas).where(user_quotas.c.user_id == user.id))
        if max_dataset_size is not None:
            row = {"user_id": user.id, "max_dataset_size": max_dataset_size}
            connection.execute(sa.insert(user_quotas).values(row))
