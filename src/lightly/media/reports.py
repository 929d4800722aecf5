"""What decoding finds out, as plain values. Imports neither numpy nor an image library."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from lightly.media.errors import CorruptMedia

#: A path, or the bytes of a whole file.
ImageSource: TypeAlias = str | os.PathLike[str] | bytes

#: What frames are stored as.
FRAME_FORMATS = ("png", "jpg")


@dataclass(frozen=True, slots=True)
class ImageReport:
    """What was found out about one image.

    Attributes:
        metadata: `lightly.media.statistics.ImageStatistics`, the wire names of `SampleMetaData` in
            snake form; for a corrupt image only `size_in_bytes`.
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


@dataclass(frozen=True, slots=True)
class FrameReport:
    """What was found out about one frame of a video.

    Attributes:
        index: Number of the frame in its video, from 0.
        timestamp_s: When it is shown, in seconds; None if the container does not say.
        metadata: As in `ImageReport`; `size_in_bytes` is the size of `png`.
        thumbnail: A WebP preview.
        png: The frame as the file that the dataset stores.
    """

    index: int
    timestamp_s: float | None
    metadata: dict[str, Any]
    thumbnail: bytes
    png: bytes


@dataclass(frozen=True, slots=True)
class ExtractedFrame:
    """One frame of a video, as it was asked for.

    Attributes:
        index: Number of the frame in its video, from 0.
        timestamp_s: When it is shown, in seconds; None if the container does not say.
        width: In pixels.
        height: In pixels.
        content: An image file; or the pixels: RGB, 3 bytes each, row by row.
    """

    index: int
    timestamp_s: float | None
    width: int
    height: int
    content: bytes


def measure_regular_file(path: str | os.PathLike[str], error_type: type[CorruptMedia]) -> int:
    """Return the size in bytes, or raise: a pipe or a device would never end."""
    try:
        status = os.stat(path)  # noqa: PTH116  one call answers both questions
    except (OSError, ValueError) as error:
        raise error_type("The file is missing or cannot be reached.") from error
    if not stat.S_ISREG(status.st_mode):
        raise error_type("This is not a regular file.")
    return status.st_size


def measure_source(source: ImageSource) -> int:
    """Return the size in bytes; 0 for a file that cannot be looked at."""
    if isinstance(source, bytes):
        return len(source)
    try:
        return Path(source).stat().st_size
    except (OSError, ValueError):
        return 0
