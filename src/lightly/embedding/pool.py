"""Images in, vectors out: as many processes as cores, each decoding and running the model.

While one process decodes, another runs the model, and the cores are never without work. What is in
flight is bounded, so memory does not depend on how many images there are. This process itself
loads no image library and no ONNX Runtime.
"""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from lightly._kit.errors import BadInput
from lightly.embedding.examined_frames import FrameOrEnd, read_answers
from lightly.embedding.registry import (
    DEFAULT_MODEL_ID,
    EmbeddingModel,
    check_unchanged,
    find_model,
    format_entry,
    measure_sha256,
)
from lightly.media.errors import SandboxFailed
from lightly.media.limits import MEMORY_BYTES
from lightly.media.reports import ImageReport, ImageSource, measure_source
from lightly.media.sandbox import DecodePool, FrameCount, make_report, make_request
from lightly.media.sandbox_process import ChildSettings
from lightly.media.sandbox_protocol import MAX_BLOBS, Message

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Measured on two cores: 7.8 ms of CPU time per image in batches of 8, 6.9 in batches of 4. The
# activations of a smaller batch stay in the cache.
DEFAULT_BATCH_SIZE = 4
# What a batch may need per image of 224 x 224 beyond the decoder's own memory.
_BATCH_MEMORY_BYTES = 32 * 1024 * 1024
# A process without a model, and how often the weights lie in memory: file, graph, packed kernels.
_PROCESS_BYTES = 256 * 1024 * 1024
_WEIGHT_COPIES = 5


@dataclass(frozen=True, slots=True)
class EmbeddedImage:
    """The outcome for one image.

    Attributes:
        vector: float32 of shape (dim,); None for a corrupt image.
        corruption: Why there is none; None for a good image.
    """

    vector: NDArray[np.float32] | None
    corruption: str | None = None


@dataclass(frozen=True, slots=True)
class ExaminedImage:
    """Everything about one image: what is recorded about it, and its vector.

    Attributes:
        report: Statistics, thumbnail and EXIF, or why the image is corrupt.
        vector: float32 of shape (dim,); None for a corrupt image.
    """

    report: ImageReport
    vector: NDArray[np.float32] | None


@dataclass(frozen=True, slots=True)
class EmbeddedFrame:
    """The vector of one frame of a video; the other fields as in `media.reports.FrameReport`."""

    index: int
    timestamp_s: float | None
    vector: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ExaminedCrop:
    """A part of an image as an image of its own.

    Attributes:
        metadata: As in `lightly.media.reports.ImageReport`.
        thumbnail: A WebP preview.
        content: An image file.
        vector: float32 of shape (dim,).
    """

    metadata: dict[str, Any]
    thumbnail: bytes
    content: bytes
    vector: NDArray[np.float32]


class EmbeddingPool:
    """Embeds images and videos in child processes, in order.

    Args:
        model: What to run.
        normalize: Whether to scale vectors to length 1.
        batch_size: Images per run of the model.
        n_processes: How many processes; default one per core that this process may use, fewer if
            copies of a large model would not fit into memory.

    Raises:
        UnusableModel: On entering, if the file of the model is missing or was changed.
    """

    def __init__(
        self,
        model: EmbeddingModel,
        *,
        normalize: bool = False,
        batch_size: int = DEFAULT_BATCH_SIZE,
        n_processes: int | None = None,
    ) -> None:
        if not 1 <= batch_size <= MAX_BLOBS:
            raise BadInput(f"batch_size must be in [1, {MAX_BLOBS}], got {batch_size}.")
        self._model = model
        self._batch_size = batch_size
        chosen = count_processes(model) if n_processes is None else n_processes
        job = {
            "entry": format_entry(model),
            "path": str(model.path),
            "normalize": normalize,
            "batch_size": batch_size,
            "n_threads": max(1, count_cores() // chosen),
        }
        memory_bytes = MEMORY_BYTES + batch_size * _BATCH_MEMORY_BYTES
        self._pool = DecodePool(
            chosen,
            look_ahead=2 * chosen,
            settings=ChildSettings(memory_bytes=memory_bytes),
            command=[*child_command(), json.dumps(job)],
        )

    def __enter__(self) -> Self:
        """Check the model and start the processes."""
        model = self._model
        check_unchanged("model", model.id, measure_sha256(model.path), model.sha256)
        self._pool.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the processes, whatever they are doing."""
        self._pool.__exit__(kind, error, trace)

    def embed(self, sources: Iterable[ImageSource]) -> Iterator[EmbeddedImage]:
        """Yield the vector of every image, or why it has none, in input order."""
        asked: deque[list[ImageSource]] = deque()

        def requests() -> Iterator[Message]:
            for batch in _batch(sources, self._batch_size):
                asked.append(batch)
                yield _make_batch_request(batch)

        for answer in self._pool.ask(requests()):
            yield from self._read_batch(asked.popleft(), answer)

    def examine(self, sources: Iterable[ImageSource]) -> Iterator[ExaminedImage]:
        """Yield report and vector of every image, in input order.

        The vectors are those of `embed`, the reports those of `DecodePool.inspect_images`.
        """
        asked: deque[ImageSource] = deque()

        def requests() -> Iterator[Message]:
            for source in sources:
                asked.append(source)
                yield make_request("examine", source, with_thumbnail=True)

        for answer in self._pool.ask(requests()):
            report = make_report(answer, asked.popleft())
            vector = None
            if isinstance(answer, Message) and report.corruption is None:
                vector = self._read_vectors(answer, 1)[0]
            yield ExaminedImage(report, vector)

    def embed_crops(
        self, items: Iterable[tuple[ImageSource, Sequence[Sequence[float]]]]
    ) -> Iterator[NDArray[np.float32] | str]:
        """Yield the vectors of boxes within each image, or why there are none, in input order.

        Args:
            items: An image, and boxes `[x, y, width, height]` in its pixels. What of a box lies
                outside of the image does not count; at least one pixel does.
        """
        counts: deque[int] = deque()

        def requests() -> Iterator[Message]:
            for source, boxes in items:
                counts.append(len(boxes))
                yield make_request("embed_crops", source, boxes=[list(box) for box in boxes])

        for answer in self._pool.ask(requests()):
            count = counts.popleft()
            yield answer if isinstance(answer, str) else self._read_vectors(answer, count)

    def examine_crops(
        self,
        items: Iterable[tuple[ImageSource, Sequence[Sequence[float]]]],
        *,
        image_format: str = "png",
    ) -> Iterator[Iterator[ExaminedCrop]]:
        """Yield one iterator per image over the parts of it that boxes cover.

        The iterator of an image ends when the next one is asked for. It raises `CorruptVideo` where
        the image cannot be decoded.

        Args:
            items: As in `embed_crops`.
            image_format: One of `lightly.media.reports.FRAME_FORMATS`.
        """
        requests = (
            make_request(
                "examine_crops",
                source,
                boxes=[list(box) for box in boxes],
                image_format=image_format,
            )
            for source, boxes in items
        )
        for answers in self._pool.stream(requests):
            yield self._read_crops(answers)

    def embed_frames(
        self, videos: Iterable[tuple[str | os.PathLike[str], int]]
    ) -> Iterator[Iterator[EmbeddedFrame]]:
        """Yield one iterator per video over its frames.

        The iterator of a video ends when the next one is asked for. It raises `CorruptVideo` where
        the video cannot be decoded any further.

        Args:
            videos: Path and number of the first frame that is wanted.
        """
        requests = (make_request("embed_frames", path, first=first) for path, first in videos)
        for answers in self._pool.stream(requests):
            yield self._read_frames(answers)

    def examine_frames(
        self, video: str | os.PathLike[str], *, first: int = 0, sized_as: str | None = None
    ) -> Iterator[FrameOrEnd]:
        """Yield everything about every frame of a video from one decode, then about the video.

        Args:
            video: Its path.
            first: Frames before this one are passed over.
            sized_as: Image format whose size in bytes is recorded; none if None, which is faster.

        Raises:
            CorruptVideo: If it has no frame, or where its process is lost.
        """
        request = make_request("examine_frames", video, first=first, sized_as=sized_as)
        for answers in self._pool.stream([request]):
            yield from read_answers(answers, self._read_vectors)

    def count_frames(self, videos: Iterable[str | os.PathLike[str]]) -> Iterator[FrameCount]:
        """Yield the number of frames of every video, in input order."""
        return self._pool.count_frames(videos)

    def _read_batch(
        self, batch: Sequence[ImageSource], answer: Message | str
    ) -> Iterator[EmbeddedImage]:
        if isinstance(answer, Message):
            reasons = answer.header["reasons"]
            vectors = iter(self._read_vectors(answer, reasons.count(None)))
            for reason in reasons:
                yield EmbeddedImage(next(vectors) if reason is None else None, reason)
        elif len(batch) == 1:
            yield EmbeddedImage(None, answer)
        else:
            # The process was lost with the whole batch: one image after the other tells which.
            requests = [_make_batch_request([source]) for source in batch]
            for source, single in zip(batch, self._pool.ask(requests), strict=True):
                yield from self._read_batch([source], single)

    def _read_crops(self, answers: Iterable[Message]) -> Iterator[ExaminedCrop]:
        for answer in answers:
            thumbnail, content, _ = answer.blobs
            vector = self._read_vectors(answer, 1)[0]
            metadata = answer.header["metadata"]
            yield ExaminedCrop(metadata, bytes(thumbnail), bytes(content), vector)

    def _read_frames(self, answers: Iterable[Message]) -> Iterator[EmbeddedFrame]:
        for answer in answers:
            places = answer.header["places"]
            vectors = self._read_vectors(answer, len(places))
            for (index, timestamp_s), vector in zip(places, vectors, strict=True):
                yield EmbeddedFrame(index, timestamp_s, vector)

    def _read_vectors(self, answer: Message, count: int) -> NDArray[np.float32]:
        import numpy as np  # noqa: PLC0415  loads while the processes start

        # The last blob: an examined image has its thumbnail before it.
        vectors = np.frombuffer(answer.blobs[-1], np.float32)
        if vectors.size != count * self._model.dim:
            raise SandboxFailed("An embedding process answered with vectors of another length.")
        return vectors.reshape(count, self._model.dim)


def embed_images(
    sources: Iterable[ImageSource],
    *,
    model: EmbeddingModel | str = DEFAULT_MODEL_ID,
    normalize: bool = False,
    batch_size: int = DEFAULT_BATCH_SIZE,
    n_processes: int | None = None,
) -> Iterator[EmbeddedImage]:
    """Yield a vector for every image, in input order; corrupt images give a reason instead.

    Args:
        sources: Paths, or the bytes of whole files. Read lazily.
        model: A registered model or its id.
        normalize: Whether to scale vectors to length 1.
        batch_size: Images per run of the model.
        n_processes: As in `EmbeddingPool`.
    """
    entry = find_model(model) if isinstance(model, str) else model
    with EmbeddingPool(
        entry, normalize=normalize, batch_size=batch_size, n_processes=n_processes
    ) as pool:
        yield from pool.embed(sources)


def child_command() -> list[str]:
    """Return how an embedding process is started, without its arguments."""
    return [sys.executable, "-P", "-m", "lightly.embedding.embedding_child"]


def count_cores() -> int:
    """Return the number of cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1


def count_processes(model: EmbeddingModel) -> int:
    """Return how many processes to run: one per core, but together in half of the memory."""
    memory_bytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    process_bytes = _PROCESS_BYTES + _WEIGHT_COPIES * measure_source(model.path)
    return max(1, min(count_cores(), memory_bytes // 2 // process_bytes))


def _make_batch_request(batch: Sequence[ImageSource]) -> Message:
    blobs = [source for source in batch if isinstance(source, bytes)]
    # abspath and not resolve: a link keeps the name that it was given.
    paths = [None if isinstance(s, bytes) else os.path.abspath(s) for s in batch]  # noqa: PTH100
    return Message({"operation": "embed", "sources": paths}, blobs)


def _batch(sources: Iterable[ImageSource], size: int) -> Iterator[list[ImageSource]]:
    iterator = iter(sources)
    while batch := list(islice(iterator, size)):
        yield batch
