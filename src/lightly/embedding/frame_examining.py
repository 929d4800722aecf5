"""In the embedding child: every frame of a video is measured and embedded from one decode."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from lightly.embedding.vectors import Vectors
from lightly.media.frame_stream import StreamedFrame, StreamEnd, digest_pixels, stream_frames
from lightly.media.inspection import encode_frame
from lightly.media.model_input import crop_for_model
from lightly.media.resize_rule import ResizeRule
from lightly.media.sandbox_protocol import Message
from lightly.media.statistics import compute_statistics
from lightly.media.thumbnails import make_thumbnail

RunModel = Callable[[list[Any]], Vectors]


def examine_frames(
    request: Message,
    rule: ResizeRule,
    run_model: RunModel,
    announce: Callable[[], Message | None],
    *,
    batch_size: int,
) -> Iterator[Message | None]:
    """Answer with the frames of a video batch by batch, and at the end with what the video is.

    Args:
        request: `path`, `first`: frames before it are passed over, and `sized_as`: the image
            format whose size in bytes is recorded, or null.
        rule: Geometry of the model's input.
        run_model: Makes vectors of a list of inputs.
        announce: Asks for patience before a long step.
        batch_size: Frames per run of the model.
    """
    first, sized_as = request.header["first"], request.header["sized_as"]
    batch = _Batch(rule, sized_as)
    for found in stream_frames(request.header["path"], first=first):
        yield None
        if isinstance(found, StreamedFrame) and found.index >= first:
            batch.add(found)
        is_end = isinstance(found, StreamEnd)
        if batch.frames and (is_end or len(batch.frames) == batch_size):
            yield announce()
            yield batch.answer(run_model)
            batch = _Batch(rule, sized_as)
        if isinstance(found, StreamEnd):
            yield _answer_end(found)


class _Batch:
    """Frames that wait for the model."""

    def __init__(self, rule: ResizeRule, sized_as: str | None) -> None:
        self._rule = rule
        self._sized_as = sized_as
        self.frames: list[dict[str, Any]] = []
        self._thumbnails: list[bytes] = []
        self._inputs: list[Any] = []

    def add(self, found: StreamedFrame) -> None:
        entry: dict[str, Any] = {
            "index": found.index,
            "timestamp": found.timestamp,
            "is_key": found.is_key,
            "corruption": found.corruption,
        }
        if found.frame is not None:
            pixels = found.frame.pixels
            content = encode_frame(pixels, self._sized_as) if self._sized_as else b""
            metadata: dict[str, Any] = {**compute_statistics(pixels, size_bytes=len(content))}
            if not content:
                del metadata["size_in_bytes"]
            entry["timestamp_s"] = found.frame.timestamp_s
            entry["metadata"] = metadata
            entry["digest"] = digest_pixels(pixels).hex()
            self._thumbnails.append(make_thumbnail(pixels))
            self._inputs.append(crop_for_model(pixels, self._rule))
        self.frames.append(entry)

    def answer(self, run_model: RunModel) -> Message:
        vectors = run_model(self._inputs).tobytes()
        return Message({"kind": "frames", "frames": self.frames}, [*self._thumbnails, vectors])


def _answer_end(end: StreamEnd) -> Message:
    fields = {
        "n_frames": end.n_frames,
        "n_promised": end.n_promised,
        "is_seekable": end.is_seekable,
        "problem": end.problem,
    }
    return Message({"kind": "end", **fields})
