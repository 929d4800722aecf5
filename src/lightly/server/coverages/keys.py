"""Where distances to a tag are kept: beside the vectors that they were measured with."""

from __future__ import annotations

import hashlib

from lightly.server.storage.blobs import make_embedding_prefix

_FOLDER = "coverage/"


def make_folder(dataset_id: str, embedding_id: str) -> str:
    """Return the prefix of all distances that were measured in an embedding."""
    return f"{make_embedding_prefix(dataset_id, embedding_id)}{_FOLDER}"


def make_key(dataset_id: str, embedding_id: str, tag_id: str, version: str) -> str:
    """Return where the distances to one version of a tag are kept."""
    return f"{make_folder(dataset_id, embedding_id)}{tag_id}-{version}.f32"


def name_version(mask: bytes, source_etag: str) -> str:
    """Return a name for the samples of a tag together with the vectors of an embedding.

    A tag that is edited, or an embedding that is uploaded again, has another one: what was
    measured before is never taken for what would be measured now.
    """
    # Masks of the same samples may differ in zeros at their end.
    content = mask.rstrip(b"\0") + b"\xff" + source_etag.encode()
    return hashlib.blake2b(content, digest_size=12).hexdigest()


def read_tag_id(key: str) -> str:
    """Return the id of the tag that a key is of.

    >>> read_tag_id("embeddings/x/coverage/0123456789abcdef01234567-00ff.f32")
    '0123456789abcdef01234567'
    """
    return key.rpartition("/")[2].partition("-")[0]
