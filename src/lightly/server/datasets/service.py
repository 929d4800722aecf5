"""Rules of datasets."""

from __future__ import annotations

import re
from dataclasses import replace

import orjson
import sqlalchemy as sa

from lightly._kit.ids import make_id
from lightly.openapi_generated.swagger_client.models.dataset_create_request import (
    DatasetCreateRequest,
)
from lightly.openapi_generated.swagger_client.models.dataset_creator import DatasetCreator
from lightly.openapi_generated.swagger_client.models.dataset_type import DatasetType
from lightly.openapi_generated.swagger_client.models.job_status_meta import JobStatusMeta
from lightly.server.auth.users import User
from lightly.server.datasets import repository
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action, Dataset, Scope
from lightly.server.datasources.repository import list_ids, list_processed_until
from lightly.server.errors import DatasetNameExists, MalformedRequest
from lightly.server.http.parameters import Page
from lightly.server.platform import PlatformState
from lightly.server.runs.endings import cancel_runs_of_dataset
from lightly.server.runs.lease_repository import lock_leases_of_dataset

#: The contract has no limit, but the index over names does.
MAX_NAME_CHARACTERS = 255

#: Keys in one query, below what databases take.
_DATASETS_PER_QUERY = 5_000

_BEGIN_OF_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9 _-]*")


def list_datasets(platform: PlatformState, caller: User, scope: Scope, page: Page) -> list[Dataset]:
    """Return the datasets of a scope, oldest first."""
    with platform.database.read() as connection:
        found = repository.list_datasets(connection, caller, scope, page)
        return add_datasources(connection, found)


def find_datasets_by_name(
    platform: PlatformState, caller: User, scope: Scope, name: str, *, is_exact: bool, page: Page
) -> list[Dataset]:
    """Return the datasets of a scope whose name equals or starts with `name`.

    A name that no dataset can have finds nothing: a 400 here would cost clients 31 s of retries.
    """
    if _BEGIN_OF_NAME.fullmatch(name) is None:
        return []
    with platform.database.read() as connection:
        found = repository.list_datasets_by_name(
            connection, caller, scope, name, is_exact=is_exact, page=page
        )
        return add_datasources(connection, found)


def get_dataset(platform: PlatformState, caller: User, dataset_id: str) -> Dataset:
    """Return one dataset."""
    with platform.database.read() as connection:
        found = load_dataset(connection, caller, dataset_id, Action.READ)
        return add_datasources(connection, [found])[0]


def list_children(platform: PlatformState, caller: User, dataset_id: str) -> list[Dataset]:
    """Return the crops datasets of a dataset."""
    with platform.database.read() as connection:
        load_dataset(connection, caller, dataset_id, Action.READ)
        return add_datasources(connection, repository.list_children(connection, caller, dataset_id))


def add_datasources(connection: sa.Connection, found: list[Dataset]) -> list[Dataset]:
    """Return datasets with what is shown of their datasources."""
    complete: list[Dataset] = []
    for start in range(0, len(found), _DATASETS_PER_QUERY):
        piece = found[start : start + _DATASETS_PER_QUERY]
        keys = [dataset.key for dataset in piece]
        ids = list_ids(connection, keys)
        clocks = list_processed_until(connection, keys)
        complete += [
            replace(
                dataset,
                datasource_ids=tuple(ids.get(dataset.key, ())),
                processed_until_s=clocks.get(dataset.key),
            )
            for dataset in piece
        ]
    return complete


def create_dataset(platform: PlatformState, caller: User, body: DatasetCreateRequest) -> str:
    """Add an empty dataset and return its id.

    Raises:
        DatasetNameExists: If the caller already has a dataset of this name.
        DatasetUnknown: If the parent is not the caller's.
    """
    _check_name(body.name)
    dataset_id = make_id()
    try:
        with platform.database.write() as connection:
            if body.parent_dataset_id is not None:
                load_dataset(connection, caller, body.parent_dataset_id, Action.WRITE)
            repository.insert_dataset(
                connection,
                dataset_id=dataset_id,
                user_id=caller.id,
                name=body.name,
                type_=(body.type or DatasetType.IMAGES).value,
                img_type=body.img_type.value if body.img_type else None,
                creator=(body.creator or DatasetCreator.UNKNOWN).value,
                parent_dataset_id=body.parent_dataset_id,
                now_ms=platform.clock.now_ms(),
            )
    except sa.exc.IntegrityError as error:
        raise DatasetNameExists from error
    return dataset_id


def _check_name(name: str) -> None:
    if len(name) > MAX_NAME_CHARACTERS:
        raise MalformedRequest(
            f"name (body): A dataset name may have at most {MAX_NAME_CHARACTERS} characters."
        )


def rename_dataset(platform: PlatformState, caller: User, dataset_id: str, name: str) -> None:
    """Give a dataset another name."""
    _check_name(name)
    try:
        with platform.database.write() as connection:
            dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
            repository.update_dataset(connection, dataset.key, platform.clock.now_ms(), name=name)
    except sa.exc.IntegrityError as error:
        raise DatasetNameExists from error


def delete_dataset(platform: PlatformState, caller: User, dataset_id: str) -> None:
    """Hide a dataset at once; its rows and blobs are purged after a while.

    Runs on it end as ABORTED, what waits for a worker is cancelled.
    """
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.DELETE)
        # First, because workers hold their lease before they hold the dataset.
        lock_leases_of_dataset(connection, dataset.id)
        repository.mark_deleted(connection, dataset.key, platform.clock.now_ms())
        cancel_runs_of_dataset(connection, dataset.id, "The dataset was deleted.")


def register_upload(
    platform: PlatformState, caller: User, dataset_id: str, body: JobStatusMeta
) -> None:
    """Note that a client is about to upload so many samples."""
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        repository.update_dataset(
            connection,
            dataset.key,
            platform.clock.now_ms(),
            upload_json=orjson.dumps(body.to_dict(by_alias=True)).decode(),
        )
