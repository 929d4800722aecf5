"""Where the images of samples lie in a datasource."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from lightly.data.datasource_files.names import name_thumbnail as fill_thumb_name
from lightly.server.datasets.models import Dataset
from lightly.server.datasets.repository import find_dataset
from lightly.server.datasources import repository
from lightly.server.datasources.models import (
    LIGHTLY_FOLDER,
    Datasource,
    Side,
    find_side,
    list_purposes,
)
from lightly.server.datasources.opening import has_mount, open_mount_store, open_store
from lightly.server.datasources.read_urls import sign_url
from lightly.server.errors import FileUnknown, MalformedRequest
from lightly.server.platform import PlatformState
from lightly.server.samples.models import Sample, SampleIdentity

#: Where files of a LOCAL datasource are served to browsers unless it says so itself.
DEFAULT_WEB_SERVER = "http://localhost:3456"
#: Samples that were made from raw files lie beside what else the platform makes.
_FOLDERS = {"VIDEO_FRAME": f"{LIGHTLY_FOLDER}frames/", "CROP": f"{LIGHTLY_FOLDER}crops/"}

_CROPS = "Crops"

Sources = dict[Side, Datasource]


def find_sources(connection: sa.Connection, dataset: Dataset) -> Sources:
    """Return the datasource of each side; none for sides whose images the server keeps itself.

    Crops lie beside the images that they were cut from, so a crop dataset without a datasource has
    that of its parent.
    """
    sources = _find_own_sources(connection, dataset)
    if not sources and dataset.type == _CROPS and dataset.parent_dataset_id is not None:
        parent = find_dataset(connection, dataset.parent_dataset_id)
        # Of the same owner only: a child must not open what its own owner may lose the right to.
        # And the written side only: whoever sees the crops does not see the raw images.
        if parent is not None and parent.user_id == dataset.user_id:
            found = _find_own_sources(connection, parent)
            sources = {side: one for side, one in found.items() if side is Side.LIGHTLY}
    return {side: one for side, one in sources.items() if one.type != "LIGHTLY"}


def _find_own_sources(connection: sa.Connection, dataset: Dataset) -> Sources:
    found = {one.purpose: one for one in repository.list_datasources(connection, dataset.key)}
    sources: Sources = {}
    for side in Side:
        for purpose in list_purposes(side):
            datasource = found.get(purpose.value)
            if datasource is not None and side not in sources:
                sources[side] = datasource
    return sources


def name_image(sample: Sample | SampleIdentity) -> str:
    """Return the name of a sample's image, relative to the datasource."""
    return _FOLDERS.get(sample.type, "") + sample.file_name


def name_thumbnail(sample: Sample, sources: Sources) -> str | None:
    """Return the name of a sample's thumbnail; None when there are none."""
    for side in Side:
        suffix = sources[side].settings.get("thumbSuffix") if side in sources else None
        if suffix:
            return fill_thumb_name(sample.file_name, suffix)
    return None


def find_image_url(
    platform: PlatformState,
    dataset: Dataset,
    sources: Sources,
    name: str,
    ttl_s: int,
    *,
    redirect: Callable[[], str] | None = None,
    is_optional: bool = False,
) -> str | None:
    """Return a URL to a file of a datasource.

    Args:
        platform: The server.
        dataset: Loaded for the caller.
        sources: Of the dataset.
        name: Of the file.
        ttl_s: How long the URL works.
        redirect: Makes a redirected URL, for stores whose own are not handed out; None where the
            target of one is asked for.
        is_optional: Return None when it is known that there is no such file.
    """
    side = find_side(name)
    datasource = sources.get(side)
    if datasource is None:
        return None
    if datasource.type == "LOCAL" and not has_mount(platform, datasource, side):
        return make_web_server_url(datasource, name)
    store = open_store(platform, dataset, datasource, side)
    if is_optional and store.find_version(name) is None:
        return None
    if redirect is not None and store.is_redirected:
        return redirect()
    return sign_url(platform, store, name, ttl_s)


def find_image_path(platform: PlatformState, sources: Sources, name: str) -> Path | None:
    """Return where an image lies in a folder that the server itself reads, None if in none."""
    side = find_side(name)
    datasource = sources.get(side)
    if datasource is None or datasource.type != "LOCAL":
        return None
    if not has_mount(platform, datasource, side):
        return None
    try:
        return open_mount_store(platform, datasource, side).find_path(name)
    except (FileUnknown, MalformedRequest):
        return None


def make_web_server_url(datasource: Datasource, name: str) -> str:
    """Return where the user's own file server has a file. Nobody but browsers ever asks there."""
    location = datasource.settings.get("webServerLocation", DEFAULT_WEB_SERVER).rstrip("/")
    parts = [part for part in (datasource.full_path, name) if part]
    return f"{location}/{quote('/'.join(parts))}"
