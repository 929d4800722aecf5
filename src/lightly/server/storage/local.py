"""A folder as object store."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

from lightly._kit.atomic_files import TEMPORARY_PREFIX, open_atomic, remove_temporary_files
from lightly._kit.safe_paths import resolve_below
from lightly.server.errors import StorageFull
from lightly.server.secrets.keys import ServerKeys
from lightly.server.storage.blobs import FULL_ERRNOS, BlobInfo, Method
from lightly.server.storage.signing import sign_blob_url


class LocalBlobStore:
    """Objects as files below one folder; URLs point at this server.

    Args:
        root: The folder; made when it is missing.
        keys: Sign the URLs.
        base_url: What the URLs start with.
    """

    def __init__(self, root: Path, keys: ServerKeys, base_url: str) -> None:
        self._root = root
        self._keys = keys
        self._base_url = base_url.rstrip("/")
        root.mkdir(parents=True, exist_ok=True, mode=0o700)

    def sweep(self, *, written_before_s: float) -> int:
        """Remove what writes that were cut off before a moment left; return how many files."""
        return remove_temporary_files(self._root, written_before_s=written_before_s)

    def path_of(self, key: str) -> Path:
        """Return the file of an object, whether it exists or not."""
        return resolve_below(self._root, key)

    @contextmanager
    def open_writer(self, key: str) -> Iterator[BinaryIO]:
        """Yield a file whose bytes become the object when the block ends without an error."""
        try:
            with open_atomic(self.path_of(key), mode=0o600) as file:
                yield file
        except OSError as error:
            if error.errno in FULL_ERRNOS:
                raise StorageFull from error
            raise

    def put(self, key: str, chunks: Iterable[bytes]) -> BlobInfo:
        """Store an object, replacing an older one under this key."""
        with self.open_writer(key) as file:
            for chunk in chunks:
                file.write(chunk)
        info = self.head(key)
        if info is None:
            raise FileNotFoundError(key)
        return info

    def open(self, key: str) -> BinaryIO:
        """Return the object as a readable file. Raises `FileNotFoundError`."""
        return self.path_of(key).open("rb")

    def head(self, key: str) -> BlobInfo | None:
        """Return what is known of an object, None when there is none."""
        try:
            status = self.path_of(key).stat()
        except FileNotFoundError:
            return None
        # Every write makes a new file, so the inode changes with the bytes.
        etag = f"{status.st_ino:x}-{status.st_mtime_ns:x}"
        return BlobInfo(status.st_size, etag, status.st_mtime)

    def head_many(self, keys: Sequence[str]) -> list[BlobInfo | None]:
        """Return what `head` does for each key, in order."""
        return [self.head(key) for key in keys]

    def list_dated(self, prefix: str, after: str) -> Iterator[tuple[str, float]]:
        """Yield keys behind a key, in order, with when they were last written."""
        yield from _walk_sorted(self.path_of(prefix.rstrip("/")), prefix, after)

    def list_keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys below a folder-like prefix, in no promised order."""
        start = self.path_of(prefix.rstrip("/")) if prefix else self._root.resolve()
        for folder, _, names in os.walk(start):
            for name in names:
                if not name.startswith(TEMPORARY_PREFIX):
                    yield str(Path(folder, name).relative_to(self._root.resolve()))

    def delete(self, key: str) -> None:
        """Remove an object; removing what is not there is no error."""
        self.path_of(key).unlink(missing_ok=True)

    def delete_below(self, prefix: str) -> None:
        """Remove everything below a folder-like prefix."""
        shutil.rmtree(self.path_of(prefix.rstrip("/")), ignore_errors=True)

    def sign_url(self, key: str, method: Method, *, ttl_s: int, now_s: float) -> str:
        """Return a URL that is good for one method on one object until `now_s + ttl_s`."""
        return sign_blob_url(self._keys, self._base_url, key, method, int(now_s) + ttl_s)


def _walk_sorted(folder: Path, prefix: str, after: str) -> Iterator[tuple[str, float]]:
    """Yield the files below a folder in the order of their keys; folders are read one by one."""
    try:
        with os.scandir(folder) as entries:
            found = {
                entry.name + "/" if entry.is_dir(follow_symlinks=False) else entry.name: entry
                for entry in entries
                if not entry.name.startswith(TEMPORARY_PREFIX)
            }
    except (FileNotFoundError, NotADirectoryError):
        return
    for name, entry in sorted(found.items(), key=itemgetter(0)):
        key = prefix + name
        if name.endswith("/"):
            if key > after or after.startswith(key):
                yield from _walk_sorted(folder / name, key, after)
        elif key > after:
            with suppress(FileNotFoundError):
                yield key, entry.stat().st_mtime
