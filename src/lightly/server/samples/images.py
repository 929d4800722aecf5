"""Where the image of a sample is, or its video, for somebody who looks at it just now."""

from __future__ import annotations

from pathlib import Path

import orjson

from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action
from lightly.server.datasources import sample_files
from lightly.server.errors import ImageUnknown
from lightly.server.platform import PlatformState
from lightly.server.samples.models import ImageKind
from lightly.server.samples.service import load_sample
from lightly.server.samples.urls import REDIRECT_TTL_S, ReadType, make_image_url
from lightly.server.storage.blobs import make_sample_key
from lightly.server.storage.local import LocalBlobStore


def find_image(
    platform: PlatformState, caller: User, dataset_id: str, sample_id: str, type_: ReadType
) -> Path | str:
    """Return the file with a sample's image, or a URL that leads to it for a while.

    As everywhere, a thumbnail that there is none of is answered with the image.

    Raises:
        ImageUnknown: If there is no image.
        ThumbnailUnknown: If there is neither thumbnail nor image.
    """
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        sample = load_sample(connection, dataset, sample_id)
        sources = sample_files.find_sources(connection, dataset)
    kinds: tuple[ImageKind, ...] = ("full",) if type_ == "full" else ("thumb", "full")
    if isinstance(platform.blobs, LocalBlobStore):
        for kind in kinds:
            path = platform.blobs.path_of(make_sample_key(dataset.id, sample.id, kind))
            if path.is_file():
                return path
    if type_ == "full" or sample_files.name_thumbnail(sample, sources) is None:
        file = sample_files.find_image_path(platform, sources, sample_files.name_image(sample))
        if file is not None:
            return file
    return make_image_url(platform, dataset, sample, sources, type_)


def find_video(
    platform: PlatformState, caller: User, dataset_id: str, sample_id: str
) -> Path | str:
    """Return the file of the video that a sample is a frame of, or a URL that leads to it.

    Raises:
        ImageUnknown: If the sample is no frame, or its video lies nowhere that the server knows.
    """
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        sample = load_sample(connection, dataset, sample_id)
        sources = sample_files.find_sources(connection, dataset)
    frame = orjson.loads(sample.video_frame_json or "{}")
    name = frame.get("sourceVideo")
    if not name:
        raise ImageUnknown("This sample is no frame of a video.")
    file = sample_files.find_image_path(platform, sources, name)
    if file is not None:
        return file
    url = sample_files.find_image_url(platform, dataset, sources, name, REDIRECT_TTL_S)
    if url is None:
        raise ImageUnknown("The video of this frame lies nowhere that the server can read.")
    return url
