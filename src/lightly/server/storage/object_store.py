"""An object store in the cloud, or of one's own: S3, GCS, Azure."""

from __future__ import annotations

import datetime as dt
import hashlib
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import obstore
from obstore.exceptions import (
    BaseError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import AzureStore, GCSStore, S3Store, from_url

from lightly._kit.errors import BadInput
from lightly._kit.store_variables import is_plain_http_allowed
from lightly.server.errors import StorageFull, StorageUnavailable
from lightly.server.storage.blobs import FULL_ERRNOS, BlobInfo, Method
from lightly.server.storage.google_urls import open_google_signer

if TYPE_CHECKING:
    # The library has this name for type checkers only.
    from obstore.store import ClientConfig

#: Providers whose stores sign URLs by themselves.
SCHEMES = ("s3", "gs", "az")

_PIECE_BYTES = 4 * 1024 * 1024
#: Objects that are asked for at the same time: each waits for the network only.
_HEADS_AT_ONCE = 32
#: Keys that a store lists in one request.
_LISTED_KEYS = 1000
#: Most keys that a store deletes in one request.
_DELETE_KEYS = 1000
#: Requests of the server wait for the store, so it gives up before clients do.
_TIMEOUT_S = 60
_RETRY_FOR_S = 30


class ObjectBlobStore:
    """Objects below a prefix of one bucket. Clients read and write them by the store's own URLs.

    The bytes pass by this server, so it learns of them when it looks: `head` is what counts.
    Credentials come from the provider's usual variables, or from the role of the machine.

    Args:
        url: Such as `s3://bucket/prefix`.
        scratch_dir: Folder for copies of objects that are being read or written.

    Raises:
        BadInput: If the URL names no store that can be used.
    """

    def __init__(self, url: str, scratch_dir: Path) -> None:
        try:
            store = from_url(
                url,
                client_options=_make_client_options(),
                retry_config={"retry_timeout": dt.timedelta(seconds=_RETRY_FOR_S)},
            )
        except (BaseError, ValueError) as error:
            raise BadInput(
                f"The storage URL must look like s3://BUCKET/PREFIX, got {url[:60]!r}."
            ) from error
        self._store = cast("S3Store | GCSStore | AzureStore", store)
        self._google = open_google_signer(url)
        self._scratch_dir = scratch_dir
        scratch_dir.mkdir(parents=True, exist_ok=True, mode=0o700)

    def check(self) -> None:
        """Raise unless the bucket can be reached with these credentials.

        Raises:
            StorageUnavailable: With the reason.
        """
        self.head("lightly-check")

    def put(self, key: str, chunks: Iterable[bytes]) -> BlobInfo:
        """Store an object, replacing an older one under this key."""
        with self.open_writer(key) as file:
            for chunk in chunks:
                file.write(chunk)
        info = self.head(key)
        if info is None:
            raise StorageUnavailable
        return info

    @contextmanager
    def open_writer(self, key: str) -> Iterator[BinaryIO]:
        """Yield a file whose bytes become the object when the block ends without an error."""
        with _translated(), self._open_scratch() as file:
            yield file
            file.seek(0)
            obstore.put(self._store, key, file, chunk_size=2 * _PIECE_BYTES)

    def open(self, key: str) -> BinaryIO:
        """Return the object as a readable file. Raises `FileNotFoundError`.

        It is a copy on this machine, of one version, so it can be mapped into memory and never
        stalls half-way. The copy is gone when the file is closed.
        """
        file = self._open_scratch()
        try:
            with _translated():
                for piece in obstore.get(self._store, key).stream(min_chunk_size=_PIECE_BYTES):
                    file.write(piece)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return file

    def head(self, key: str) -> BlobInfo | None:
        """Return what is known of an object, None when there is none."""
        try:
            with _translated():
                found = obstore.head(self._store, key)
        except FileNotFoundError:
            return None
        version = found["e_tag"] or f"{found['last_modified'].timestamp()}"
        # Tags of stores hold quotes and more; this is safe in keys.
        etag = hashlib.sha256(version.encode()).hexdigest()[:32]
        return BlobInfo(found["size"], etag, found["last_modified"].timestamp())

    def head_many(self, keys: Sequence[str]) -> list[BlobInfo | None]:
        """Return what `head` does for each key, in order; they are asked for side by side."""
        if not keys:
            return []
        with ThreadPoolExecutor(min(_HEADS_AT_ONCE, len(keys)), "look-up") as executor:
            return list(executor.map(self.head, keys))

    def list_dated(self, prefix: str, after: str) -> Iterator[tuple[str, float]]:
        """Yield keys behind a key, in order, with when they were last written."""
        with _translated():
            for page in obstore.list(self._store, prefix, offset=after, chunk_size=_LISTED_KEYS):
                for found in page:
                    # Some stores begin anew instead.
                    if found["path"] > after:
                        yield found["path"], found["last_modified"].timestamp()

    def list_keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys below a folder-like prefix, in no promised order."""
        with _translated():
            for page in obstore.list(self._store, prefix, chunk_size=_DELETE_KEYS):
                for found in page:
                    yield found["path"]

    def delete(self, key: str) -> None:
        """Remove an object; removing what is not there is no error."""
        self._delete([key])

    def delete_below(self, prefix: str) -> None:
        """Remove everything below a folder-like prefix."""
        keys: list[str] = []
        for key in self.list_keys(prefix):
            keys.append(key)
            if len(keys) == _DELETE_KEYS:
                self._delete(keys)
                keys = []
        if keys:
            self._delete(keys)

    def sign_url(self, key: str, method: Method, *, ttl_s: int, now_s: float) -> str:  # noqa: ARG002  the store's clock decides
        """Return a URL of the store that is good for one method on one object."""
        if self._google is not None:
            signer, root = self._google
            return signer.sign([root + key], method, ttl_s=ttl_s, now_s=time.time())[0]
        with _translated():
            return obstore.sign(self._store, method, key, dt.timedelta(seconds=ttl_s))

    def _delete(self, keys: list[str]) -> None:
        try:
            with _translated():
                obstore.delete(self._store, keys)
        except FileNotFoundError:
            # One that was missing may have kept others from being removed.
            if len(keys) > 1:
                for key in keys:
                    self._delete([key])

    def _open_scratch(self) -> BinaryIO:
        return cast("BinaryIO", tempfile.TemporaryFile(dir=self._scratch_dir))


def _make_client_options() -> ClientConfig:
    """Allow plain HTTP where the operator names an endpoint that speaks it."""
    options: ClientConfig = {"timeout": dt.timedelta(seconds=_TIMEOUT_S)}
    if is_plain_http_allowed():
        options["allow_http"] = True
    return options


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the library's errors into ours. Its messages name URLs, so they are not passed on."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise StorageUnavailable(
            "The object store refuses the server's credentials. "
            "The operator has to look at them; nothing was stored."
        ) from error
    except BaseError as error:
        raise StorageUnavailable from error
    except OSError as error:
        if error.errno in FULL_ERRNOS:
            raise StorageFull from error
        raise
