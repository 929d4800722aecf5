"""Downloading many files into a folder: in parallel, each one whole or not at all."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from lightly._kit.atomic_files import open_atomic
from lightly._kit.errors import LightlyError
from lightly._kit.safe_paths import resolve_below
from lightly.api.answers import read_text
from lightly.api.blob_files import download_blob
from lightly.api.client_base import make_path
from lightly.api.errors import ConnectionFailed, IncompleteDownloadWarning
from lightly.api.parallel import iterate_in_parallel
from lightly.api.transport import Transport

_SHOWN_FAILURES = 10


class _IsComplete(Exception):
    """The file is in the folder already."""


class FileDownloads:
    """Downloads of many files into one folder.

    Args:
        transport: Opens URLs.
        folder: Where the files go.
        find_url: Returns the URL of a file by its key.
        read_timeout_s: Longest silence of the store; that of the client if None.

    Attributes:
        failures: Name and reason of what was not downloaded, as far as they may be shown.
    """

    def __init__(
        self,
        transport: Transport,
        folder: Path,
        find_url: Callable[[str], str],
        *,
        read_timeout_s: float | None = None,
    ) -> None:
        self._transport = transport
        self._folder = folder
        self._find_url = find_url
        self._read_timeout_s = read_timeout_s
        self._lock = threading.Lock()
        self.failures: list[tuple[str, str]] = []

    def run(self, files: Iterable[tuple[str, str]], *, max_workers: int) -> Iterator[None]:
        """Download files, given as key and name; yield whenever one is settled.

        Raises:
            ConnectionFailed: If the server is away for too long.
        """
        yield from iterate_in_parallel(self._download, files, max_workers=max_workers)

    def _download(self, file: tuple[str, str]) -> None:
        key, name = file
        try:
            # The name comes from the server: it may be anything.
            path = resolve_below(self._folder, name)
            self._transfer(self._find_url(key), path)
        except ConnectionFailed:
            raise
        except (LightlyError, OSError) as error:
            reason = (error.strerror or "") if isinstance(error, OSError) else str(error)
            with self._lock:
                self.failures.append((ascii(name)[:80], reason[:200]))

    def _transfer(self, url: str, path: Path) -> None:
        there = path.stat().st_size if path.is_file() else None
        with suppress(_IsComplete), open_atomic(path) as target:
            if not download_blob(
                self._transport,
                url,
                target,
                known_size=there,
                read_timeout_s=self._read_timeout_s,
            ):
                raise _IsComplete


def make_image_downloads(transport: Transport, dataset_id: str, folder: Path) -> FileDownloads:
    """Return downloads of the images of samples; keys are the samples' ids."""

    def find_url(sample_id: str) -> str:
        path = make_path("v1", "datasets", dataset_id, "samples", sample_id, "readurl")
        return read_text(transport.get(path, {"type": "full"}))

    return FileDownloads(transport, folder, find_url)


def warn_of_failures(
    failures: Sequence[tuple[str, str]], n_files: int, *, noun: str = "images"
) -> None:
    """Warn of files that could not be downloaded, the first ones by name."""
    if failures:
        listed = "".join(f"\n  {name}: {reason}" for name, reason in failures[:_SHOWN_FAILURES])
        more = len(failures) - _SHOWN_FAILURES
        listed += f"\n  and {more} more" if more > 0 else ""
        warnings.warn(
            f"{len(failures)} of {n_files} {noun} could not be downloaded:{listed}",
            IncompleteDownloadWarning,
            stacklevel=3,
        )
