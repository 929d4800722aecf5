"""Sending images: decode, register in batches, then their files in parallel.

Decoding runs in processes of its own while batches are on their way, and few batches are in memory
at any time. A batch is registered as a whole before its files are sent, so at any moment the server
can tell what it has, and whoever starts again sends the rest only.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightly.api.dataset_samples import DatasetSamples, Kind
from lightly.api.errors import ApiException, BlobTransferFailed
from lightly.api.upload_requests import make_sample_request

if TYPE_CHECKING:
    from lightly.api.transport import Transport
    from lightly.api.upload_sources import ImageContent, InspectedImage

#: A batch ends with any of these. The time bounds what a killed client has to decode again.
BATCH_ITEMS = 500
BATCH_BYTES = 8 * 1024 * 1024
BATCH_S = 5.0
#: Answers of a store to a URL that has expired.
_EXPIRED = frozenset({401, 403})


@dataclass
class Problems:
    """Things that went wrong, the first ones by name.

    Attributes:
        count: How many.
        examples: Name and reason of the first ones.
    """

    count: int = 0
    examples: list[tuple[str, str]] = field(default_factory=list)
    max_examples: int = 20

    def add(self, name: str, reason: str) -> None:
        """Note one more."""
        self.count += 1
        if len(self.examples) < self.max_examples:
            self.examples.append((ascii(name)[1:-1][:100], reason[:200]))

    def describe(self) -> str:
        """Return the examples, a line each."""
        lines = [f"\n  {name}: {reason}" for name, reason in self.examples]
        more = self.count - len(lines)
        return "".join(lines) + (f"\n  and {more} more" if more else "")


@dataclass
class _Batch:
    images: list[InspectedImage] = field(default_factory=list)
    size_bytes: int = 0
    started_s: float = field(default_factory=time.monotonic)

    def add(self, image: InspectedImage) -> None:
        self.images.append(image)
        self.size_bytes += len(image.report.thumbnail or b"")
        self.size_bytes += len(image.content) if isinstance(image.content, bytes) else 0

    @property
    def is_full(self) -> bool:
        return (
            len(self.images) >= BATCH_ITEMS
            or self.size_bytes >= BATCH_BYTES
            or time.monotonic() - self.started_s >= BATCH_S
        )


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An image whose files go to the store."""

    image: InspectedImage
    sample_id: str
    kinds: Sequence[Kind]

    def read(self, kind: Kind) -> ImageContent:
        return self.image.content if kind == "full" else self.image.report.thumbnail or b""


@dataclass(frozen=True, slots=True)
class _Sending:
    """A batch whose files are on their way."""

    n_images: int
    wanted: list[_Wanted]
    futures: list[Future[str | None]]

    def cancel(self) -> None:
        for future in self.futures:
            future.cancel()


class UploadEngine:
    """Sends inspected images to one dataset.

    Args:
        transport: Calls the server.
        samples: The dataset.
        kinds: Files to send with each sample.
        custom_metadata: Custom metadata by file name.
        max_workers: Most files that are sent at the same time.

    Attributes:
        corrupt: Images that cannot be decoded. They are left out, so that every sample can have an
            embedding.
        failures: Images that the server or the store refused, or whose file could not be read.
        n_sent: Images that are on the server now.
    """

    def __init__(
        self,
        transport: Transport,
        samples: DatasetSamples,
        kinds: Sequence[Kind],
        custom_metadata: Mapping[str, Any],
        *,
        max_workers: int = 8,
    ) -> None:
        self._transport = transport
        self._samples = samples
        self.kinds = list(kinds)
        self._custom_metadata = custom_metadata
        self._max_workers = max(1, max_workers)
        self.corrupt = Problems()
        self.failures = Problems()
        self.n_sent = 0

    def run(
        self, images: Iterable[InspectedImage], lacking: Mapping[str, Sequence[Kind]]
    ) -> Iterator[int]:
        """Send images; yield how many were settled each time.

        Args:
            images: The images, in the order in which they become samples.
            lacking: Names of those that are registered already, with the files they lack.

        Raises:
            ConnectionFailed: If the server stays away.
            ApiException: If it refuses more than single samples, for example the token.
        """
        under_way: deque[_Sending] = deque()
        with ThreadPoolExecutor(self._max_workers, thread_name_prefix="upload") as executor:
            try:
                for batch in _make_batches(images):
                    wanted = self._register(batch, lacking)
                    under_way.append(self._send_files(executor, batch, wanted))
                    # The batch before this one was sent while this one was decoded.
                    if len(under_way) > 1:
                        yield self._settle(under_way.popleft())
                while under_way:
                    yield self._settle(under_way.popleft())
            finally:
                for sending in under_way:
                    sending.cancel()

    def _register(self, batch: _Batch, lacking: Mapping[str, Sequence[Kind]]) -> list[_Wanted]:
        """Register the good images of a batch; return the files that are wanted."""
        good = [image for image in batch.images if not self._is_corrupt(image)]
        requests = [self._make_request(image, lacking) for image in good]
        wanted = []
        for image, result in zip(good, self._samples.register(requests), strict=True):
            if isinstance(result, ApiException):
                self.failures.add(image.name, str(result))
                continue
            self.n_sent += 1
            if self.kinds:
                wanted.append(_Wanted(image, result, lacking.get(image.name, self.kinds)))
        return wanted

    def _is_corrupt(self, image: InspectedImage) -> bool:
        if image.report.corruption is None:
            return False
        self.corrupt.add(image.name, image.report.corruption)
        return True

    def _make_request(
        self, image: InspectedImage, lacking: Mapping[str, Sequence[Kind]]
    ) -> dict[str, Any]:
        if image.name in lacking:
            # The server has it: the name alone brings its id back.
            return {"fileName": image.name}
        custom = self._custom_metadata.get(image.name)
        return make_sample_request(image, custom, has_thumbnail="thumb" in self.kinds)

    def _send_files(
        self, executor: ThreadPoolExecutor, batch: _Batch, wanted: list[_Wanted]
    ) -> _Sending:
        ids = [one.sample_id for one in wanted]
        urls = self._samples.make_write_urls(ids, self.kinds) if ids else []
        futures = [
            executor.submit(self._send_image, one, image_urls)
            for one, image_urls in zip(wanted, urls, strict=True)
        ]
        return _Sending(len(batch.images), wanted, futures)

    def _send_image(self, wanted: _Wanted, urls: Mapping[Kind, str]) -> str | None:
        """Send the files of one image; return why that failed."""
        try:
            for kind in wanted.kinds:
                self._send_file(wanted, kind, urls[kind])
        except BlobTransferFailed as error:
            return str(error)
        except OSError as error:
            return error.strerror or "the file cannot be read"
        return None

    def _send_file(self, wanted: _Wanted, kind: Kind, url: str) -> None:
        content = wanted.read(kind)
        try:
            self._put(url, content)
        except BlobTransferFailed as error:
            if error.status not in _EXPIRED:
                raise
            # The batch waited for long, or the machine slept: the URL was good once.
            fresh = self._samples.make_write_urls([wanted.sample_id], [kind])
            self._put(fresh[0][kind], content)

    def _settle(self, sending: _Sending) -> int:
        """Wait for the files of a batch and return how many images it had."""
        try:
            for wanted, future in zip(sending.wanted, sending.futures, strict=True):
                reason = future.result()
                if reason is not None:
                    self.failures.add(wanted.image.name, reason)
                    self.n_sent -= 1
        except BaseException:
            sending.cancel()
            raise
        return sending.n_images

    def _put(self, url: str, content: ImageContent) -> None:
        if isinstance(content, Path):
            with content.open("rb") as file:
                self._transport.put_blob(url, file)
        else:
            self._transport.put_blob(url, content)


def _make_batches(images: Iterable[InspectedImage]) -> Iterator[_Batch]:
    batch = _Batch()
    for image in images:
        batch.add(image)
        if batch.is_full:
            yield batch
            batch = _Batch()
    if batch.images:
        yield batch
