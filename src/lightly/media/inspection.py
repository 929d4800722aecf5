"""Everything that is recorded about one image, from a single decode."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from lightly.media.errors import CorruptImage
from lightly.media.exif import describe_exif
from lightly.media.images import decode_image, read_bytes
from lightly.media.statistics import compute_statistics
from lightly.media.thumbnails import make_thumbnail

ImageSource: TypeAlias = str | os.PathLike[str] | bytes


@dataclass(frozen=True, slots=True)
class ImageReport:
    """What was found out about one image.

    Attributes:
        metadata: `ImageStatistics`; for a corrupt image only `size_in_bytes`.
        thumbnail: A WebP preview; None if the image is corrupt or none was asked for.
        exif: EXIF entries by name, see `lightly.media.exif.describe_exif`.
        corruption: Why the image cannot be used, a sentence for people; None for a good image.
        format: Name of the file format, such as `JPEG`; empty if corrupt.
        is_animated: Whether there are more frames than the first, which is the one described.
    """

    metadata: dict[str, Any]
    thumbnail: bytes | None = None
    exif: dict[str, Any] = field(default_factory=dict)
    corruption: str | None = None
    format: str = ""
    is_animated: bool = False

    @property
    def is_corrupt(self) -> bool:
        """Whether the image cannot be used."""
        return self.corruption is not None


def inspect_image(source: ImageSource, *, with_thumbnail: bool = True) -> ImageReport:
    """Decode an image once and return its statistics, thumbnail and EXIF, or why that fails.

    Runs in the calling process. Use `lightly.media.sandbox.DecodePool` for bytes of others.

    Args:
        source: A path, or the bytes of the whole file.
        with_thumbnail: Whether to make the preview.

    Returns:
        The report. Corrupt images are a result here, never an exception.
    """
    size_bytes = measure_source(source)
    try:
        data = source if isinstance(source, bytes) else read_bytes(source)
        image = decode_image(data)
    except CorruptImage as error:
        return ImageReport({"size_in_bytes": size_bytes}, corruption=str(error))
    return ImageReport(
        metadata={**compute_statistics(image.pixels, size_bytes=len(data))},
        thumbnail=make_thumbnail(image.pixels) if with_thumbnail else None,
        exif=describe_exif(image.exif),
        format=image.format,
        is_animated=image.is_animated,
    )


def measure_source(source: ImageSource) -> int:
    """Return the size in bytes; 0 for a file that cannot be looked at."""
    if isinstance(source, bytes):
        return len(source)
    try:
        return Path(source).stat().st_size
    except OSError:
        return 0
