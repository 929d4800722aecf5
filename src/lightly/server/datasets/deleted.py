"""Deleted datasets: listed and brought back by the operator while their time is not over."""

from __future__ import annotations

import re
from dataclasses import dataclass

import sqlalchemy as sa

from lightly._kit.clock import Clock
from lightly._kit.errors import BadInput
from lightly.server.db.engine import Database
from lightly.server.db.tables import datasets, users

#: Instead of the moment of deletion: the purge has begun, and there is no way back.
PURGING = 0
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9 _-]{2,254}")


@dataclass(frozen=True)
class DeletedDataset:
    """A dataset that can still come back.

    Attributes:
        id: 24 hex digits.
        name: Its name.
        owner_email: Whose it was.
        n_samples: How many samples it has.
        deleted_at_ms: When it was deleted.
    """

    id: str
    name: str
    owner_email: str
    n_samples: int
    deleted_at_ms: int


def list_deleted(database: Database) -> list[DeletedDataset]:
    """Return the deleted datasets that can come back, the latest first."""
    query = (
        sa.select(
            datasets.c.id,
            datasets.c.name,
            users.c.email.label("owner_email"),
            datasets.c.n_samples,
            datasets.c.deleted_at_ms,
        )
        .join(users, users.c.id == datasets.c.user_id)
        .where(datasets.c.deleted_at_ms > PURGING)
        .order_by(datasets.c.deleted_at_ms.desc(), datasets.c.key)
    )
    with database.read() as connection:
        rows = connection.execute(query)
        return [DeletedDataset(**row._mapping) for row in rows]  # noqa: SLF001  the documented name


def restore_dataset(
    database: Database, clock: Clock, dataset_id: str, *, name: str | None = None
) -> None:
    """Bring a deleted dataset back, with everything in it.

    Args:
        database: Where datasets live.
        clock: The time.
        dataset_id: The dataset.
        name: A new name, for when the owner has used the old one again.

    Raises:
        BadInput: If there is no such deleted dataset, its purge has begun, or its name is taken.
    """
    changes: dict[str, object] = {"deleted_at_ms": None, "last_modified_at_ms": clock.now_ms()}
    if name is not None:
        if _NAME.fullmatch(name) is None:
            raise BadInput(f"A dataset cannot be called {ascii(name)[:80]}.")
        changes["name"] = name
    try:
        with database.write() as connection:
            restored = connection.execute(
                sa.update(datasets)
                .where(datasets.c.id == dataset_id, datasets.c.deleted_at_ms > PURGING)
                .values(**changes)
            )
    except sa.exc.IntegrityError as error:
        raise BadInput(
            "The owner has another dataset of this name by now. Give --name NEW_NAME."
        ) from error
    if not restored.rowcount:
        raise BadInput(
            f"There is no deleted dataset {ascii(dataset_id)[:40]} that can be restored. "
            "See `lightly admin dataset list-deleted`."
        )
