"""Where the image of a sample is, for somebody who looks at it just now."""

from __future__ import annotations

from pathlib import Path

from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action
from lightly.server.datasources import sample_files
from lightly.server.platform import PlatformState
from lightly.server.samples.models import ImageKind
from lightly.server.samples.service import load_sample
from lightly.server.samples.urls import ReadType, make_image_url
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
