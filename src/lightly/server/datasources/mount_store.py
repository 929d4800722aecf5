"""LOCAL datasources: files below a folder that the operator has opened."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

from lightly._kit.atomic_files import open_atomic
from lightly._kit.errors import BadInput
from lightly._kit.ids import make_id
from lightly._kit.safe_paths import check_relative_name
from lightly.server.datasources.file_urls import make_file_url
from lightly.server.datasources.folder_walk import FolderFile, split_folder, walk_folder
from lightly.server.datasources.models import LIGHTLY_FOLDER
from lightly.server.datasources.stores import FindExpiry, Method, Span, never_expires
from lightly.server.errors import (
    DatasourceNotWritable,
    DatasourceUnreachable,
    FileUnknown,
    MalformedRequest,
    StorageFull,
)

#: Signs a name for a method until a moment in seconds: see `file_urls`.
SignFile = Callable[[str, Method, int], str]

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FILE_MODE = 0o644


class MountStore:
    """Files below one folder of a mount.

    Links may lead anywhere within the mount and nowhere else.

    Args:
        mount: The folder that the operator has opened.
        folder: A datasource's path below it.
        base_url: What URLs begin with, without the query.
        sign: Makes the signature of a URL.
        is_writable: Whether files may be written.
    """

    is_redirected = False
    is_relayed = False
    write_headers: Mapping[str, str] = MappingProxyType({})

    def __init__(
        self, mount: Path, folder: str, base_url: str, sign: SignFile, *, is_writable: bool
    ) -> None:
        self._boundary = mount.resolve()
        self._folder = folder
        self._root = self._boundary / folder
        self._base_url = base_url
        self._sign = sign
        self._is_writable = is_writable

    def iterate(self, prefix: str, span: Span) -> Iterator[FolderFile]:
        """Yield the files whose names begin with `prefix`; see `FileStore`."""
        if self._check_folder(prefix):
            yield from walk_folder(self._root, self._boundary, prefix, span)

    def split(self, prefix: str, count: int) -> list[str]:
        """Return names that part the files about evenly; see `FileStore`."""
        return split_folder(self._root, prefix, count) if self._check_folder(prefix) else []

    def read(self, name: str, limit_bytes: int) -> tuple[str, bytes]:
        """Return a file's version and its first bytes; see `FileStore`."""
        path = self.find_path(name)
        with path.open("rb") as file:
            return _make_version(os.fstat(file.fileno())), file.read(limit_bytes)

    def find_version(self, name: str) -> str | None:
        """Return what changes with the bytes of a file; see `FileStore`."""
        try:
            return _make_version(self.find_path(name).stat())
        except (FileUnknown, FileNotFoundError):
            return None

    def open_expiry(self) -> FindExpiry:
        """Return that files stay; see `FileStore`."""
        return never_expires

    def sign_urls(
        self,
        names: Sequence[str],
        method: Method,
        *,
        ttl_s: int,
        now_s: float,
    ) -> list[str]:
        """Return a URL of this server for each name; see `FileStore`."""
        if method == "PUT":
            self._check_writable()
        expires_at_s = int(now_s) + ttl_s
        return [self._make_url(name, method, expires_at_s) for name in names]

    def find_path(self, name: str) -> Path:
        """Return the path of a file, links followed.

        Raises:
            FileUnknown: If there is none, or if the name leads out of the mount.
        """
        check_file_name(name)
        try:
            path = (self._root / name).resolve(strict=True)
            is_file = stat.S_ISREG(path.stat().st_mode)
        except (OSError, ValueError, RuntimeError) as error:
            raise FileUnknown from error
        if not is_file or not path.is_relative_to(self._boundary):
            raise FileUnknown
        return path

    def write(self, name: str, content: bytes) -> None:
        """Store a file, whole or not at all, in place of an older one.

        Raises:
            DatasourceNotWritable: If the folder cannot be written.
            StorageFull: If there is no space.
        """
        self._check_writable()
        path = self._find_place(name)
        try:
            with open_atomic(path, mode=_FILE_MODE) as file:
                file.write(content)
        except OSError as error:
            if error.errno in _FULL:
                raise StorageFull from error
            reason = os.strerror(error.errno or 0)
            raise DatasourceNotWritable(f"The file cannot be written: {reason}.") from error

    def verify(self, *, is_written: bool) -> dict[str, str]:
        """Try everything; see `FileStore`."""
        errors = {}
        found = next(self.iterate("", Span()), None)
        if not os.access(self._root, os.R_OK | os.X_OK):
            errors["canList"] = self._explain("may not be listed by the server")
        if found is not None and not self._can_read(found.name):
            errors["canRead"] = self._explain("has files that the server may not read")
        return errors | (self._try_writing() if is_written else {})

    def _can_read(self, name: str) -> bool:
        try:
            self.read(name, 1)
        except PermissionError:
            return False
        except (OSError, FileUnknown):
            # It vanished, or leads out of the mount: the next one may do better.
            return True
        return True

    def _try_writing(self) -> dict[str, str]:
        name = f"{LIGHTLY_FOLDER}verify-{make_id()}"
        try:
            self.write(name, b"1")
        except (DatasourceNotWritable, StorageFull) as error:
            return dict.fromkeys(_WRITING, str(error))
        try:
            self.write(name, b"2")
        except (DatasourceNotWritable, StorageFull) as error:
            return {"canOverwrite": str(error)}
        finally:
            with suppress(OSError):
                self.find_path(name).unlink()
            with suppress(OSError):
                # Only if it was made for this: a folder with something in it stays.
                (self._root / LIGHTLY_FOLDER).rmdir()
        return {}

    def _check_folder(self, prefix: str) -> bool:
        """Tell whether a folder of the datasource is there.

        Raises:
            DatasourceUnreachable: If the datasource itself is not, or is no folder in the mount.
        """
        if prefix and not _is_plain(prefix.removesuffix("/")):
            return False
        try:
            root = self._root.resolve()
            is_inside = root.is_relative_to(self._boundary)
            if not is_inside or not root.is_dir():
                raise DatasourceUnreachable(self._explain("is not there"))
            folder = (root / prefix).resolve()
            return folder.is_relative_to(self._boundary) and folder.is_dir()
        except (OSError, RuntimeError) as error:
            raise DatasourceUnreachable(self._explain("cannot be opened by the server")) from error

    def _check_writable(self) -> None:
        if not self._is_writable:
            raise DatasourceNotWritable(
                "The server has no mount to write to: start it with --lightly-mount."
            )

    def _find_place(self, name: str) -> Path:
        check_written_name(name)
        try:
            path = (self._root / name).resolve()
        except (OSError, RuntimeError) as error:
            raise DatasourceNotWritable("The file's name cannot be used here.") from error
        if not path.is_relative_to(self._boundary) or path.is_dir():
            raise DatasourceNotWritable("The file's name leads out of the datasource.")
        self._check_folder("")
        return path

    def _make_url(self, name: str, method: Method, expires_at_s: int) -> str:
        signature = self._sign(name, method, expires_at_s)
        return make_file_url(self._base_url, name, method, expires_at_s, signature)

    def _explain(self, what: str) -> str:
        folder = ascii(self._folder)[:80] if self._folder else "of the mount itself"
        return (
            f"The folder {folder} {what}. Paths of LOCAL datasources are below --input-mount and "
            "--lightly-mount of the server."
        )


_WRITING = ("canWrite", "canOverwrite")


def check_file_name(name: str) -> str:
    """Return the name of a file to read. More is allowed than in names that we make: it exists.

    Raises:
        MalformedRequest: If it is absolute, has `.` or `..` parts, or is no text.
    """
    if not _is_plain(name):
        raise MalformedRequest(
            "A file name must be relative, with '/' between folders, without '.' and '..'."
        )
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise MalformedRequest("A file name must be valid Unicode.") from error
    return name


def _is_plain(name: str) -> bool:
    return "\0" not in name and not any(part in {"", ".", ".."} for part in name.split("/"))


def check_written_name(name: str) -> str:
    """Return the name of a file to write.

    Raises:
        MalformedRequest: If it breaks a rule for file names.
    """
    check_file_name(name)
    try:
        return check_relative_name(name)
    except BadInput as error:
        raise MalformedRequest(f"fileName: {error}") from error


def _make_version(status: os.stat_result) -> str:
    return f"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}"
