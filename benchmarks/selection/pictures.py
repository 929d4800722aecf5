"""Quality against time: how well picks cover the data, and what finding them costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("Agg")

from matplotlib import pyplot as plt

from benchmarks.selection.data import make_embeddings
from benchmarks.selection.diversity_rows import select_diverse
from benchmarks.selection.measure import run_alone, time_work
from benchmarks.selection.peers import (
    Embeddings,
    Picks,
    pick_at_random,
    pick_with_apricot,
    pick_with_fpsample,
    pick_with_mundig,
    pick_with_numpy,
)

KIND, N_SAMPLES, N_DIMS = "clustered", 5_000, 128
COUNTS = (50, 100, 200, 500)
METHODS: dict[str, Callable[[Embeddings, int], Picks]] = {
    "this engine": select_diverse,
    "numpy greedy": pick_with_numpy,
    "lightly-mundig": pick_with_mundig,
    "fpsample": pick_with_fpsample,
    "apricot facility location": pick_with_apricot,
    "random": pick_at_random,
}


@dataclass(frozen=True)
class Quality:
    """What a method's picks cost and how they cover the data, per number of picks."""

    seconds: list[float]
    radius: list[float]
    mean: list[float]


def draw_pictures(folder: Path) -> None:
    """Measure every method and write the picture."""
    found = {name: run_alone(measure_method, name) for name in METHODS}
    figure, panels = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
    for panel, what in zip(panels, ("radius", "mean"), strict=True):
        for name, quality in found.items():
            panel.plot(quality.seconds, getattr(quality, what), "o-", label=name)
        panel.set_xscale("log")
        panel.set_xlabel("CPU seconds")
        panel.set_title("covering radius" if what == "radius" else "mean distance to nearest pick")
        panel.grid(alpha=0.3)
    panels[0].legend(fontsize=8)
    counts = ", ".join(str(count) for count in COUNTS)
    figure.suptitle(f"{KIND} {N_SAMPLES:,} x {N_DIMS}, {counts} picks; lower left is better")
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / "selection_quality.png", dpi=110)


def measure_method(name: str) -> Quality:
    """Return the costs and the coverage of one method; called in a process of its own."""
    from lightly.selection import measure_coverage
    from lightly.selection.kernels.loading import load_kernels

    load_kernels()
    embeddings = make_embeddings(KIND, N_SAMPLES, N_DIMS)
    METHODS[name](embeddings[:200], 5)
    quality = Quality([], [], [])
    for count in COUNTS:
        seconds, picks = time_work(lambda n=count: METHODS[name](embeddings, n))
        coverage = measure_coverage(embeddings, np.asarray(picks))
        quality.seconds.append(max(seconds, 1e-4))
        quality.radius.append(coverage.radius)
        quality.mean.append(coverage.mean_distance)
    return quality
