"""Trying out what the server can do with the datasources of a dataset."""

from __future__ import annotations

from typing import Any

from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action, Dataset
from lightly.server.datasources import repository
from lightly.server.datasources.models import Datasource, Side, list_purposes
from lightly.server.datasources.opening import open_store
from lightly.server.errors import ApiError, DatasourceUnknown
from lightly.server.platform import PlatformState

_READING = ("canList", "canRead")
_WRITING = ("canWrite", "canOverwrite")


def verify_datasources(platform: PlatformState, caller: User, dataset_id: str) -> dict[str, Any]:
    """Return the contract's `DatasourceConfigVerifyData`.

    Both sides must be listed and read; writing is for the LIGHTLY side alone, so that raw data is
    never touched. What was written for the trial is removed again.

    Raises:
        DatasourceUnknown: If the dataset has no datasource.
    """
    with platform.database.read() as connection:
        # Trying means writing.
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        found = repository.list_datasources(connection, dataset.key)
    if not found:
        raise DatasourceUnknown
    by_purpose = {datasource.purpose: datasource for datasource in found}
    errors: dict[str, str] = {}
    for side in Side:
        purposes = [purpose.value for purpose in list_purposes(side)]
        datasource = next((by_purpose[one] for one in purposes if one in by_purpose), None)
        for name, text in _verify_side(platform, dataset, datasource, side).items():
            errors.setdefault(name, text)
    answer: dict[str, Any] = {name: name not in errors for name in (*_READING, *_WRITING)}
    return answer | ({"errors": errors} if errors else {})


def _verify_side(
    platform: PlatformState, dataset: Dataset, datasource: Datasource | None, side: Side
) -> dict[str, str]:
    names = _READING if side is Side.INPUT else (*_READING, *_WRITING)
    if datasource is None:
        missing = f"No datasource is configured for the {side.value} side of this dataset."
        return dict.fromkeys(names, missing)
    try:
        errors = open_store(platform, dataset, datasource, side).verify(
            is_written=names != _READING
        )
    except ApiError as error:
        return dict.fromkeys(names, str(error))
    return {name: text for name, text in errors.items() if name in names}
