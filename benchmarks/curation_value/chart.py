"""Accuracy against the number of labels, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from benchmarks.curation_value.methods import AUTO, RANDOM
from benchmarks.curation_value.study import Study

# Distinguishable to colour-blind readers (Okabe & Ito).
COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#0072B2", "#D55E00", "#8C6D31")


def draw_studies(studies: Sequence[Study], path: Path) -> None:
    """Draw one panel per kind of pool and write a PNG."""
    figure, panels = plt.subplots(
        1, len(studies), figsize=(4.6 * len(studies), 4.4), sharey=True, squeeze=False
    )
    for study, panel in zip(studies, panels[0], strict=True):
        _draw_panel(study, panel)
    panels[0, 0].set_ylabel("mean class accuracy")
    handles, names = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="lower center", ncols=4, frameon=False)
    figure.tight_layout(rect=(0, 0.13, 1, 1))
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _draw_panel(study: Study, panel: Axes) -> None:
    colours = iter(COLOURS)
    for method in study.accuracies:
        colour = {AUTO: "black", RANDOM: "#999999"}.get(method) or next(colours)
        panel.errorbar(
            study.budgets,
            study.mean(method),
            yerr=study.standard_error(method),
            label=method,
            color=colour,
            linestyle="--" if method.startswith("reference") else "-",
            linewidth=2.4 if method == AUTO else 1.3,
            marker="o",
            markersize=5 if method == AUTO else 3,
            capsize=2,
            zorder=3 if method == AUTO else 2,
        )
    panel.set_xscale("log")
    panel.set_xticks(study.budgets, [f"{budget:,}" for budget in study.budgets])
    panel.minorticks_off()
    panel.set_xlabel("labelled images")
    panel.set_title(f"{study.source}, {study.kind}, {study.n_images:,} images", fontsize=10)
    panel.grid(alpha=0.3)
