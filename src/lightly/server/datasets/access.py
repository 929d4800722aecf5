"""The one way to a dataset: loaded for this caller and this action, or not at all."""

from __future__ import annotations

import sqlalchemy as sa

from lightly.server.auth.users import User
from lightly.server.datasets import repository
from lightly.server.datasets.models import Action, Dataset
from lightly.server.errors import DatasetUnknown


def load_dataset(
    connection: sa.Connection,
    caller: User,
    dataset_id: str,
    action: Action,  # noqa: ARG001  the owner may do everything; shared roles look at it
) -> Dataset:
    """Return the dataset if `caller` may do `action` with it.

    Raises:
        DatasetUnknown: If it does not exist or is not the caller's; the two look the same.
    """
    dataset = repository.find_dataset(connection, dataset_id)
    if dataset is None or dataset.user_id != caller.id:
        raise DatasetUnknown
    return dataset
