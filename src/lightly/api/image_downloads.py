"""Downloading images of samples into a folder: in parallel, each one whole or not at all."""

from __future__ import annotations

import threading
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from lightly._kit.atomic_files import open_atomic
from lightly._kit.errors import LightlyError
from lightly._kit.safe_paths import resolve_below
from lightly.api.answers import read_text
from lightly.api.blob_files import download_blob
from lightly.api.client_base import make_path
from lightly.api.errors import ConnectionFailed, IncompleteDownloadWarning
from lightly.api.transport import Transport

#: Images per worker that wait their turn; bounds memory whatever the dataset size.
_QUEUED_PER_WORKER = 4
_SHOWN_FAILURES = 10


class _IsComplete(Exception):
    """The file is in the folder already."""


class ImageDownloads:
    """Downloads of one dataset's images into one folder.

    Attributes:
        failures: Name and reason of what was not downloaded, as far as they may be shown.
    """

    def __init__(self, transport: Transport, dataset_id: str, folder: Path) -> None:
        self._transport = transport
        self._dataset_id = dataset_id
        self._folder = folder
        self._lock = threading.Lock()
        self.failures: list[tuple[str, str]] = []

    def run(self, samples: Iterable[tuple[str, str]], *, max_workers: int) -> Iterator[None]:
        """Download samples, given as id and file name; yield whenever one is settled.

        Raises:
            ConnectionFailed: If the server is away for too long.
        """
        n_workers = max(1, max_workers)
        pending: deque[Future[None]] = deque()
        with ThreadPoolExecutor(n_workers, thread_name_prefix="download") as executor:
            try:
                for sample_id, name in samples:
                    pending.append(executor.submit(self._download, sample_id, name))
                    if len(pending) >= _QUEUED_PER_WORKER * n_workers:
                        yield pending.popleft().result()
                while pending:
                    yield pending.popleft().result()
            finally:
                for future in pending:
                    future.cancel()

    def _download(self, sample_id: str, name: str) -> None:
        try:
            # The name comes from the server: it may be anything.
            path = resolve_below(self._folder, name)
            self._transfer(self._find_read_url(sample_id), path)
        except ConnectionFailed:
            raise
        except (LightlyError, OSError) as error:
            reason = (error.strerror or "") if isinstance(error, OSError) else str(error)
            with self._lock:
                self.failures.append((ascii(name)[:80], reason[:200]))

    def _find_read_url(self, sample_id: str) -> str:
        path = make_path("v1", "datasets", self._dataset_id, "samples", sample_id, "readurl")
        return read_text(self._transport.get(path, {"type": "full"}))

    def _transfer(self, url: str, path: Path) -> None:
        there = path.stat().st_size if path.is_file() else None
        with suppress(_IsComplete), open_atomic(path) as target:
            if not download_blob(self._transport, url, target, known_size=there):
                raise _IsComplete


def warn_of_failures(failures: Sequence[tuple[str, str]], n_images: int) -> None:
    """Warn of images that could not be downloaded, the first ones by name."""
    if failures:
        listed = "".join(f"\n  {name}: {reason}" for name, reason in failures[:_SHOWN_FAILURES])
        more = len(failures) - _SHOWN_FAILURES
        listed += f"\n  and {more} more" if more > 0 else ""
        warnings.warn(
            f"{len(failures)} of {n_images} images could not be downloaded:{listed}",
            IncompleteDownloadWarning,
            stacklevel=3,
        )
