"""Copying files from signed URLs to a folder or bucket, such that it can be interrupted."""

from __future__ import annotations

import hashlib
import re
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from lightly._kit.errors import LightlyError
from lightly._kit.safe_paths import check_relative_name
from lightly.api.blob_files import download_blob
from lightly.api.checksums import find_announced_md5
from lightly.api.copy_targets import CopyTarget, PresentFile, hash_content
from lightly.api.errors import BlobTransferFailed, ConnectionFailed, CopyTargetFailed
from lightly.api.parallel import iterate_in_parallel
from lightly.api.transport import Transport

if TYPE_CHECKING:
    from requests import Response

#: Files up to this size stay in memory on their way, larger ones on disk.
_MEMORY_BYTES = 8 * 1024 * 1024
_MARK_CHARACTERS = 32
_HEX_MD5 = re.compile(r'"([0-9a-f]{32})"\Z')


@dataclass
class CopyReport:
    """What became of the files of a copy.

    Attributes:
        n_copied: Files that were written.
        n_present: Files that were there already.
        n_bytes: Bytes that were written.
        failures: Name and reason of what was not copied, as far as they may be shown.
    """

    n_copied: int = 0
    n_present: int = 0
    n_bytes: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class _SourceFile:
    """What a store says of a file before it sends it.

    Attributes:
        size_bytes: Its length; None if the store does not say.
        mark: Stands for its version; None if the store has none.
        md5: What its content must have; None if the store does not say.
        likely_md5: The same, but stores that encrypt put something else in its place.
    """

    size_bytes: int | None
    mark: str | None
    md5: str | None
    likely_md5: str | None


class SelectionCopy:
    """Copies files to one target.

    A file that is there is compared with its source: by the mark that an earlier copy has left, by
    checksums where both sides have them, and else by its content. One that differs is left alone.

    Args:
        transport: Opens URLs.
        target: Where the files go.
        find_url: Returns the URL of a file by its key.
        is_overwriting: Whether files that differ are replaced.

    Attributes:
        report: What was done so far.
    """

    def __init__(
        self,
        transport: Transport,
        target: CopyTarget,
        find_url: Callable[[str], str],
        *,
        is_overwriting: bool = False,
    ) -> None:
        self._transport = transport
        self._target = target
        self._find_url = find_url
        self._is_overwriting = is_overwriting
        self._lock = threading.Lock()
        self.report = CopyReport()

    def run(self, files: Iterable[tuple[str, str]], *, max_workers: int) -> Iterator[None]:
        """Copy files, given as key and name; yield whenever one is settled.

        Raises:
            CopyTargetFailed: If the target cannot be used. What was copied stays.
            ConnectionFailed: If the server or store is away for too long.
        """
        yield from iterate_in_parallel(self._copy, files, max_workers=max_workers)

    def _copy(self, file: tuple[str, str]) -> None:
        key, name = file
        try:
            # The name comes from the server: it may be anything.
            present = self._target.find(check_relative_name(name))
            self._transfer(self._find_url(key), name, present)
        except (ConnectionFailed, CopyTargetFailed):
            raise
        except LightlyError as error:
            with self._lock:
                self.report.failures.append((ascii(name)[:80], str(error)[:200]))

    def _transfer(self, url: str, name: str, present: PresentFile | None) -> None:
        source = _SourceFile(None, None, None, None)
        verdict: bool | None = None

        def is_wanted(response: Response) -> bool:
            nonlocal source, verdict
            source = _describe_source(response)
            verdict = _compare(source, present) if present is not None else False
            return verdict is None or (not verdict and (present is None or self._is_overwriting))

        with tempfile.SpooledTemporaryFile(max_size=_MEMORY_BYTES) as file:
            if download_blob(self._transport, url, file, is_wanted=is_wanted):
                _check_content(file, source)
                if verdict is None:
                    verdict = hash_content(file, "sha256") == self._target.digest(name)
                if not verdict and (present is None or self._is_overwriting):
                    self._target.write(name, file, source.mark)
                    size_bytes = file.seek(0, 2)
                    with self._lock:
                        self.report.n_copied += 1
                        self.report.n_bytes += size_bytes
                    return
        if not verdict:
            raise LightlyError(
                "another file of this name is there; take it away, copy elsewhere, or overwrite"
            )
        with self._lock:
            self.report.n_present += 1


def _describe_source(response: Response) -> _SourceFile:
    headers = response.headers
    length, tag = headers.get("Content-Length", ""), headers.get("ETag", "")
    size_bytes = int(length) if length.isdigit() else None
    mark = None
    if tag:
        mark = hashlib.sha256(f"{tag}\n{length}".encode()).hexdigest()[:_MARK_CHARACTERS]
    md5 = find_announced_md5(headers)
    likely = _HEX_MD5.match(tag)
    return _SourceFile(size_bytes, mark, md5, md5 or (likely[1] if likely else None))


def _compare(source: _SourceFile, present: PresentFile) -> bool | None:
    """Tell whether a file that is there is the source; None if only its content can tell."""
    if source.size_bytes is not None and source.size_bytes != present.size_bytes:
        return False
    if source.mark is not None and source.mark == present.mark:
        return True
    if source.likely_md5 is not None and source.likely_md5 == present.find_md5():
        return True
    return None


def _check_content(file: IO[bytes], source: _SourceFile) -> None:
    """Raise `BlobTransferFailed` unless all of a file has arrived."""
    size_bytes = file.seek(0, 2)
    if source.size_bytes is not None and size_bytes != source.size_bytes:
        raise BlobTransferFailed(f"The store sent {size_bytes} of {source.size_bytes} bytes.")
    if source.md5 is not None and hash_content(file, "md5") != source.md5:
        raise BlobTransferFailed("What arrived has another checksum than the store says.")
