"""Frames of the shipped clip."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
from PIL import Image


def extract_frames(video: Path, target_dir: Path, *, every: int) -> Iterator[Path]:
    """Save every n-th frame of a video as JPEG and yield the written files in order of time.

    Args:
        video: Any file that PyAV reads.
        target_dir: Folder for the frames; made if absent.
        every: Distance between two saved frames, in frames.
    """
    target_dir.mkdir(parents=True, exist_ok=True)
    with av.open(str(video)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % every == 0:
                path = target_dir / f"{video.stem}-{number:04}-{video.suffix[1:]}.jpg"
                pixels = frame.to_ndarray(format="rgb24")
                Image.fromarray(pixels).save(path, "JPEG", quality=90)
                yield path
