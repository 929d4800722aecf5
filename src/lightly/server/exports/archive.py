"""The images of a tag as one ZIP file, written while it is sent."""

from __future__ import annotations

import functools
import io
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal

from lightly._kit.errors import BadInput
from lightly._kit.safe_paths import check_relative_name
from lightly.server.datasources.sample_files import find_image_path, name_image
from lightly.server.errors import ImageUnknown, PayloadTooLarge
from lightly.server.exports.service import Export
from lightly.server.samples.models import SampleIdentity
from lightly.server.storage.blobs import make_sample_key

#: Most images in one archive. Source: the contract.
MAX_IMAGES = 1000
_READ_BYTES = 1024 * 1024


@dataclass(frozen=True)
class ArchiveMember:
    """An image to be put into an archive.

    Attributes:
        name: Path within the archive.
        size_bytes: Its length.
        open: Returns it as a readable file.
    """

    name: str
    size_bytes: int
    open: Callable[[], BinaryIO] = field(repr=False)


def list_members(export: Export) -> list[ArchiveMember]:
    """Return the images that the server can read. Datasets of thumbnails have those instead.

    Raises:
        PayloadTooLarge: If the tag has more samples than fit into an archive.
        ImageUnknown: If it has samples, but the image of none can be read.
    """
    if len(export.indices) > MAX_IMAGES:
        raise PayloadTooLarge(
            f"The tag has {len(export.indices)} samples, an archive takes at most {MAX_IMAGES}. "
            "Export read URLs instead."
        )
    samples = (sample for piece in export.iterate_identities() for sample in piece)
    found = (_find_member(export, sample) for sample in samples)
    members = [member for member in found if member is not None]
    if len(export.indices) and not members:
        raise ImageUnknown
    return members


def _find_member(export: Export, sample: SampleIdentity) -> ArchiveMember | None:
    """Return what was uploaded of a sample, else what lies in a mounted datasource."""
    name = name_member(sample.file_name, sample.id)
    platform = export.platform
    kind: Literal["full", "thumb"] = "thumb" if export.dataset.img_type == "thumbnail" else "full"
    key = make_sample_key(export.dataset.id, sample.id, kind)
    info = platform.blobs.head(key)
    if info is not None:
        return ArchiveMember(name, info.size_bytes, functools.partial(platform.blobs.open, key))
    path = None
    if kind == "full":
        path = find_image_path(platform, export.sources, name_image(sample))
    if path is None:
        return None
    return ArchiveMember(name, path.stat().st_size, functools.partial(_open_path, path))


def _open_path(path: Path) -> BinaryIO:
    return path.open("rb")


def name_member(file_name: str, sample_id: str) -> str:
    """Return a path that stays where the archive is unpacked, on any system.

    >>> name_member("a/b.jpg", "65f0"), name_member("../b.jpg", "65f0")
    ('a/b.jpg', '65f0')
    """
    try:
        return check_relative_name(file_name)
    except BadInput:
        return sample_id


def stream_archive(members: list[ArchiveMember], n_samples: int) -> Iterator[bytes]:
    """Yield the archive in pieces; memory holds one of them.

    The bytes of images are compressed already, so they go in as they are. The archive's comment
    says how many images are missing.
    """
    buffer = _Drain()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.comment = f"{len(members)} of {n_samples} images are stored.".encode()
        for member in members:
            entry = zipfile.ZipInfo(member.name, time.gmtime()[:6])
            entry.file_size = member.size_bytes
            entry.external_attr = 0o644 << 16
            with member.open() as image, archive.open(entry, "w") as target:
                while piece := image.read(_READ_BYTES):
                    target.write(piece)
                    yield buffer.take()
    yield buffer.take()


class _Drain(io.RawIOBase):
    """A file that is only written to, and emptied in between."""

    def __init__(self) -> None:
        super().__init__()
        self._pending = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]  # zipfile writes bytes
        self._pending += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._pending)
        self._pending.clear()
        return taken
