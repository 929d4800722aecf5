"""Rules of samples, one at a time. Many at a time: `bulk`."""

from __future__ import annotations

import orjson
import sqlalchemy as sa

from lightly.server.auth.quotas import find_max_dataset_size
from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action, Dataset
from lightly.server.datasets.repository import update_dataset
from lightly.server.errors import DatasetAtMaxCapacity, SampleNameExists, SampleUnknown
from lightly.server.http.requests import decode_json
from lightly.server.platform import PlatformState
from lightly.server.samples import repository
from lightly.server.samples.contents import (
    MAX_SIZE_BYTES,
    SampleChanges,
    read_new_sample,
    read_sample_changes,
)
from lightly.server.samples.crops import check_crops
from lightly.server.samples.models import NewSample, Sample


def create_sample(platform: PlatformState, caller: User, dataset_id: str, body: bytes) -> str:
    """Register one sample and return its id.

    A file name is registered once: the same request again, or at the same time, gets the same id
    and changes nothing, because clients repeat requests whose answer they did not see.
    """
    sample = read_new_sample(decode_json(body), platform.settings.max_custom_metadata_bytes)
    return register_samples(platform, caller, dataset_id, [sample])[0]


def register_samples(
    platform: PlatformState, caller: User, dataset_id: str, new_samples: list[NewSample]
) -> list[str]:
    """Register samples in one transaction and return their ids in the same order.

    Names that the dataset has already, and names given twice, get the id that they have.

    Raises:
        DatasetUnknown: If the dataset is not there for this caller.
        DatasetAtMaxCapacity: If the dataset cannot hold all of them; then none is added.
        CropDataInvalid: If one is a crop of no sample of the dataset's parent.
    """
    now_ms = platform.clock.now_ms()
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        n_samples, size_bytes = repository.lock_counts(connection, dataset.key)
        ids = _find_registered(connection, dataset, new_samples, n_samples)
        missing = [new for new in _without_repeats(new_samples) if new.file_name not in ids]
        if missing:
            limit = find_max_dataset_size(connection, platform.settings, dataset.user_id)
            _check_room(n_samples, len(missing), limit)
            check_crops(connection, caller, dataset, missing)
            added = repository.append_samples(connection, dataset.key, n_samples, missing, now_ms)
            ids |= {new.file_name: id_ for new, id_ in zip(missing, added, strict=True)}
            size_bytes += sum(new.contents.size_bytes for new in missing)
            repository.update_counts(
                connection,
                dataset.key,
                now_ms,
                n_samples=n_samples + len(missing),
                size_bytes=min(size_bytes, MAX_SIZE_BYTES),
            )
    return [ids[new.file_name] for new in new_samples]


def _check_room(n_samples: int, n_missing: int, limit: int) -> None:
    if n_samples + n_missing > limit:
        raise DatasetAtMaxCapacity(
            f"The dataset has {n_samples} samples and may have at most {limit}; "
            f"{n_missing} more do not fit."
        )


def _find_registered(
    connection: sa.Connection, dataset: Dataset, new_samples: list[NewSample], n_samples: int
) -> dict[str, str]:
    if n_samples == 0:
        return {}
    names = [new.file_name for new in new_samples]
    found = repository.find_by_file_names(connection, dataset.key, names)
    return {file_name: sample_id for _, sample_id, file_name in found}


def _without_repeats(new_samples: list[NewSample]) -> list[NewSample]:
    first_by_name: dict[str, NewSample] = {}
    for new in new_samples:
        first_by_name.setdefault(new.file_name, new)
    return list(first_by_name.values())


def get_sample(
    platform: PlatformState, caller: User, dataset_id: str, sample_id: str
) -> tuple[Dataset, Sample]:
    """Return one sample and its dataset."""
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        return dataset, load_sample(connection, dataset, sample_id)


def load_sample(connection: sa.Connection, dataset: Dataset, sample_id: str) -> Sample:
    """Return a sample of a dataset that was loaded for the caller.

    Raises:
        SampleUnknown: If the dataset has no such sample, whatever other datasets have.
    """
    sample = repository.find_sample(connection, dataset.key, sample_id)
    if sample is None:
        raise SampleUnknown
    return sample


def update_sample(
    platform: PlatformState,
    caller: User,
    dataset_id: str,
    sample_id: str,
    body: bytes,
    *,
    touches_dataset: bool,
) -> None:
    """Change the fields that are given; a null clears custom metadata.

    Args:
        platform: The server.
        caller: Who asks.
        dataset_id: The dataset.
        sample_id: The sample.
        body: A `SampleUpdateRequest` as JSON.
        touches_dataset: Note the change in the dataset's `lastModifiedAt` too.

    Raises:
        SampleNameExists: If another sample has the new file name.
    """
    changes = read_sample_changes(decode_json(body), platform.settings.max_custom_metadata_bytes)
    now_ms = platform.clock.now_ms()
    try:
        with platform.database.write() as connection:
            dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
            # Always the dataset before its samples: writers that lock in one order cannot wait
            # for each other in a circle.
            _, size_bytes = repository.lock_counts(connection, dataset.key)
            sample = load_sample(connection, dataset, sample_id)
            _apply_changes(connection, dataset, sample, changes, now_ms)
            if changes.size_bytes is not None:
                size_bytes += changes.size_bytes - _read_size(sample)
                size_bytes = min(max(size_bytes, 0), MAX_SIZE_BYTES)
                repository.update_size(connection, dataset.key, size_bytes)
            if touches_dataset:
                update_dataset(connection, dataset.key, now_ms)
    except sa.exc.IntegrityError as error:
        raise SampleNameExists from error


def _apply_changes(
    connection: sa.Connection, dataset: Dataset, sample: Sample, changes: SampleChanges, now_ms: int
) -> None:
    if changes.file_name is not None:
        repository.rename_sample(connection, dataset.key, sample.idx, changes.file_name)
    if changes.contents or changes.file_name is not None:
        repository.update_contents(connection, dataset.key, sample.idx, now_ms, **changes.contents)


def _read_size(sample: Sample) -> int:
    size_bytes: int = orjson.loads(sample.metadata_json or "{}").get("sizeInBytes", 0)
    return size_bytes
