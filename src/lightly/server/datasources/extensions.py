"""Which files of a datasource are images and videos. Source: the contract's clients."""

from __future__ import annotations

import posixpath

IMAGE_EXTENSIONS = frozenset(
    {".jpg", ".jpeg", ".png", ".gif", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"}
)
VIDEO_EXTENSIONS = frozenset({".mp4", ".m4v", ".hevc", ".mpg", ".mpeg", ".avi", ".mov", ".webm"})


def find_extensions(dataset_type: str) -> frozenset[str]:
    """Return the extensions of the raw files of a dataset, in lower case."""
    return VIDEO_EXTENSIONS if dataset_type == "Videos" else IMAGE_EXTENSIONS


def has_extension(name: str, extensions: frozenset[str]) -> bool:
    """Tell whether a name ends in one of some extensions, in any case.

    >>> has_extension("a/B.JPG", IMAGE_EXTENSIONS)
    True
    """
    return posixpath.splitext(name)[1].lower() in extensions
