"""The child process of `lightly.embedding.detection_pool.DetectionPool`: decodes and detects."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from lightly.embedding.detection import DetectionSession
from lightly.embedding.detectors import parse_detector
from lightly.media.images import decode_image
from lightly.media.limits import LONGEST_STEP_S
from lightly.media.sandbox_loop import announce_long_step, serve
from lightly.media.sandbox_protocol import Message


def main() -> None:
    """Run the child; its arguments are the job and the settings, both as JSON."""
    job, settings = (json.loads(text) for text in sys.argv[1:3])
    detector = parse_detector(job["entry"], Path(job["path"]))
    session = DetectionSession(detector, n_threads=job["n_threads"])

    def detect(request: Message) -> Iterator[Message | None]:
        pixels = decode_image(bytes(request.blobs[0])).pixels
        # Detectors take a second and more on one core.
        yield announce_long_step(LONGEST_STEP_S)
        yield Message({"kind": "objects", "objects": session.detect(pixels)})

    serve({"detect": detect}, settings)


if __name__ == "__main__":
    main()
