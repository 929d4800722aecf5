"""Files from and to signed URLs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    read_timeout_s: float | None = None,
    headers: Mapping[str, str] | None = None,
    session: requests.Session | None = None,
    is_wanted: Callable[[requests.Response], bool] | None = None,
) -> bool:
    """Write what a signed URL leads to into a file.

    Where a transfer breaks off it goes on from the last byte that arrived, if the store says that
    the content is still the same; otherwise it begins again.

    Args:
        transport: Opens the URL.
        url: A secret.
        target: An empty file.
        known_size: Size in bytes of what is there already; the same size is not transferred.
        read_timeout_s: Longest silence of the store; that of the client if None.
        headers: Sent with the requests.
        session: Sends the requests; one of the client's own if None.
        is_wanted: Looks at an answer before its content is transferred; False ends the download.

    Returns:
        Whether the file was transferred.

    Raises:
        BlobTransferFailed: If the store refuses, or breaks off again and again.
        ConnectionFailed: If it does not answer.
    """
    part: dict[str, str] = {}
    version = ""
    for attempt in range(1, transport.policy.attempts + 1):
        try:
            with transport.open_blob(
                url, {**(headers or {}), **part}, read_timeout_s=read_timeout_s, session=session
            ) as response:
                if not _continues(response, part, target.tell()):
                    _empty(target)
                    if known_size is not None and known_size == _read_length(response):
                        return False
                    if is_wanted is not None and not is_wanted(response):
                        return False
                    version = _find_version(response)
                for piece in response.iter_content(CHUNK_BYTES):
                    target.write(piece)
            return True
        except requests.RequestException:
            part = _ask_for_rest(version, target.tell())
        except BlobTransferFailed as error:
            if error.status != requests.codes.requested_range_not_satisfiable:
                raise
            part = {}
        transport.policy.sleep(transport.policy.wait_s(attempt))
    raise BlobTransferFailed("The download broke off again and again.")


def _continues(response: requests.Response, asked: Mapping[str, str], size_bytes: int) -> bool:
    """Tell whether an answer is the rest that was asked for.

    Raises:
        BlobTransferFailed: If it is some other part.
    """
    if response.status_code != requests.codes.partial_content:
        return False
    part = response.headers.get("Content-Range", "")
    if not asked or not part.startswith(f"bytes {size_bytes}-"):
        raise BlobTransferFailed("The store sent another part of the file than it was asked for.")
    return True


def _empty(target: IO[bytes]) -> None:
    target.seek(0)
    target.truncate()


def _find_version(response: requests.Response) -> str:
    """Return what tells one content of a URL from a later one; empty if nothing does."""
    tag = response.headers.get("ETag", "")
    # A weak tag promises the same meaning, not the same bytes.
    return tag if tag.startswith('"') else ""


def _ask_for_rest(version: str, size_bytes: int) -> dict[str, str]:
    """Return the headers that ask for what is missing, or for everything if that is not safe."""
    if not version or not size_bytes:
        return {}
    return {"Range": f"bytes={size_bytes}-", "If-Range": version}


def _read_length(response: requests.Response) -> int | None:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isdigit() else None
