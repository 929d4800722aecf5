"""The process that decodes: started by `lightly.media.sandbox`, one request at a time.

It has no sockets, may not write files, and is bounded in memory and in CPU time per item. Whatever
happens to it, the parent notices, says so about the item and starts another one.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import cv2

from lightly.media.errors import CorruptMedia
from lightly.media.images import read_bytes
from lightly.media.inspection import inspect_image
from lightly.media.model_input import ResizeRule, crop_for_model, load_model_pixels
from lightly.media.sandbox_protocol import Message, read_message, write_message

#: Answers a request with any number of messages; None in between is a sign of life.
Operation: TypeAlias = Callable[[Message], Iterator[Message | None]]


def serve(operations: Mapping[str, Operation], settings: Mapping[str, Any]) -> None:
    """Answer requests until the parent closes the pipe.

    Args:
        operations: What can be asked for, by name.
        settings: `memory_bytes` and `cpu_s`, see `lightly.media.limits`.
    """
    requests, replies = _claim_standard_streams()
    # A signal for the whole group (Ctrl-C, a service manager) is the parent's business: it closes
    # the pipe when it is done. Dying here would blame the image that is being decoded.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _make_warnings_errors()
    # Parallelism is the number of processes; threads inside would only fight for the cores.
    cv2.setNumThreads(1)
    _limit_resources(int(settings["memory_bytes"]))
    write_message(replies, Message({"kind": "ready"}))
    _silence_errors()
    while (request := read_message(requests)) is not None:
        _limit_cpu_time(int(settings["cpu_s"]))
        if not _answer(operations[request.header["operation"]], request, replies, settings):
            return


def _answer(
    operation: Operation, request: Message, replies: BinaryIO, settings: Mapping[str, Any]
) -> bool:
    """Run one operation; return whether this process may be used again."""
    try:
        for reply in operation(request):
            write_message(replies, reply or Message({"kind": "alive"}))
            _limit_cpu_time(int(settings["cpu_s"]))
    except CorruptMedia as error:
        write_message(replies, Message({"kind": "corrupt", "reason": str(error)}))
    except MemoryError:
        # The heap may be in pieces now; a fresh process is cheaper than finding out.
        write_message(replies, Message({"kind": "out_of_memory"}))
        return False
    write_message(replies, Message({"kind": "done"}))
    return True


def inspect(request: Message) -> Iterator[Message]:
    """Answer with the report of one image; its bytes are the blob, or `path` names the file."""
    source = bytes(request.blobs[0]) if request.blobs else request.header["path"]
    report = inspect_image(source, with_thumbnail=request.header["with_thumbnail"])
    fields = {
        "metadata": report.metadata,
        "exif": report.exif,
        "corruption": report.corruption,
        "format": report.format,
        "is_animated": report.is_animated,
    }
    blobs = [report.thumbnail] if report.thumbnail is not None else []
    yield Message({"kind": "report", **fields}, blobs)


def load_pixels(request: Message) -> Iterator[Message]:
    """Answer with the pixels that a model sees of one image."""
    data = bytes(request.blobs[0]) if request.blobs else read_bytes(request.header["path"])
    pixels = load_model_pixels(data, ResizeRule(**request.header["rule"]))
    yield Message({"kind": "pixels"}, [pixels.tobytes()])


def count(request: Message) -> Iterator[Message | None]:
    """Answer with the number of frames of a video."""
    from lightly.media.frames import iterate_count  # noqa: PLC0415  loads FFmpeg

    n_frames = 0
    for n_frames in iterate_count(request.header["path"]):
        yield None
    yield Message({"kind": "count", "n_frames": n_frames})


def inspect_frames(request: Message) -> Iterator[Message | None]:
    """Answer with report, thumbnail and PNG of every frame of a video."""
    from lightly.media.frame_reports import report_frame  # noqa: PLC0415  loads FFmpeg
    from lightly.media.frames import iterate_frames  # noqa: PLC0415  as above

    for frame in iterate_frames(request.header["path"], first=request.header["first"]):
        if frame is None:
            yield None
            continue
        report = report_frame(frame)
        place = {"index": frame.index, "timestamp_s": frame.timestamp_s}
        yield Message(
            {"kind": "frame", **place, "metadata": report.metadata},
            [report.thumbnail, report.png],
        )


def load_frames(request: Message) -> Iterator[Message | None]:
    """Answer with the pixels that a model sees of every frame of a video."""
    from lightly.media.frames import iterate_frames  # noqa: PLC0415  loads FFmpeg

    rule = ResizeRule(**request.header["rule"])
    for frame in iterate_frames(request.header["path"], first=request.header["first"]):
        if frame is None:
            yield None
            continue
        place = {"index": frame.index, "timestamp_s": frame.timestamp_s}
        pixels = crop_for_model(frame.pixels, rule).tobytes()
        yield Message({"kind": "frame", **place}, [pixels])


OPERATIONS: Mapping[str, Operation] = {
    "inspect": inspect,
    "load_pixels": load_pixels,
    "count": count,
    "inspect_frames": inspect_frames,
    "load_frames": load_frames,
}


def _claim_standard_streams() -> tuple[BinaryIO, BinaryIO]:
    """Keep the two pipes for the protocol: a library that prints must not write into it."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.close(null)
    return requests, replies


def _silence_errors() -> None:
    """Drop what decoders print about bad bytes; until now it explained a failed start."""
    null = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(null, descriptor)
    os.close(null)


def _make_warnings_errors() -> None:
    # What decoders say about bad bytes. Not among them: that Python or Pillow plan a change.
    warnings.simplefilter("error", UserWarning)
    warnings.simplefilter("error", RuntimeWarning)
    # About entries that say nothing of the pixels; honest scanners write such files.
    warnings.filterwarnings("ignore", message="Metadata Warning")
    warnings.filterwarnings("ignore", message="Corrupt EXIF data")


def _limit_resources(memory_bytes: int) -> None:
    try:
        import resource  # noqa: PLC0415  POSIX only
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    sys.dont_write_bytecode = True
    statm = Path("/proc/self/statm")
    if statm.exists():  # elsewhere the address space cannot be measured, so it is not bounded
        used = int(statm.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + memory_bytes, used + memory_bytes))


def _limit_cpu_time(seconds: int) -> None:
    """Let this process use so much CPU time from now on; the kernel ends it after that."""
    try:
        import resource  # noqa: PLC0415  POSIX only
    except ImportError:
        return
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + 1 + seconds, hard))


def main() -> None:
    """Run the child; its settings are the only argument, as JSON."""
    serve(OPERATIONS, json.loads(sys.argv[1]))


if __name__ == "__main__":
    main()
