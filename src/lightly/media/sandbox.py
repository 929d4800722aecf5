"""A pool of child processes that decode bytes of strangers.

A decoder that crashes, hangs or eats memory costs one item, which gets a reason; its process is
replaced and the work goes on. Results come in input order, with a bounded number in flight.

Source: threat T28 of the project's threat list.
"""

from __future__ import annotations

import os
import queue
import threading
from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from lightly._kit.errors import BadInput
from lightly.media.errors import CorruptVideo, SandboxFailed
from lightly.media.reports import (
    FRAME_FORMATS,
    ExtractedFrame,
    FrameReport,
    ImageReport,
    ImageSource,
    measure_source,
)
from lightly.media.sandbox_process import (
    ChildLost,
    ChildSettings,
    DecodeProcess,
    Watchdog,
    default_command,
)
from lightly.media.sandbox_protocol import Message

# Answers that wait for the consumer of one item; more than one only where an item has many.
_REPLIES_AHEAD = 4
_CANCEL_POLL_S = 0.1
_MISSING_ANSWER = "Decoding gave no answer."


@dataclass(frozen=True, slots=True)
class FrameCount:
    """Which frames a video has.

    Attributes:
        n_frames: How many can be decoded; None, with the reason, if that cannot be found out.
        corruption: The reason.
        timestamps: When each is shown, in units: 8 bytes each, as in
            `lightly.media.frames.FrameIndex`.
        unit: Numerator and denominator of the seconds of one unit; None if not known.
        is_seekable: As in `FrameIndex`.
    """

    n_frames: int | None
    corruption: str | None = None
    timestamps: bytes = b""
    unit: tuple[int, int] | None = None
    is_seekable: bool = False


class DecodePool:
    """Decodes in child processes, each one bounded in memory, CPU time and patience.

    Processes start when the block is entered and end with it. The methods may be called from
    several threads at once; each call keeps its own order.

    Args:
        n_processes: How many images are decoded at the same time.
        look_ahead: How many items of one call may be in flight; default 2 per process and 2.
        settings: What one item may cost.
        command: How a child is started; for tests.

    >>> with DecodePool(n_processes=1) as pool:
    ...     [report.corruption for report in pool.inspect_images([b""])]
    ['The file is empty.']
    """

    def __init__(
        self,
        n_processes: int = 2,
        *,
        look_ahead: int | None = None,
        settings: ChildSettings | None = None,
        command: Sequence[str] | None = None,
    ) -> None:
        if n_processes < 1:
            raise BadInput(f"n_processes must be at least 1, got {n_processes}.")
        self._n_processes = n_processes
        self._look_ahead = 2 * n_processes + 2 if look_ahead is None else look_ahead
        self._settings = settings or ChildSettings()
        self._command = list(command or default_command())
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._processes: set[DecodeProcess] = set()
        self._threads: list[threading.Thread] = []
        self._watchdog: Watchdog | None = None
        self._closed = threading.Event()

    def __enter__(self) -> Self:
        """Start the processes."""
        self._watchdog = Watchdog()
        for number in range(self._n_processes):
            thread = threading.Thread(target=self._work, name=f"decode-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the processes, whatever they are doing."""
        with self._lock:
            self._closed.set()
            for process in self._processes:
                process.kill()
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads:
            thread.join()
        if self._watchdog is not None:
            self._watchdog.stop()

    def inspect_images(
        self, sources: Iterable[ImageSource], *, with_thumbnails: bool = True
    ) -> Iterator[ImageReport]:
        """Yield the report of every image, in input order.

        Args:
            sources: Paths, or the bytes of whole files. Read lazily.
            with_thumbnails: Whether to make previews.

        Raises:
            SandboxFailed: If processes cannot be started. A bad image is a report, not an error.
        """
        extra = {"with_thumbnail": with_thumbnails}
        requests = (make_request("inspect", source, **extra) for source in sources)
        for task in self._map(requests):
            answer = task.take_one()
            request = task.request
            yield make_report(answer, request.blobs[0] if request.blobs else request.header["path"])

    def count_frames(self, videos: Iterable[str | os.PathLike[str]]) -> Iterator[FrameCount]:
        """Yield the number of frames of every video, in input order."""
        for task in self._map(make_request("count", video) for video in videos):
            answer = task.take_one()
            if isinstance(answer, str):
                yield FrameCount(None, answer)
            else:
                yield _make_frame_count(answer)

    def inspect_frames(
        self, video: str | os.PathLike[str], *, first: int = 0
    ) -> Iterator[FrameReport]:
        """Yield the report of every frame of a video from number `first` on.

        Raises:
            CorruptVideo: Where the video cannot be decoded any further.
        """
        for answers in self.stream([make_request("inspect_frames", video, first=first)]):
            for answer in answers:
                thumbnail, png = answer.blobs
                yield FrameReport(
                    index=answer.header["index"],
                    timestamp_s=answer.header["timestamp_s"],
                    metadata=answer.header["metadata"],
                    thumbnail=thumbnail,
                    png=png,
                )

    def read_frames(
        self,
        videos: Iterable[tuple[str | os.PathLike[str], Iterable[int]]],
        *,
        image_format: str = "rgb",
    ) -> Iterator[Iterator[ExtractedFrame]]:
        """Yield one iterator per video over some of its frames, in the order of the video.

        Each video is decoded once, up to the last frame that is wanted. Numbers of frames that it
        does not have are left out. The iterator of a video ends when the next one is asked for; it
        raises `CorruptVideo` where the video cannot be decoded any further.

        Args:
            videos: Path and numbers of the wanted frames.
            image_format: `png` or `jpg` for image files, `rgb` for pixels.
        """
        if image_format not in (*FRAME_FORMATS, "rgb"):
            raise BadInput(f"image_format must be png, jpg or rgb, got {image_format[:20]!r}.")
        requests = (
            Message(
                make_request("read_frames", path, image_format=image_format).header,
                [array("q", indices).tobytes()],
            )
            for path, indices in videos
        )
        for answers in self.stream(requests):
            yield (_make_frame(answer) for answer in answers)

    def ask(self, requests: Iterable[Message]) -> Iterator[Message | str]:
        """Yield the first answer to every request, in order, or the reason why there is none."""
        for task in self._map(requests):
            yield task.take_one()

    def stream(self, requests: Iterable[Message]) -> Iterator[Iterator[Message]]:
        """Yield one iterator over the answers per request, in order.

        The iterator of a request ends when the next one is asked for. It raises `CorruptVideo`,
        with the reason, where the answers break off.
        """
        for task in self._map(requests):
            yield task.take_all()

    def _map(self, requests: Iterable[Message]) -> Iterator[_Task]:
        pending: deque[_Task] = deque()
        try:
            for request in requests:
                pending.append(self._submit(request))
                if len(pending) > self._look_ahead:
                    yield pending[0]
                    pending.popleft().cancel()
            while pending:
                yield pending[0]
                pending.popleft().cancel()
        finally:
            for task in pending:
                task.cancel()

    def _submit(self, request: Message) -> _Task:
        if self._closed.is_set() or not self._threads:
            raise SandboxFailed("The pool is not open: use it inside its `with` block.")
        task = _Task(request, self._closed)
        self._tasks.put(task)
        return task

    def _work(self) -> None:
        process: DecodeProcess | None = None
        try:
            while (task := self._tasks.get()) is not None:
                process = self._run(task, process)
        finally:
            self._drop(process)

    def _run(self, task: _Task, process: DecodeProcess | None) -> DecodeProcess | None:
        """Run one task and return the process if it can run another."""
        is_second_try = False
        while not task.is_cancelled:
            try:
                process = process or self._start()
                for answer in process.ask(task.request):
                    if not task.put(answer):
                        break
                else:
                    task.put(None)
                    return process
            except ChildLost as lost:
                # Once more, for what some other process may have caused.
                if not lost.is_from_outside or is_second_try or task.is_begun:
                    task.put(lost.reason)
            except Exception as error:  # noqa: BLE001  raised again by whoever takes the answer
                task.put(error)
            self._drop(process)
            process = None
            if task.is_settled:
                break
            is_second_try = True
        return process

    def _start(self) -> DecodeProcess:
        assert self._watchdog is not None  # noqa: S101  threads only run while it does
        process = DecodeProcess(self._command, self._settings, self._watchdog)
        with self._lock:
            self._processes.add(process)
            if self._closed.is_set():
                process.kill()
        return process

    def _drop(self, process: DecodeProcess | None) -> None:
        if process is not None:
            with self._lock:
                self._processes.discard(process)
            process.close()


class _Task:
    """A request and the answers that came so far.

    The queue ends with None, with a reason (text), or with an exception for whoever waits.
    """

    def __init__(self, request: Message, pool_closed: threading.Event) -> None:
        self.request = request
        self._pool_closed = pool_closed
        self.is_begun = False
        self.is_settled = False
        self._answers: queue.Queue[Message | str | Exception | None] = queue.Queue(_REPLIES_AHEAD)
        self._cancelled = threading.Event()

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled.is_set() or self._pool_closed.is_set()

    def cancel(self) -> None:
        self._cancelled.set()

    def put(self, answer: Message | str | Exception | None) -> bool:
        """Hand an answer over; return False if nobody wants it any more."""
        self.is_begun = True
        self.is_settled = self.is_settled or not isinstance(answer, Message)
        while not self.is_cancelled:
            try:
                self._answers.put(answer, timeout=_CANCEL_POLL_S)
            except queue.Full:
                continue
            return True
        return False

    def take_one(self) -> Message | str:
        """Return the first answer, or the reason why there is none."""
        answer = self._take()
        if answer is None:
            return _MISSING_ANSWER
        if isinstance(answer, Message) and answer.header.get("kind") == "corrupt":
            return str(answer.header["reason"])
        return answer

    def take_all(self) -> Iterator[Message]:
        """Yield the answers; raise `CorruptVideo` with the reason where they break off."""
        while (answer := self._take()) is not None:
            if isinstance(answer, str):
                raise CorruptVideo(answer)
            if answer.header.get("kind") == "corrupt":
                raise CorruptVideo(str(answer.header["reason"]))
            yield answer

    def _take(self) -> Message | str | None:
        answer = self._wait_for_answer()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _wait_for_answer(self) -> Message | str | Exception | None:
        while not self.is_cancelled:
            try:
                return self._answers.get(timeout=_CANCEL_POLL_S)
            except queue.Empty:
                continue
        raise SandboxFailed("The pool was closed, or the next video begun, before this answer.")


def make_request(operation: str, source: ImageSource, **extra: Any) -> Message:
    """Return the request for an operation on one file or on the bytes of one."""
    header = {"operation": operation, **extra}
    if isinstance(source, bytes):
        return Message(header, [source])
    return Message({**header, "path": os.path.abspath(source)})  # noqa: PTH100  links stay as named


def _make_frame_count(answer: Message) -> FrameCount:
    header = answer.header
    unit = None if header["unit"] is None else (int(header["unit"][0]), int(header["unit"][1]))
    return FrameCount(
        int(header["n_frames"]), None, answer.blobs[0], unit, bool(header["is_seekable"])
    )


def _make_frame(answer: Message) -> ExtractedFrame:
    header = answer.header
    return ExtractedFrame(
        index=header["index"],
        timestamp_s=header["timestamp_s"],
        width=header["width"],
        height=header["height"],
        content=answer.blobs[0],
    )


def make_report(answer: Message | str, source: ImageSource) -> ImageReport:
    """Return what a child said about an image, or the reason why it said nothing."""
    if isinstance(answer, str):
        return ImageReport({"size_in_bytes": measure_source(source)}, corruption=answer)
    header = answer.header
    return ImageReport(
        metadata=header["metadata"],
        thumbnail=answer.blobs[0] if answer.blobs else None,
        exif=header["exif"],
        corruption=header["corruption"],
        format=header["format"],
        is_animated=header["is_animated"],
    )
