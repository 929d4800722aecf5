"""The child process of `lightly.media.sandbox.DecodePool`: what it can be asked for.

Its libraries are imported at the top, so that its limits are measured from where it starts.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from lightly.media.inspection import encode_frame, inspect_frame, inspect_image
from lightly.media.reports import ImageReport
from lightly.media.sandbox_loop import Operation, serve
from lightly.media.sandbox_protocol import Message

if TYPE_CHECKING:
    from lightly.media.frames import VideoFrame


def inspect(request: Message) -> Iterator[Message]:
    """Answer with the report of one image; its bytes are the blob, or `path` names the file."""
    source = take_source(request)
    yield write_report(inspect_image(source, with_thumbnail=request.header["with_thumbnail"]))


def take_source(request: Message) -> bytes | str:
    """Return what a request is about: its blob, or a path."""
    path: str = request.header.get("path", "")
    return bytes(request.blobs[0]) if request.blobs else path


def write_report(report: ImageReport, *more: bytes) -> Message:
    """Return the answer with a report; `more` blobs come behind the thumbnail."""
    fields = {
        "metadata": report.metadata,
        "exif": report.exif,
        "corruption": report.corruption,
        "format": report.format,
        "is_animated": report.is_animated,
    }
    blobs = [report.thumbnail] if report.thumbnail is not None else []
    return Message({"kind": "report", **fields}, [*blobs, *more])


def count(request: Message) -> Iterator[Message | None]:
    """Answer with which frames a video has."""
    from lightly.media.frames import iterate_index  # noqa: PLC0415  loads FFmpeg

    for index in iterate_index(request.header["path"]):
        if index is None:
            yield None
            continue
        unit = None if index.unit is None else [index.unit.numerator, index.unit.denominator]
        header = {"kind": "count", "unit": unit, "is_seekable": index.is_seekable}
        yield Message({**header, "n_frames": len(index)}, [index.timestamps.tobytes()])


def inspect_frames(request: Message) -> Iterator[Message | None]:
    """Answer with report, thumbnail and PNG of every frame of a video."""
    from lightly.media.frames import iterate_frames  # noqa: PLC0415  loads FFmpeg

    for frame in iterate_frames(request.header["path"], first=request.header["first"]):
        if frame is None:
            yield None
            continue
        place: dict[str, Any] = {"index": frame.index, "timestamp_s": frame.timestamp_s}
        report = inspect_frame(frame.pixels, **place)
        header = {"kind": "frame", **place, "metadata": report.metadata}
        yield Message(header, [report.thumbnail, report.png])


def read_frames(request: Message) -> Iterator[Message | None]:
    """Answer with some frames of a video, in its order; their numbers are the blob."""
    from lightly.media.frames import iterate_selected  # noqa: PLC0415  loads FFmpeg

    indices = array("q", bytes(request.blobs[0]))
    for frame in iterate_selected(request.header["path"], indices):
        yield None if frame is None else _answer_frame(frame, request.header["image_format"])


def pick_frames(request: Message) -> Iterator[Message | None]:
    """Answer with frames that an earlier pass has seen; the blobs say which."""
    from lightly.media import frame_picking, wanted_frames  # noqa: PLC0415  load FFmpeg

    wanted = wanted_frames.unpack_wanted(request.blobs)
    for frame in frame_picking.pick_frames(request.header["path"], wanted):
        yield None if frame is None else _answer_frame(frame, request.header["image_format"])


OPERATIONS: Mapping[str, Operation] = {
    "inspect": inspect,
    "count": count,
    "inspect_frames": inspect_frames,
    "read_frames": read_frames,
    "pick_frames": pick_frames,
}


def _answer_frame(frame: VideoFrame, image_format: str) -> Message:
    height, width, _ = frame.pixels.shape
    header = {"kind": "frame", "index": frame.index, "timestamp_s": frame.timestamp_s}
    content = encode_frame(frame.pixels, image_format)
    return Message({**header, "width": width, "height": height}, [content])


def main() -> None:
    """Run the child; its settings are the only argument, as JSON."""
    serve(OPERATIONS, json.loads(sys.argv[1]))


if __name__ == "__main__":
    main()
