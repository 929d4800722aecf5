"""The pictures that a training sees, as plain pixels in one file on disk.

Each image is read and decoded once, in the limited child processes of `lightly.media`, however many
epochs follow. The file is mapped, so memory does not depend on how many pictures there are.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lightly._kit.atomic_files import write_atomic
from lightly._kit.errors import BadInput
from lightly.embedding.pool import count_cores
from lightly.media.reports import ImageSource
from lightly.media.sandbox import DecodePool, make_request
from lightly.media.sandbox_protocol import Message

#: Share of the free disk that pictures may take.
_DISK_SHARE = 0.5
_COUNT_FILE = "pictures.json"
_PIXELS_FILE = "pictures.u8"

Boxes = Sequence[Sequence[float]]


@dataclass(frozen=True)
class PixelStore:
    """Pictures of one size.

    Attributes:
        path: The file: uint8 of shape (n_pictures, side, side, 3), RGB.
        n_pictures: How many there are.
        side: Their width and height.
        n_left_out: Images that could not be read or decoded.
    """

    path: Path
    n_pictures: int
    side: int
    n_left_out: int = 0

    def open(self) -> NDArray[np.uint8]:
        """Return the mapped pixels."""
        shape = (self.n_pictures, self.side, self.side, 3)
        if self.n_pictures == 0:
            return np.empty(shape, np.uint8)
        return np.memmap(self.path, np.uint8, "r", shape=shape)


def find_pixels(folder: Path, *, key: str) -> PixelStore | None:
    """Return the pictures that an earlier attempt has stored whole; None if it has not.

    Args:
        folder: Where they would be.
        key: Stands for everything that decides about them.
    """
    try:
        found = json.loads((folder / _COUNT_FILE).read_bytes())
        store = PixelStore(
            folder / _PIXELS_FILE, found["n_pictures"], found["side"], found["n_left_out"]
        )
        is_whole = store.path.stat().st_size == store.n_pictures * store.side**2 * 3
    except (OSError, ValueError, KeyError):
        return None
    return store if found["key"] == key and is_whole else None


def store_pixels(
    images: Iterable[tuple[ImageSource, Boxes | None]],
    folder: Path,
    *,
    side: int,
    key: str,
    n_processes: int | None = None,
) -> Iterator[int]:
    """Decode images and store them; yield after each one how many pictures there are.

    Args:
        images: Each image, with the boxes `[x, y, width, height]` in its pixels that are wanted of
            it; None for the image as a whole. Read lazily.
        folder: Where to.
        side: Width and height of the stored pictures: their largest centred square.
        key: As in `find_pixels`.
        n_processes: How many decode; default one per core.

    Raises:
        BadInput: If they take more than half of the disk that is free.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    limit_bytes = int(shutil.disk_usage(folder).free * _DISK_SHARE)
    n_pictures = n_left_out = 0
    processes = n_processes or count_cores()
    command = [sys.executable, "-P", "-m", "lightly.embedding.training.pixel_child"]
    with (
        (folder / _PIXELS_FILE).open("wb") as file,
        DecodePool(processes, look_ahead=2 * processes, command=command) as pool,
    ):
        for answer in pool.ask(_make_request(source, boxes, side) for source, boxes in images):
            if isinstance(answer, str):
                n_left_out += 1
            else:
                pixels = answer.blobs[0]
                file.write(pixels)
                n_pictures += len(pixels) // (side**2 * 3)
            if n_pictures * side**2 * 3 > limit_bytes:
                raise BadInput(
                    f"The pictures to train on take more than half of the free disk, "
                    f"{limit_bytes} bytes. Make lightly_config.collate.input_size smaller, or "
                    "give the worker's folder more room."
                )
            yield n_pictures
    content = {"key": key, "n_pictures": n_pictures, "side": side, "n_left_out": n_left_out}
    write_atomic(folder / _COUNT_FILE, json.dumps(content).encode())


def _make_request(source: ImageSource, boxes: Boxes | None, side: int) -> Message:
    chosen = None if boxes is None else [list(box) for box in boxes]
    return make_request("pixels", source, side=side, boxes=chosen)
