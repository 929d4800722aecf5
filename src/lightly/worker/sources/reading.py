"""The bytes of input files: from signed URLs or from a folder, several at a time, in order."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import requests

from lightly._kit.egress import EgressRefused
from lightly.api.checksums import find_announced_md5
from lightly.api.errors import BlobTransferFailed, ConnectionFailed
from lightly.api.transport import Transport
from lightly.media.limits import MAX_IMAGE_BYTES
from lightly.worker.errors import RunFailed
from lightly.worker.sources.file_list import InputFile

_CHUNK_BYTES = 1 << 20
#: What stores answer about a file that is not there any more.
VANISHED = frozenset({404, 410})
#: Why a file without bytes is left out.
MISSING = "The file was gone when it was read."
_TOO_LARGE = f"The file has more than {MAX_IMAGE_BYTES} bytes."
_CUT_OFF = "The store sent fewer or other bytes than it had announced."


@dataclass(frozen=True, slots=True)
class FileContent:
    """One file that was read, or why it cannot be.

    Attributes:
        file: Which one.
        data: Its bytes; None if it has none.
        problem: Why not; None if all is well.
        is_gone: Whether it was there when it was listed, and is not any more.
    """

    file: InputFile
    data: bytes | None
    problem: str | None = None
    is_gone: bool = False


class FileReader:
    """Reads files ahead of whoever works on them.

    Args:
        transport: Opens URLs.
        n_parallel: How many files are read at the same time.
        check: Raises if reading shall not go on.
    """

    def __init__(
        self, transport: Transport, *, n_parallel: int = 16, check: Callable[[], None]
    ) -> None:
        self._transport = transport
        self._n_parallel = n_parallel
        self._check = check

    def read(self, files: Iterable[InputFile]) -> Iterator[FileContent]:
        """Yield the content of files in their order; few are in memory at any time.

        Raises:
            RunFailed: If the store refuses or does not answer, again and again.
        """
        with ThreadPoolExecutor(self._n_parallel, thread_name_prefix="read") as executor:
            waiting: deque[Future[FileContent]] = deque()
            try:
                for file in files:
                    waiting.append(executor.submit(self._read_one, file))
                    if len(waiting) > self._n_parallel:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def _read_one(self, file: InputFile) -> FileContent:
        self._check()
        if file.location.startswith(("http://", "https://")):
            return self._download(file)
        return _read_path(file)

    def _download(self, file: InputFile) -> FileContent:
        for attempt in range(1, self._transport.policy.attempts + 1):
            try:
                content = self._try_to_download(file)
            except BlobTransferFailed as error:
                if error.status in VANISHED:
                    return FileContent(file, None, MISSING, is_gone=True)
                raise RunFailed(explain_failure(file, error)) from error
            except (ConnectionFailed, EgressRefused) as error:
                raise RunFailed(explain_failure(file, error)) from error
            if content is not None:
                return content
            self._check()
            self._transport.policy.sleep(self._transport.policy.wait_s(attempt))
        return FileContent(file, None, _CUT_OFF)

    def _try_to_download(self, file: InputFile) -> FileContent | None:
        """Return the content; None if it is not what the store has announced."""
        pieces, size = [], 0
        with self._transport.open_blob(file.location) as response:
            try:
                for piece in response.iter_content(_CHUNK_BYTES):
                    pieces.append(piece)
                    size += len(piece)
                    if size > MAX_IMAGE_BYTES:
                        return FileContent(file, None, _TOO_LARGE)
            except requests.RequestException:
                return None
            announced = response.headers.get("Content-Length", "")
            md5 = find_announced_md5(response.headers)
        if announced.isdigit() and int(announced) != size:
            return None
        data = b"".join(pieces)
        if md5 is not None and hashlib.md5(data, usedforsecurity=False).hexdigest() != md5:
            return None
        return FileContent(file, data)


def _read_path(file: InputFile) -> FileContent:
    path = Path(file.location)
    try:
        if not path.is_file():
            return FileContent(file, None, MISSING, is_gone=True)
        if path.stat().st_size > MAX_IMAGE_BYTES:
            return FileContent(file, None, _TOO_LARGE)
        return FileContent(file, path.read_bytes())
    except FileNotFoundError:
        return FileContent(file, None, MISSING, is_gone=True)
    except OSError as error:
        return FileContent(file, None, f"The file cannot be read: {os.strerror(error.errno or 0)}.")


def explain_failure(file: InputFile, error: Exception) -> str:
    """Return why a store ends a run, and what to do."""
    return (
        f"The file {file.name[:200]!r} cannot be read from the datasource: {error} "
        "Check the datasource with list_datasource_permissions()."
    )
