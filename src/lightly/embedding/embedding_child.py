"""The child process of `lightly.embedding.pool.EmbeddingPool`: decodes images and runs the model.

Both happen in one process, so that only vectors travel and as many processes run as there are
cores. A decoder that crashes takes its process and its batch along; the pool finds out which image
it was.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lightly.embedding.registry import parse_entry
from lightly.embedding.session import EmbeddingSession
from lightly.embedding.vectors import Vectors, normalize_vectors
from lightly.media.errors import CorruptImage
from lightly.media.images import cut_box, decode_image, read_bytes
from lightly.media.limits import LONGEST_STEP_S
from lightly.media.model_input import crop_for_model, load_model_pixels, take_model_pixels
from lightly.media.sandbox_loop import Operation, announce_long_step, serve
from lightly.media.sandbox_protocol import Message

# A model that needs longer for a batch than this asks the parent for patience first.
_SHORT_RUN_S = 1.0


class Embedder:
    """The operations of the child, around one loaded model.

    Args:
        session: The model.
        normalize: Whether to scale vectors to length 1.
        batch_size: Frames of a video per run of the model.
    """

    def __init__(self, session: EmbeddingSession, *, normalize: bool, batch_size: int) -> None:
        self._session = session
        self._normalize = normalize
        self._batch_size = batch_size
        self._last_run_s = LONGEST_STEP_S

    @property
    def operations(self) -> Mapping[str, Operation]:
        """What can be asked for, by name."""
        return {
            "embed": self.embed,
            "examine": self.examine,
            "embed_crops": self.embed_crops,
            "examine_crops": self.examine_crops,
            "embed_frames": self.embed_frames,
            "examine_frames": self.examine_frames,
            "count": _count,
        }

    def embed(self, request: Message) -> Iterator[Message | None]:
        """Answer with the vectors of a batch of images, and why some have none.

        `sources` in the request lists paths; null stands for the next blob.
        """
        contents = iter(request.blobs)
        pixels: list[NDArray[np.uint8]] = []
        reasons: list[str | None] = []
        for path in request.header["sources"]:
            yield None
            try:
                data = bytes(next(contents)) if path is None else read_bytes(path)
                pixels.append(load_model_pixels(data, self._session.model.rule))
                reasons.append(None)
            except CorruptImage as error:
                reasons.append(str(error))
        yield self._announce()
        vectors = self._run(pixels)
        yield Message({"kind": "vectors", "reasons": reasons}, [vectors.tobytes()])

    def examine(self, request: Message) -> Iterator[Message | None]:
        """Answer with the report of one image and its vector behind the thumbnail.

        One image at a time: the model is as fast as on a batch, and a crash costs one image.
        """
        from lightly.media.inspection import inspect_and_keep  # noqa: PLC0415  loads OpenCV
        from lightly.media.sandbox_child import take_source, write_report  # noqa: PLC0415  as above

        report, kept = inspect_and_keep(take_source(request), with_thumbnail=True)
        if kept is None:
            yield write_report(report)
            return
        yield None
        pixels = take_model_pixels(*kept, self._session.model.rule)
        # A large image shall not lie in memory beside what the model needs.
        kept = None
        yield self._announce()
        yield write_report(report, self._run([pixels]).tobytes())

    def embed_crops(self, request: Message) -> Iterator[Message | None]:
        """Answer with one vector per box `[x, y, width, height]` in `boxes`, in their order."""
        data = bytes(request.blobs[0]) if request.blobs else read_bytes(request.header["path"])
        pixels = decode_image(data).pixels
        yield None
        vectors = []
        boxes = request.header["boxes"]
        for start in range(0, len(boxes), self._batch_size):
            cuts = [cut_box(pixels, box) for box in boxes[start : start + self._batch_size]]
            yield self._announce()
            crops = [crop_for_model(cut, self._session.model.rule) for cut in cuts]
            vectors.append(self._run(crops).tobytes())
        yield Message({"kind": "vectors"}, [b"".join(vectors)])

    def examine_crops(self, request: Message) -> Iterator[Message | None]:
        """Answer for each of `boxes` with its part of the image: statistics, files and vector."""
        from lightly.media.inspection import encode_frame  # noqa: PLC0415  loads OpenCV
        from lightly.media.statistics import compute_statistics  # noqa: PLC0415
        from lightly.media.thumbnails import make_thumbnail  # noqa: PLC0415

        data = bytes(request.blobs[0]) if request.blobs else read_bytes(request.header["path"])
        pixels = decode_image(data).pixels
        yield None
        for box in request.header["boxes"]:
            cut = np.ascontiguousarray(cut_box(pixels, box))
            content = encode_frame(cut, request.header["image_format"])
            metadata = compute_statistics(cut, size_bytes=len(content))
            yield self._announce()
            vector = self._run([crop_for_model(cut, self._session.model.rule)])
            blobs = [make_thumbnail(cut), content, vector.tobytes()]
            yield Message({"kind": "crop", "metadata": {**metadata}}, blobs)

    def embed_frames(self, request: Message) -> Iterator[Message | None]:
        """Answer with the vectors of the frames of a video, batch by batch."""
        from lightly.media.frames import iterate_frames  # noqa: PLC0415  loads FFmpeg

        pixels: list[NDArray[np.uint8]] = []
        places: list[tuple[int, float | None]] = []
        for frame in iterate_frames(request.header["path"], first=request.header["first"]):
            yield None
            if frame is not None:
                pixels.append(crop_for_model(frame.pixels, self._session.model.rule))
                places.append((frame.index, frame.timestamp_s))
            if len(pixels) == self._batch_size:
                yield self._announce()
                yield self._answer_frames(places, pixels)
                pixels, places = [], []
        if pixels:
            yield self._announce()
            yield self._answer_frames(places, pixels)

    def examine_frames(self, request: Message) -> Iterator[Message | None]:
        """Answer with reports and vectors of the frames of a video, batch by batch."""
        from lightly.embedding.frame_examining import examine_frames  # noqa: PLC0415  loads FFmpeg

        rule, run_model = self._session.model.rule, self._run
        yield from examine_frames(
            request, rule, run_model, self._announce, batch_size=self._batch_size
        )

    def _answer_frames(
        self, places: Sequence[tuple[int, float | None]], pixels: Sequence[NDArray[np.uint8]]
    ) -> Message:
        return Message({"kind": "frames", "places": places}, [self._run(pixels).tobytes()])

    def _announce(self) -> Message | None:
        return announce_long_step(LONGEST_STEP_S) if self._last_run_s > _SHORT_RUN_S else None

    def _run(self, pixels: Sequence[NDArray[np.uint8]]) -> Vectors:
        if not pixels:
            return np.empty((0, self._session.model.dim), np.float32)
        started = time.monotonic()
        vectors = self._session.run(np.stack(pixels))
        self._last_run_s = time.monotonic() - started
        return normalize_vectors(vectors) if self._normalize else vectors


def _count(request: Message) -> Iterator[Message | None]:
    from lightly.media.sandbox_child import count  # noqa: PLC0415  loads OpenCV, only for videos

    yield from count(request)


def main() -> None:
    """Run the child; its arguments are the job and the settings, both as JSON."""
    job, settings = (json.loads(text) for text in sys.argv[1:3])
    model = parse_entry(job["entry"], Path(job["path"]))
    session = EmbeddingSession(model, n_threads=job["n_threads"])
    embedder = Embedder(session, normalize=job["normalize"], batch_size=job["batch_size"])
    serve(embedder.operations, settings)


if __name__ == "__main__":
    main()
