"""Folders of small pictures for tests, drawn on the spot."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image

#: Names that trip up careless code: blanks, signs of URLs, several scripts. All lie in folders:
#: clients up to 1.2 look at folders only, if there is one.
ODD_NAMES = ("odd/a b.jpg", "odd/50%+1=x&y.png", "Füße/größe.jpg", "画像/猫.png", "odd/🦜#1.jpg")


def draw_folder(folder: Path, count: int, *, seed: int = 0) -> list[str]:
    """Draw `count` different pictures, some with odd names.

    Returns:
        Their names relative to the folder, sorted.
    """
    generator = np.random.default_rng(seed)
    names = list(ODD_NAMES[:count])
    names += [f"plain/{number:04d}.jpg" for number in range(count - len(names))]
    for name in names:
        coarse = generator.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(coarse).resize((64, 48), Image.Resampling.BICUBIC).save(path)
    return sorted(names)


def write_embeddings(path: Path, names: list[str], dimension: int = 8, *, seed: int = 0) -> None:
    """Write an embeddings CSV with one random row per name."""
    rows = np.random.default_rng(seed).normal(size=(len(names), dimension)).astype(np.float32)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        header = [f"embedding_{number}" for number in range(dimension)]
        writer.writerow(["filenames", *header, "labels"])
        for name, row in zip(names, rows, strict=True):
            writer.writerow([name, *[repr(float(value)) for value in row], 0])
