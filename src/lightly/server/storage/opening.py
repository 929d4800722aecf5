"""From the settings to the object store."""

from __future__ import annotations

from lightly._kit.errors import BadInput
from lightly.server.secrets.keys import ServerKeys
from lightly.server.settings import Settings
from lightly.server.storage.blobs import BlobStore
from lightly.server.storage.local import LocalBlobStore


def open_blob_store(settings: Settings, keys: ServerKeys, base_url: str) -> BlobStore:
    """Return the store that `settings.storage_url` names.

    Args:
        settings: Of the server.
        keys: Sign the URLs of the local store.
        base_url: What the URLs of the local store begin with.

    Raises:
        BadInput: If there is no such kind of store.
    """
    url = settings.storage_url
    scheme = url.partition("://")[0]
    if not url or scheme == "file":
        return LocalBlobStore(settings.blob_root, keys, base_url)
    # Loads when it is used: most servers keep their objects in a folder.
    from lightly.server.storage.object_store import SCHEMES, ObjectBlobStore  # noqa: PLC0415

    if scheme not in SCHEMES:
        raise BadInput(
            f"The storage URL must begin with file:///, s3://, gs:// or az://, got {url[:60]!r}."
        )
    return ObjectBlobStore(url, settings.data_dir.resolve() / "scratch")
