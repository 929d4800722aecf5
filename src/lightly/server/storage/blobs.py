"""The one interface to object stores.

Keys are made by the server, never from names that somebody sent. A signed URL lets whoever holds
it do one thing with one object for a while.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO, Literal, Protocol

Method = Literal["GET", "HEAD", "PUT"]

#: What the system calls a disk without space.
FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True)
class BlobInfo:
    """What is known of an object without reading it.

    Attributes:
        size_bytes: Its length.
        etag: Changes whenever the bytes change.
        modified_at_s: When they last did, in seconds since the epoch.
    """

    size_bytes: int
    etag: str
    modified_at_s: float


class BlobStore(Protocol):
    """Where bytes are kept. All writes are whole or not at all, and durable when they return."""

    def put(self, key: str, chunks: Iterable[bytes]) -> BlobInfo:
        """Store an object, replacing an older one under this key."""

    def open(self, key: str) -> BinaryIO:
        """Return the object as a readable file. Raises `FileNotFoundError`."""

    def head(self, key: str) -> BlobInfo | None:
        """Return what is known of an object, None when there is none."""

    def head_many(self, keys: Sequence[str]) -> list[BlobInfo | None]:
        """Return what `head` does for each key, in order, many at a time."""

    def list_dated(self, prefix: str, after: str) -> Iterator[tuple[str, float]]:
        """Yield keys below a folder-like prefix, with the second when they were last written.

        Args:
            prefix: With a slash at the end.
            after: Only keys behind this one; they come in the order of their bytes.
        """

    def list_keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys below a folder-like prefix, in no promised order."""

    def delete(self, key: str) -> None:
        """Remove an object; removing what is not there is no error."""

    def delete_below(self, prefix: str) -> None:
        """Remove everything below a folder-like prefix."""

    def open_writer(self, key: str) -> AbstractContextManager[BinaryIO]:
        """Yield a file whose bytes become the object when the block ends without an error."""

    def sign_url(self, key: str, method: Method, *, ttl_s: int, now_s: float) -> str:
        """Return a URL that is good for one method on one object until `now_s + ttl_s`."""


def make_sample_key(dataset_id: str, sample_id: str, kind: Literal["full", "thumb"]) -> str:
    """Return where a sample's image or thumbnail is kept.

    The last digits of an id are a counter, so these folders fill evenly.
    """
    return f"{make_sample_prefix(dataset_id, kind)}{sample_id[-3:]}/{sample_id}"


def parse_sample_key(key: str) -> tuple[str, str, str] | None:
    """Return dataset id, sample id and kind of what `make_sample_key` made; None for other keys.

    >>> parse_sample_key("datasets/d/samples/thumb/e5f/abcde5f")
    ('d', 'abcde5f', 'thumb')
    """
    parts = key.split("/")
    if len(parts) != 6 or parts[0] != "datasets" or parts[2] != "samples":
        return None
    return parts[1], parts[5], parts[3]


def make_sample_prefix(dataset_id: str, kind: Literal["full", "thumb"]) -> str:
    """Return the prefix of all images or thumbnails of a dataset."""
    return f"{make_dataset_prefix(dataset_id)}samples/{kind}/"


def make_file_key(dataset_id: str, name: str) -> str:
    """Return where a file of a dataset is kept that is known by its name only.

    A digest stands for the name, so that no name makes a path.
    """
    digest = hashlib.sha256(name.encode()).hexdigest()
    return f"{make_dataset_prefix(dataset_id)}files/{digest[:2]}/{digest}"


def make_embedding_prefix(dataset_id: str, embedding_id: str) -> str:
    """Return the prefix of everything that belongs to one embedding."""
    return f"{make_dataset_prefix(dataset_id)}embeddings/{embedding_id}/"


def make_dataset_prefix(dataset_id: str) -> str:
    """Return the prefix of everything that belongs to one dataset."""
    return f"datasets/{dataset_id}/"
