"""The one way to a dataset: loaded for this caller and this action, or not at all."""

from __future__ import annotations

import sqlalchemy as sa

from lightly.server.auth.users import User
from lightly.server.datasets import repository
from lightly.server.datasets.models import ACTIONS_OF_USERS, Action, Dataset
from lightly.server.db.tables import datasets
from lightly.server.errors import DatasetUnknown, Forbidden
from lightly.server.teams.models import Rights


def load_dataset(
    connection: sa.Connection, caller: User, dataset_id: str, action: Action
) -> Dataset:
    """Return the dataset if `caller` may do `action` with it.

    Its owner may do everything, and so may owners and administrators of a team that it belongs to.
    Other members of such a team, and those with whom it is shared, may read and write. Rights are
    looked up each time, so that taking them away acts at once.

    Args:
        connection: An open transaction.
        caller: Who asks.
        dataset_id: The dataset.
        action: What is to be done with it.

    Raises:
        DatasetUnknown: If it does not exist or is not there for the caller; the two look the same.
        Forbidden: If the caller can see it but may not do this.
    """
    found = repository.find_dataset_for(connection, caller, dataset_id)
    if found is None or found[1] is None:
        raise DatasetUnknown
    dataset, rights = found
    if rights is not Rights.FULL and action not in ACTIONS_OF_USERS:
        raise Forbidden(_REASONS[action])
    return dataset


def is_lost(caller: User, dataset_id: sa.ColumnElement[str | None]) -> sa.ColumnElement[bool]:
    """Return the condition that a dataset is there, but not for the caller any more.

    For what somebody made in a dataset and keeps seeing outside of it.
    """
    return sa.exists().where(
        datasets.c.id == dataset_id,
        datasets.c.deleted_at_ms.is_(None),
        repository.rights_in(caller).is_(None),
    )


_REASONS = {
    Action.DELETE: "Only the owner of a dataset, or who administers its team, may delete it.",
    Action.SHARE: "Only the owner of a dataset, or who administers its team, may share it.",
    Action.USE_SECRETS: (
        "Only the owner of a dataset, or who administers its team, may see or change where its "
        "images come from."
    ),
}
