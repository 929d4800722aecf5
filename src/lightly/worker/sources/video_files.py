"""Videos as files of this machine: the decoder jumps about in them, and runs where no network is.

A video behind a URL is put into a scratch file, which goes as soon as the video is decoded. So a
run needs room for as many videos as are decoded at the same time, however many the input has.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import requests

from lightly._kit.egress import EgressRefused
from lightly.api.errors import BlobTransferFailed, ConnectionFailed
from lightly.api.transport import Transport
from lightly.worker.errors import RunFailed
from lightly.worker.sources.file_list import InputFile
from lightly.worker.sources.reading import MISSING, VANISHED, explain_failure

_CHUNK_BYTES = 1 << 20
_PARTIAL_CONTENT = 206
#: Stays free on the disk of the scratch files, for what else the run writes.
_RESERVE_BYTES = 256 << 20
_CUT_OFF = "The store sent fewer bytes than it had announced."
_PREFIX = "video-"


@dataclass(frozen=True, slots=True)
class OpenedVideo:
    """A video that can be decoded, or why it cannot.

    Attributes:
        path: Where it lies; None if there is a problem.
        problem: Why not.
        is_gone: Whether it was there when it was listed, and is not any more.
    """

    path: Path | None
    problem: str | None = None
    is_gone: bool = False

    def identify(self) -> str:
        """Return what tells this file from another one under its name: size, head and tail."""
        assert self.path is not None  # noqa: S101  only asked of a video without a problem
        digest = hashlib.sha256()
        with self.path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            digest.update(str(size).encode() + file.read(_CHUNK_BYTES))
            file.seek(max(0, size - _CHUNK_BYTES))
            digest.update(file.read(_CHUNK_BYTES))
        return digest.hexdigest()


class VideoOpener:
    """Makes videos readable as files.

    Args:
        transport: Opens URLs.
        scratch: Folder for videos that come from a store.
        check: Raises if reading shall not go on.
    """

    def __init__(self, transport: Transport, scratch: Path, *, check: Callable[[], None]) -> None:
        self._transport = transport
        self._scratch = scratch
        self._check = check

    @contextmanager
    def open(self, file: InputFile) -> Iterator[OpenedVideo]:
        """Yield a video; what had to be fetched is removed afterwards.

        Raises:
            RunFailed: If the store refuses or does not answer, or the disk is full.
        """
        self._check()
        if not file.location.startswith(("http://", "https://")):
            path = Path(file.location)
            is_there = path.is_file()
            yield OpenedVideo(path) if is_there else OpenedVideo(None, MISSING, is_gone=True)
            return
        self._scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=self._scratch, prefix=_PREFIX) as target:
            yield self._fetch(file, target.file, Path(target.name))

    def remove_leftovers(self) -> None:
        """Remove what a killed process has left in the scratch folder."""
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _fetch(self, file: InputFile, target: IO[bytes], path: Path) -> OpenedVideo:
        policy = self._transport.policy
        transfer = _Transfer(self._transport, target, self._check)
        try:
            for attempt in range(1, policy.attempts + 1):
                if transfer.go_on(file.location):
                    return OpenedVideo(path)
                self._check()
                policy.sleep(policy.wait_s(attempt))
        except BlobTransferFailed as error:
            if error.status in VANISHED:
                return OpenedVideo(None, MISSING, is_gone=True)
            raise RunFailed(explain_failure(file, error)) from error
        except (ConnectionFailed, EgressRefused) as error:
            raise RunFailed(explain_failure(file, error)) from error
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise _make_disk_error() from error
            raise
        return OpenedVideo(None, _CUT_OFF)


class _Transfer:
    """A download that goes on where it broke off."""

    def __init__(self, transport: Transport, target: IO[bytes], check: Callable[[], None]) -> None:
        self._transport = transport
        self._target = target
        self._check = check
        self._tag = ""

    def go_on(self, url: str) -> bool:
        """Fetch what is missing; return whether all is there."""
        done = self._target.seek(0, os.SEEK_END)
        headers = {}
        if done and self._tag:
            # Without the same tag the store begins anew: the object may have changed.
            headers = {"Range": f"bytes={done}-", "If-Range": self._tag}
        with self._transport.open_blob(url, headers) as response:
            if response.status_code != _PARTIAL_CONTENT:
                self._target.seek(0)
                self._target.truncate()
            tag = response.headers.get("ETag", "")
            self._tag = "" if tag.startswith("W/") else tag
            announced = response.headers.get("Content-Length", "")
            expected = int(announced) if announced.isdigit() else None
            self._make_sure_of_room(expected or 0)
            return self._copy(response, expected)

    def _copy(self, response: requests.Response, expected: int | None) -> bool:
        size = 0
        try:
            for piece in response.iter_content(_CHUNK_BYTES):
                self._check()
                self._target.write(piece)
                size += len(piece)
        except requests.RequestException:
            return False
        self._target.flush()
        return expected is None or size == expected

    def _make_sure_of_room(self, size_bytes: int) -> None:
        disk = os.statvfs(self._target.fileno())
        if disk.f_bavail * disk.f_frsize < size_bytes + _RESERVE_BYTES:
            raise _make_disk_error()


def _make_disk_error() -> RunFailed:
    return RunFailed(
        "The disk of the worker has no room for a video that is fetched from the store. Free some, "
        "start the worker with --work-dir on a larger disk, or mount the videos beside it."
    )
