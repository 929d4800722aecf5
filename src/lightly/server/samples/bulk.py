"""Many samples in one request. Each operation is all or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import sqlalchemy as sa

from lightly._kit.bitmask import count_bytes, format_bitmask
from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action, Dataset
from lightly.server.datasets.repository import update_dataset
from lightly.server.errors import ApiError, SampleUnknown
from lightly.server.http.requests import MAX_SHOWN_VALUE
from lightly.server.platform import PlatformState
from lightly.server.samples import repository
from lightly.server.samples.bulk_requests import (
    MAX_ITEMS,
    CustomMetadataBulkRequest,
    CustomMetadataItem,
    SampleReference,
    SampleWriteUrlsRequest,
    decode_bulk,
    parse_bulk,
)
from lightly.server.samples.contents import read_new_samples, write_custom_metadata
from lightly.server.samples.models import ImageKind
from lightly.server.samples.service import register_samples
from lightly.server.samples.urls import sign_write_url
from lightly.server.storage.blobs import make_sample_prefix


def create_samples(
    platform: PlatformState, caller: User, dataset_id: str, body: bytes
) -> list[str]:
    """Register the samples of a `SampleBulkRequest`; return their ids in the same order."""
    content = decode_bulk(body, "samples")
    new_samples = read_new_samples(content, platform.settings.max_custom_metadata_bytes)
    return register_samples(platform, caller, dataset_id, new_samples)


def make_write_urls(
    platform: PlatformState, caller: User, dataset_id: str, body: bytes
) -> list[dict[str, str]]:
    """Return the URLs to upload to for each sample of a `SampleWriteUrlsRequest`, in its order.

    Raises:
        SampleUnknown: If a sample is not in the dataset.
    """
    request = parse_bulk(SampleWriteUrlsRequest, body, "sampleIds")
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        found = repository.find_by_ids(connection, dataset.key, request.sample_ids)
    known = {sample_id for _, sample_id, _ in found}
    for number, sample_id in enumerate(request.sample_ids):
        if sample_id not in known:
            raise SampleUnknown(f"sampleIds.{number}: {sample_id} is no sample of this dataset.")
    return [
        {kind: sign_write_url(platform, dataset_id, sample_id, kind) for kind in request.kinds}
        for sample_id in request.sample_ids
    ]


def update_custom_metadata(
    platform: PlatformState, caller: User, dataset_id: str, body: bytes
) -> None:
    """Replace the custom metadata of the samples of a `CustomMetadataBulkRequest`.

    A sample that is named twice ends with the later value, as if the items came one by one.

    Raises:
        SampleUnknown: If a sample is not in the dataset; then none is changed.
    """
    items = parse_bulk(CustomMetadataBulkRequest, body, "items").items
    texts = list(_write_texts(items, platform.settings.max_custom_metadata_bytes))
    now_ms = platform.clock.now_ms()
    with platform.database.write() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.WRITE)
        repository.lock_counts(connection, dataset.key)
        indices = find_indices(connection, dataset, items)
        if indices:
            changes = dict(zip(indices, texts, strict=True))
            repository.update_custom_metadata(connection, dataset.key, changes, now_ms)
            update_dataset(connection, dataset.key, now_ms)


def _write_texts(items: list[CustomMetadataItem], max_size_bytes: int) -> Iterator[str | None]:
    for number, item in enumerate(items):
        try:
            yield write_custom_metadata(item.custom_meta_data, max_size_bytes)
        except ApiError as error:
            raise type(error)(f"items.{number}.{error}") from error


def find_indices(
    connection: sa.Connection, dataset: Dataset, items: Sequence[SampleReference]
) -> list[int]:
    """Return the indices of samples of a dataset that was loaded for the caller, in their order.

    Raises:
        SampleUnknown: If one of them is not in the dataset.
    """
    ids = [item.id for item in items if item.id is not None]
    # No name has a NUL in it, and PostgreSQL refuses to compare with one.
    names = [item.file_name for item in items if item.file_name and "\0" not in item.file_name]
    by_id = {id_: idx for idx, id_, _ in repository.find_by_ids(connection, dataset.key, ids)}
    found = repository.find_by_file_names(connection, dataset.key, names)
    by_name = {name: idx for idx, _, name in found}
    indices = []
    for number, item in enumerate(items):
        idx = by_name.get(item.file_name or "") if item.id is None else by_id.get(item.id)
        if idx is None:
            shown = ascii(item.id or item.file_name)[:MAX_SHOWN_VALUE]
            raise SampleUnknown(f"items.{number}: {shown} is no sample of this dataset.")
        indices.append(idx)
    return indices


def find_stored(
    platform: PlatformState, caller: User, dataset_id: str, kind: ImageKind
) -> tuple[str, int]:
    """Return which samples have their image or thumbnail in the blob store.

    The store itself is asked, so that nothing but bytes that are there counts as uploaded.

    Returns:
        A bit mask by sample index as on the wire, and the number of samples.
    """
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
    mask = bytearray(count_bytes(dataset.n_samples))
    keys = platform.blobs.list_keys(make_sample_prefix(dataset_id, kind))
    for ids in _split(key.rpartition("/")[2] for key in keys):
        with platform.database.read() as connection:
            found = repository.find_by_ids(connection, dataset.key, ids)
        for idx, _, _ in found:
            # Samples that came since the number was read are left to the next call.
            if idx < dataset.n_samples:
                mask[idx >> 3] |= 1 << (idx & 7)
    return format_bitmask(bytes(mask)), dataset.n_samples


def _split(ids: Iterable[str]) -> Iterator[list[str]]:
    remaining = iter(ids)
    while piece := list(islice(remaining, MAX_ITEMS)):
        yield piece
