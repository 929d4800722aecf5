"""The child process that decodes pictures for training."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

from lightly.media.images import cut_box, decode_image, read_bytes
from lightly.media.model_input import crop_for_model, load_model_pixels
from lightly.media.resize_rule import ResizeRule
from lightly.media.sandbox_loop import serve
from lightly.media.sandbox_protocol import Message


def make_pixels(request: Message) -> Iterator[Message]:
    """Answer with the pixels of an image, or of `boxes` within it, one after the other."""
    data = bytes(request.blobs[0]) if request.blobs else read_bytes(request.header["path"])
    side, boxes = request.header["side"], request.header["boxes"]
    rule = ResizeRule(side, side)
    if boxes is None:
        pictures = [load_model_pixels(data, rule)]
    else:
        pixels = decode_image(data).pixels
        pictures = [crop_for_model(cut_box(pixels, box), rule) for box in boxes]
    yield Message({"kind": "pixels"}, [b"".join(picture.tobytes() for picture in pictures)])


def main() -> None:
    """Run the child; its settings are the only argument, as JSON."""
    serve({"pixels": make_pixels}, json.loads(sys.argv[1]))


if __name__ == "__main__":
    main()
