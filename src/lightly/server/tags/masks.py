"""Bit masks and scores between memory and their packed form in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import zstandard

from lightly._kit.bitmask import parse_bitmask, resize_bitmask
from lightly._kit.errors import BadInput
from lightly.server.errors import TagInvalid

if TYPE_CHECKING:
    from lightly.server.tags.models import Tag


#: How scores lie in the database before they are packed.
STORED = np.dtype("<f8")

IndexArray = np.ndarray[tuple[int], np.dtype[np.int64]]


def pack(content: bytes) -> bytes:
    """Return bytes compressed with zstd."""
    return zstandard.ZstdCompressor().compress(content)


def unpack(packed: bytes) -> bytes:
    """Return what `pack` was given."""
    return zstandard.ZstdDecompressor().decompress(packed)


def read_mask(tag: Tag) -> bytes:
    """Return which samples a tag holds, as little-endian bits for all `tot_size` samples."""
    return resize_bitmask(unpack(tag.mask), tag.tot_size)


def read_indices(tag: Tag) -> IndexArray:
    """Return the indices of a tag's samples, growing."""
    bits = np.unpackbits(np.frombuffer(unpack(tag.mask), dtype=np.uint8), bitorder="little")
    return np.flatnonzero(bits)


def parse_mask(text: str, n_samples: int) -> bytes:
    """Return the mask that somebody sent.

    Raises:
        TagInvalid: If it names samples that the dataset does not have. The digits stay out of it.
    """
    try:
        return parse_bitmask(text, n_samples)
    except BadInput as error:
        raise TagInvalid(str(error)) from error
