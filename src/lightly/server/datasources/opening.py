"""From a dataset's datasource to the store behind it.

A provider of object stores joins by an entry in `_OPENERS`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lightly.server.datasets.models import Dataset
from lightly.server.datasources.file_urls import make_file_url_base, sign_file
from lightly.server.datasources.models import Datasource, Purpose, Side
from lightly.server.datasources.mount_store import MountStore
from lightly.server.datasources.platform_store import PlatformFileStore, PlatformInputStore
from lightly.server.datasources.stores import FileStore
from lightly.server.errors import DatasourceNotServed, DatasourceUnreachable
from lightly.server.platform import PlatformState


def open_store(
    platform: PlatformState, dataset: Dataset, datasource: Datasource, side: Side
) -> FileStore:
    """Return one side of a datasource, ready to be used.

    Raises:
        DatasourceNotServed: If the server does not connect to datasources of this type.
        DatasourceUnreachable: If the server lacks what the datasource needs.
    """
    opener = _OPENERS.get(datasource.type)
    if opener is None:
        raise DatasourceNotServed(describe_not_served(datasource.type))
    return opener(platform, dataset, datasource, side)


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


def has_mount(platform: PlatformState, datasource: Datasource, side: Side) -> bool:
    """Tell whether the server itself can read one side of a LOCAL datasource."""
    return _choose_mount(platform, datasource, side)[0] is not None


def can_open(platform: PlatformState, datasource: Datasource, side: Side) -> bool:
    """Tell whether the server itself can look into one side of a datasource."""
    if datasource.type == "LOCAL":
        return has_mount(platform, datasource, side)
    return datasource.type in _OPENERS


def describe_not_served(type_: str) -> str:
    """Return why a datasource of a type cannot be used, and what helps."""
    return (
        f"This server does not connect to datasources of type {type_} yet: the configuration is "
        "kept, but its files cannot be listed or read through the server. Use a datasource of type "
        "LOCAL or LIGHTLY meanwhile."
    )


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


_OPENERS: dict[str, Callable[[PlatformState, Dataset, Datasource, Side], FileStore]] = {
    "LOCAL": _open_local,
    "LIGHTLY": _open_lightly,
}
