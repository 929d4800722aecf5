"""From a dataset's datasource to the store behind it.

A provider of object stores joins by an entry in `_OPENERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from obstore.exceptions import BaseError

from lightly.server.datasets.models import Dataset
from lightly.server.datasources.buckets.azure import open_azure_store
from lightly.server.datasources.buckets.gcs import open_gcs_store
from lightly.server.datasources.buckets.roles import open_role_store
from lightly.server.datasources.buckets.s3 import open_obs_store, open_s3_store
from lightly.server.datasources.buckets.store import BucketStore
from lightly.server.datasources.file_urls import make_file_url_base, sign_file
from lightly.server.datasources.models import Datasource, Purpose, Side
from lightly.server.datasources.mount_store import MountStore
from lightly.server.datasources.platform_store import PlatformFileStore, PlatformInputStore
from lightly.server.datasources.service import read_secrets
from lightly.server.datasources.stores import FileStore
from lightly.server.errors import DatasourceUnreachable
from lightly.server.platform import PlatformState
from lightly.server.secrets.sealing import SecretUnreadable
from lightly.server.settings import Settings


def open_store(
    platform: PlatformState, dataset: Dataset, datasource: Datasource, side: Side
) -> FileStore:
    """Return one side of a datasource, ready to be used.

    Raises:
        DatasourceUnreachable: If the server lacks what the datasource needs.
    """
    return _OPENERS[datasource.type](platform, dataset, datasource, side)


def open_mount_store(platform: PlatformState, datasource: Datasource, side: Side) -> MountStore:
    """Return one side of a LOCAL datasource.

    Raises:
        DatasourceUnreachable: If the server has no mount for it.
    """
    mount, is_writable = _choose_mount(platform, datasource, side)
    if mount is None:
        raise DatasourceUnreachable(_describe_missing_mount(side))

    def sign(name: str, method: str, expires_at_s: int) -> str:
        return sign_file(platform.keys, datasource, name, method, expires_at_s)

    base_url = make_file_url_base(platform.settings, datasource.id)
    return MountStore(mount, datasource.full_path, base_url, sign, is_writable=is_writable)


def open_bucket_store(platform: PlatformState, datasource: Datasource) -> BucketStore:
    """Return the store of a datasource in a bucket.

    Raises:
        DatasourceUnreachable: If its configuration leads nowhere.
    """
    revision = (datasource.id, datasource.last_modified_at_ms, datasource.sealed_secrets)

    def make() -> BucketStore:
        try:
            secrets = read_secrets(platform, datasource)
        except SecretUnreadable as error:
            raise DatasourceUnreachable(
                "The stored credentials of this datasource cannot be opened any more: the key "
                "they were sealed with is gone. Send the configuration again."
            ) from error
        try:
            return _BUCKETS[datasource.type](platform.settings, datasource, secrets)
        except (BaseError, ValueError, TypeError):
            # The library's text may repeat what it cannot read.
            raise DatasourceUnreachable(
                "The credentials of this datasource do not have the form that its store takes. "
                "Send the configuration again."
            ) from None

    return platform.stores.get(revision, make)


def has_mount(platform: PlatformState, datasource: Datasource, side: Side) -> bool:
    """Tell whether the server itself can read one side of a LOCAL datasource."""
    return _choose_mount(platform, datasource, side)[0] is not None


def can_open(platform: PlatformState, datasource: Datasource, side: Side) -> bool:
    """Tell whether the server itself can look into one side of a datasource, by its settings."""
    return datasource.type != "LOCAL" or has_mount(platform, datasource, side)


def _choose_mount(
    platform: PlatformState, datasource: Datasource, side: Side
) -> tuple[Path | None, bool]:
    """Return the folder that a side lies in and whether it is there to be written to.

    With one datasource for everything and only one mount, both sides lie in that one.
    """
    settings = platform.settings
    mounts = {Side.INPUT: settings.input_mount, Side.LIGHTLY: settings.lightly_mount}
    chosen = mounts.pop(side)
    if not chosen and datasource.purpose == Purpose.INPUT_OUTPUT.value:
        (other,) = mounts.values()
        return (Path(other) if other else None), False
    return (Path(chosen) if chosen else None), side is Side.LIGHTLY


def _describe_missing_mount(side: Side) -> str:
    flag = "--input-mount" if side is Side.INPUT else "--lightly-mount"
    return (
        f"The server was started without {flag}, so it cannot see the files of this LOCAL "
        f"datasource. Start it with {flag}, or leave the files to a worker that has the mounts."
    )


def _open_local(
    platform: PlatformState,
    dataset: Dataset,  # noqa: ARG001  the interface of all openers
    datasource: Datasource,
    side: Side,
) -> FileStore:
    return open_mount_store(platform, datasource, side)


def _open_lightly(
    platform: PlatformState,
    dataset: Dataset,
    datasource: Datasource,  # noqa: ARG001  the interface of all openers
    side: Side,
) -> FileStore:
    if side is Side.INPUT:
        return PlatformInputStore(platform, dataset)
    return PlatformFileStore(platform, dataset)


def _open_bucket(
    platform: PlatformState,
    dataset: Dataset,  # noqa: ARG001  the interface of all openers
    datasource: Datasource,
    side: Side,  # noqa: ARG001  both lie below the same path
) -> FileStore:
    return open_bucket_store(platform, datasource)


_BUCKETS: dict[str, Callable[[Settings, Datasource, Mapping[str, str]], BucketStore]] = {
    "S3": open_s3_store,
    "S3DelegatedAccess": open_role_store,
    "GCS": open_gcs_store,
    "AZURE": open_azure_store,
    "OBS": open_obs_store,
}
_OPENERS: dict[str, Callable[[PlatformState, Dataset, Datasource, Side], FileStore]] = {
    "LOCAL": _open_local,
    "LIGHTLY": _open_lightly,
    **dict.fromkeys(_BUCKETS, _open_bucket),
}
