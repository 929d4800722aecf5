"""Pictures for runs: photos of one size, as many files as wanted."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from benchmarks.embedding_throughput import make_photos

#: Different pictures; files beyond that repeat them with other bytes behind their end.
N_PHOTOS = 60


def write_folder(folder: Path, photos: list[bytes], count: int, *, first: int = 0) -> None:
    """Write files of different bytes.

    Args:
        folder: Where to.
        photos: What they show, in turn.
        count: How many.
        first: Number of the first one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        content = photos[number % len(photos)] + b"%08d" % number
        (folder / f"{number:06d}.jpg").write_bytes(content)


def draw_tiny_picture() -> bytes:
    """Return a picture that is decoded in no time."""
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16), (90, 120, 60)).save(buffer, "JPEG")
    return buffer.getvalue()


def make_all_photos() -> list[bytes]:
    """Return the different pictures."""
    return make_photos(N_PHOTOS)
