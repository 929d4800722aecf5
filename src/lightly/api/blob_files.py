"""Files from and to signed URLs."""

from __future__ import annotations

from typing import IO

import requests

from lightly.api.errors import BlobTransferFailed
from lightly.api.progress import ProgressBar
from lightly.api.transport import Transport

CHUNK_BYTES = 1024 * 1024


class CountedFile:
    """A file that moves a progress bar on while it is sent."""

    def __init__(self, file: IO[bytes], bar: ProgressBar) -> None:
        self._file = file
        self._bar = bar

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        piece = self._file.read(size)
        self._bar.update(len(piece))
        return piece

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move in the file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return where the file stands."""
        return self._file.tell()

    def seekable(self) -> bool:
        """Return True."""
        return True


def download_blob(
    transport: Transport,
    url: str,
    target: IO[bytes],
    *,
    known_size: int | None = None,
) -> bool:
    """Write what a signed URL leads to into a file; begin again where a transfer breaks off.

    Args:
        transport: Opens the URL.
        url: A secret.
        target: An empty file.
        known_size: Size in bytes of what is there already; the same size is not transferred.

    Returns:
        Whether the file was transferred.

    Raises:
        BlobTransferFailed: If the store refuses, or breaks off again and again.
        ConnectionFailed: If it does not answer.
    """
    for attempt in range(1, transport.policy.attempts + 1):
        try:
            with transport.open_blob(url) as response:
                if known_size is not None and known_size == _read_length(response):
                    return False
                for piece in response.iter_content(CHUNK_BYTES):
                    target.write(piece)
            return True
        except requests.RequestException:
            target.seek(0)
            target.truncate()
        transport.policy.sleep(transport.policy.wait_s(attempt))
    raise BlobTransferFailed("The download broke off again and again.")


def _read_length(response: requests.Response) -> int | None:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isdigit() else None
