"""Where a selection is copied to: a folder of this machine, or a bucket."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote, urlsplit

from lightly._kit.atomic_files import open_atomic
from lightly._kit.errors import BadInput
from lightly._kit.safe_paths import check_relative_name, resolve_below
from lightly._kit.store_variables import is_plain_http_allowed
from lightly.api.errors import CopyTargetFailed

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore

#: Schemes of buckets.
SCHEMES = ("s3", "gs", "az")
_PIECE_BYTES = 4 * 1024 * 1024
#: Where a copy keeps which version of its source it is.
_MARK_ATTRIBUTE = "user.lightly.source"
_MARK_METADATA = "lightlysource"
_MD5 = re.compile(r'"?([0-9a-f]{32})"?\Z')


@dataclass(frozen=True)
class PresentFile:
    """A file that the target has already.

    Attributes:
        size_bytes: Its length.
        mark: Which version of its source it is a copy of; None if it does not say.
        find_md5: Returns that of its content, in hex; None if the target cannot say.
    """

    size_bytes: int
    mark: str | None
    find_md5: Callable[[], str | None]


class CopyTarget(Protocol):
    """A place that files are copied to, each whole or not at all."""

    def find(self, name: str) -> PresentFile | None:
        """Return what is there under a name, None if nothing is.

        Raises:
            BadInput: If no file of the target can have this name.
            CopyTargetFailed: If the target cannot be read.
        """

    def digest(self, name: str) -> str:
        """Return the SHA-256 of a file that is there, in hex."""

    def write(self, name: str, file: IO[bytes], mark: str | None) -> None:
        """Store a file, in place of one of the same name, and make sure that all of it is there.

        Args:
            name: Relative to the target.
            file: Read from its beginning.
            mark: Kept with it.

        Raises:
            CopyTargetFailed: If the target cannot be written.
        """


def open_copy_target(url: str) -> CopyTarget:
    """Return the folder or bucket that a path or URL names.

    Args:
        url: A path, `file:///PATH`, `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` or
            `az://CONTAINER/PREFIX`. Credentials come from the provider's usual variables.

    Raises:
        BadInput: If it is nothing of that.
    """
    parts = urlsplit(url) if "://" in url else None
    if not url or (parts and parts.scheme != "file" and parts.scheme not in SCHEMES):
        raise BadInput(
            "Copy to a folder, or to s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or "
            f"az://CONTAINER/PREFIX; got {url[:60]!r}."
        )
    if parts is None:
        return FolderTarget(Path(url))
    if parts.scheme == "file":
        return FolderTarget(Path(unquote(parts.path)))
    return BucketTarget(url)


class FolderTarget:
    """A folder of this machine.

    Args:
        root: The folder; made when something is written.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def find(self, name: str) -> PresentFile | None:
        """Return what is there; see `CopyTarget`."""
        path = resolve_below(self._root, name)
        with _explained("a folder"):
            if not path.exists():
                return None
            if not path.is_file():
                raise BadInput("There is a folder of this name.")
            size_bytes = path.stat().st_size
            return PresentFile(size_bytes, _read_mark(path), lambda: self._digest(name, "md5"))

    def digest(self, name: str) -> str:
        """Return the SHA-256 of a file; see `CopyTarget`."""
        return self._digest(name, "sha256")

    def _digest(self, name: str, algorithm: str) -> str:
        path = resolve_below(self._root, name)
        with _explained("a folder"), path.open("rb") as file:
            return hash_content(file, algorithm)

    def write(self, name: str, file: IO[bytes], mark: str | None) -> None:
        """Store a file; see `CopyTarget`."""
        path = resolve_below(self._root, name)
        with _explained("a folder"), open_atomic(path) as target:
            file.seek(0)
            shutil.copyfileobj(file, target, _PIECE_BYTES)
            target.flush()
            if mark and hasattr(os, "setxattr"):
                text = f"{mark} {os.fstat(target.fileno()).st_mtime_ns}"
                # Not every file system has room for it; then the content is compared.
                with suppress(OSError):
                    os.setxattr(target.fileno(), _MARK_ATTRIBUTE, text.encode())


class BucketTarget:
    """Objects below a prefix of a bucket.

    Args:
        url: See `open_copy_target`.

    Raises:
        BadInput: If the URL names no bucket.
    """

    def __init__(self, url: str) -> None:
        from obstore.exceptions import BaseError
        from obstore.store import from_url

        options: ClientConfig = {"allow_http": True} if is_plain_http_allowed() else {}
        self._scheme = urlsplit(url).scheme
        try:
            self._store: ObjectStore = from_url(url, client_options=options)
        except (BaseError, ValueError) as error:
            raise BadInput(f"There is no bucket in {url[:60]!r}.") from error

    def find(self, name: str) -> PresentFile | None:
        """Return what is there; see `CopyTarget`."""
        import obstore

        with self._explained():
            try:
                found = obstore.get(self._store, _check_key(name), options={"head": True})
            except FileNotFoundError:
                return None
            mark = found.attributes.get(_MARK_METADATA)
            tag = _MD5.match(found.meta["e_tag"] or "")
            md5 = tag[1] if tag else None
            return PresentFile(found.meta["size"], str(mark) if mark else None, lambda: md5)

    def digest(self, name: str) -> str:
        """Return the SHA-256 of an object; see `CopyTarget`."""
        import obstore

        sum_ = hashlib.sha256()
        with self._explained():
            for piece in obstore.get(self._store, name).stream(min_chunk_size=_PIECE_BYTES):
                sum_.update(piece)
        return sum_.hexdigest()

    def write(self, name: str, file: IO[bytes], mark: str | None) -> None:
        """Store an object; see `CopyTarget`."""
        import obstore

        size_bytes = file.seek(0, os.SEEK_END)
        file.seek(0)
        attributes = {_MARK_METADATA: mark} if mark else None
        with self._explained():
            obstore.put(
                self._store,
                _check_key(name),
                _read_pieces(file),
                attributes=attributes,
                chunk_size=2 * _PIECE_BYTES,
                max_concurrency=2,
            )
            stored = obstore.head(self._store, name)["size"]
        if stored != size_bytes:
            raise CopyTargetFailed(
                f"The bucket has {stored} bytes of a file of {size_bytes}. Copy again."
            )

    def _explained(self) -> Any:
        return _explained(f"a bucket ({self._scheme}://)")


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turn errors of the system and of the store library into ours; these name no keys or URLs."""
    from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

    try:
        yield
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise CopyTargetFailed(
            f"Copying to {what} is refused: look at the credentials in the provider's variables, "
            "and at their right to read and to write."
        ) from error
    except BaseError as error:
        raise CopyTargetFailed(
            f"Copying to {what} failed ({type(error).__name__}): look at the bucket's name, the "
            "region and the endpoint, and copy again to go on."
        ) from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise CopyTargetFailed(
            f"Copying to {what} failed: {reason}. Put that right and copy again to go on."
        ) from error


def _check_key(name: str) -> str:
    """Return a name that every store takes as it is."""
    check_relative_name(name)
    if "" in name.split("/"):
        raise BadInput("Buckets take no names with empty parts.")
    return name


def _read_pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_PIECE_BYTES):
        yield piece


def _read_mark(path: Path) -> str | None:
    """Return the mark of a file that nobody has changed since it was copied."""
    if not hasattr(os, "getxattr"):
        return None
    try:
        mark, _, modified_at_ns = os.getxattr(path, _MARK_ATTRIBUTE).decode().partition(" ")
        return mark if modified_at_ns == str(path.stat().st_mtime_ns) else None
    except (OSError, UnicodeDecodeError):
        return None


def hash_content(file: IO[bytes], algorithm: str) -> str:
    """Return a checksum of a whole file, in hex."""
    sum_ = hashlib.new(algorithm, usedforsecurity=False)
    file.seek(0)
    for piece in _read_pieces(file):
        sum_.update(piece)
    return sum_.hexdigest()
