"""Which files of a datasource are images and videos. Source: the contract's clients."""

from __future__ import annotations

from lightly.media import listing

IMAGE_EXTENSIONS = frozenset(listing.IMAGE_EXTENSIONS)
VIDEO_EXTENSIONS = frozenset(listing.VIDEO_EXTENSIONS)


def find_extensions(dataset_type: str) -> frozenset[str]:
    """Return the extensions of the raw files of a dataset, in lower case."""
    return VIDEO_EXTENSIONS if dataset_type == "Videos" else IMAGE_EXTENSIONS


def has_extension(name: str, extensions: frozenset[str]) -> bool:
    """Tell whether a name ends in one of some extensions, in any case.

    >>> has_extension("a/B.JPG", IMAGE_EXTENSIONS)
    True
    >>> has_extension("a/.jpg", IMAGE_EXTENSIONS)
    False
    """
    # Listings ask by the million, so nothing is taken apart. A name that is nothing but an
    # extension has none.
    dot = name.rfind(".")
    return name[dot:].lower() in extensions and dot > 0 and name[dot - 1] != "/"
