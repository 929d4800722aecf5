"""The report as a PDF that people read: numbers first, then pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from lightly._kit.atomic_files import open_atomic
from lightly.worker.report.facts import VideoTimeline
from lightly.worker.report.picture_grid import draw_picture_grid

_PAGE_INCHES = (8.27, 11.69)
COLOURS = {
    "input": "#9aa5b1",
    "selected": "#1f7a5a",
    "random": "#c9822b",
    "preselectedDatapool": "#5b6abf",
    "selectedWithDatapool": "#2b3a67",
}
_LABELS = {
    "preselectedDatapool": "datapool",
    "selectedWithDatapool": "selected with datapool",
}
_EVEN_GRID = {
    "left": 0.09, "right": 0.97, "bottom": 0.05, "top": 0.93, "hspace": 0.35, "wspace": 0.22,
}  # fmt: skip
_GRID_AREA = (0.03, 0.03, 0.94, 0.91)
_GRID_ROWS = 6
_MAX_ROWS = 24
#: Videos whose selected frames are shown on a line.
_MAX_VIDEOS = 40


@dataclass(frozen=True, kw_only=True)
class ReportPages:
    """What the PDF shows beside the JSON report.

    Attributes:
        content: The contract's `ReportV2` with wire names.
        facts: Lines for the first page: what and how much.
        curve: Coverage by count of picks: `counts`, `radius`, `random_radius`; None without.
        pictures: Preview and name of some selected images, in pick order.
        pairs: Preview and name of a selected and of its nearest removed image, and the distance.
        excluded: Name, kind and reason of some excluded files.
        more: Draw further pages, which come last.
        timeline: Selected frames of videos; nothing for images.
    """

    content: Mapping[str, Any]
    facts: Sequence[tuple[str, str]]
    curve: Mapping[str, np.ndarray[Any, Any]] | None
    pictures: Sequence[tuple[bytes, str]]
    pairs: Sequence[tuple[tuple[bytes, str], tuple[bytes, str], float]]
    excluded: Sequence[tuple[str, str, str]]
    timeline: Sequence[VideoTimeline] = ()
    more: Sequence[Callable[[], Figure | None]] = ()


def write_pdf(path: Path, pages: ReportPages) -> None:
    """Write the report; the file appears whole or not at all."""
    # Of the library's styles only what is set here: the user's own would change the report.
    with (
        mpl.rc_context(
            {
                **mpl.rcParamsDefault,
                "font.size": 9,
                "axes.grid": True,
                "grid.alpha": 0.3,
                # Pictures keep their pixels.
                "image.composite_image": False,
            }
        ),
        open_atomic(path) as file,
        PdfPages(file) as document,
    ):
        own: tuple[Callable[[ReportPages], Figure | None], ...] = (
            _draw_facts, _draw_distances, _draw_maps, _draw_metadata, _draw_timeline,
            _draw_pictures, _draw_pairs,
        )  # fmt: skip
        of_run: list[Callable[[], Figure | None]] = [partial(draw, pages) for draw in own]
        for draw_page in (*of_run, *pages.more):
            figure = draw_page()
            if figure is not None:
                document.savefig(figure)
        document.infodict()["Title"] = "Lightly selection report"
        document.infodict()["CreationDate"] = datetime.now(UTC)


def make_page(title: str, *, is_even: bool = False) -> Figure:
    """Return a page with a title.

    Args:
        title: Its title.
        is_even: Whether its parts lie on a plain grid, rather than where their texts leave room,
            which takes half a second to find out.
    """
    figure = Figure(figsize=_PAGE_INCHES, layout=None if is_even else "constrained")
    if is_even:
        figure.subplots_adjust(**_EVEN_GRID)
    figure.suptitle(title, x=0.02, ha="left", fontsize=14, fontweight="bold")
    return figure


def _draw_facts(pages: ReportPages) -> Figure:
    figure = make_page("What was selected", is_even=True)
    top, bottom = figure.subplots(2, 1, height_ratios=[3, 2])
    write_table(top, ["", ""], [list(fact) for fact in pages.facts], widths=(0.4, 0.6))
    rows = [
        [cut_text(name), kind, cut_text(reason)]
        for name, kind, reason in pages.excluded[:_MAX_ROWS]
    ]
    bottom.set_title(
        "Left out before the selection" if rows else "Nothing was left out", loc="left"
    )
    write_table(bottom, ["file", "as", "because"], rows, widths=(0.4, 0.15, 0.45))
    return figure


def write_table(
    axes: Axes, header: list[str], rows: list[list[str]], *, widths: tuple[float, ...]
) -> None:
    """Draw texts in rows and columns."""
    axes.axis("off")
    if not rows:
        return
    table = axes.table(
        rows, colLabels=header if any(header) else None, colWidths=list(widths),
        cellLoc="left", loc="upper left", edges="horizontal",
    )  # fmt: skip
    table.auto_set_font_size(False)
    table.set_fontsize(8)


def _draw_distances(pages: ReportPages) -> Figure:
    figure = make_page("How well the selection covers the input", is_even=True)
    found = pages.content["datasetAnalysis"]["embeddingInformation"]
    axes = figure.subplots(3 if pages.curve is not None else 2, 1)
    draw_histogram(
        axes[0],
        found["distanceToCoverInput"],
        "Distance of each input image to the nearest selected",
    )
    draw_histogram(
        axes[1], found["distanceToNearestNeighborInSet"], "Distance to the nearest within the set"
    )
    if pages.curve is not None:
        _draw_curve(axes[2], pages.curve)
    return figure


def _draw_curve(axes: Axes, curve: Mapping[str, np.ndarray[Any, Any]]) -> None:
    axes.plot(curve["counts"], curve["radius"], color=COLOURS["selected"], label="selected")
    random = np.atleast_2d(curve["random_radius"])
    if random.size:
        axes.plot(
            curve["counts"], random.mean(axis=0), color=COLOURS["random"], label="random, mean"
        )
        axes.fill_between(
            curve["counts"], random.min(axis=0), random.max(axis=0),
            color=COLOURS["random"], alpha=0.25,
        )  # fmt: skip
    axes.set(title="Farthest input image from the first k picks", xlabel="k", xscale="log")
    axes.legend()


def draw_histogram(axes: Axes, found: Mapping[str, Any], title: str) -> None:
    """Draw a `NumericDistributionPerSet`, as shares, so that sets can be compared."""
    low, high = found["range"]
    edges = np.linspace(low, high if high > low else low + 1.0, found["bins"] + 1)
    for name, colour in COLOURS.items():
        if name in found and sum(found[name]["counts"]):
            counts = np.array(found[name]["counts"], float)
            label = f"{_LABELS.get(name, name)}, mean {found[name]['metrics']['mean']:.3g}"
            axes.stairs(counts / counts.sum(), edges, color=colour, label=label, linewidth=1.5)
    axes.set(title=title, ylabel="share")
    if axes.get_legend_handles_labels()[0]:
        axes.legend()


def _draw_maps(pages: ReportPages) -> Figure:
    figure = make_page("Maps of the embeddings", is_even=True)
    data = pages.content["datasetAnalysis"]["embeddingInformation"]["scatterPlotData"]
    axes = figure.subplots(2, 1)
    for place, (key, title) in enumerate(
        [
            ("pcaEmbeddingData", "PCA"),
            ("umapEmbeddingData", "UMAP: neighbours stay together (of few images: PCA)"),
        ]
    ):
        for kind, points in (
            ("input", data[key]["input2dEmbeddings"]),
            ("preselectedDatapool", data[key].get("datapool2dEmbeddings", [])),
            ("selected", data[key]["selectedExcludingDatapool2dEmbeddings"]),
        ):
            if points:
                x, y = np.array(points).T
                label = _LABELS.get(kind, kind)
                size = 5 if kind == "input" else 18
                axes[place].scatter(x, y, size, COLOURS[kind], label=label, linewidths=0)
        axes[place].set(title=title, xticks=[], yticks=[])
        axes[place].legend()
    return figure


def _draw_metadata(pages: ReportPages) -> Figure | None:
    found = pages.content["datasetAnalysis"]["metadataInformation"]
    numbers = {**found["lightlyNumeric"], **found["customNumeric"]}
    drawn: list[Callable[[Axes], None]] = [
        partial(draw_histogram, found=values, title=name) for name, values in numbers.items()
    ]
    drawn += [
        partial(draw_bars, found=values, title=name)
        for name, values in found["customCategorical"].items()
    ]
    if not drawn:
        return None
    figure = make_page("Metadata before and after", is_even=not found["customCategorical"])
    rows = (min(len(drawn), 10) + 1) // 2
    grid = figure.subplots(rows, 2, squeeze=False).ravel()
    for axes, draw in zip(grid, drawn, strict=False):
        draw(axes)
    for axes in grid[len(drawn) :]:
        axes.axis("off")
    return figure


def draw_bars(axes: Axes, found: Mapping[str, Any], title: str) -> None:
    """Draw the largest categories of a `CategoricalDistributionPerSet`."""
    names = sorted(found["input"]["counts"], key=lambda name: -found["input"]["counts"][name])[:12]
    for number, kind in enumerate(("input", "selected")):
        counts = found[kind]["counts"]
        total = max(1, sum(counts.values()))
        shares = [counts.get(name, 0) / total for name in names]
        axes.bar(np.arange(len(names)) + 0.4 * number, shares, 0.4, color=COLOURS[kind], label=kind)
    axes.set_xticks(
        np.arange(len(names)) + 0.2, [cut_text(name, 12) for name in names], rotation=45
    )
    axes.set(title=title, ylabel="share")
    axes.legend()


def _draw_timeline(pages: ReportPages) -> Figure | None:
    """Return a page with a line per video and a mark per selected frame; None without videos."""
    if not pages.timeline:
        return None
    most = sorted(pages.timeline, key=lambda one: -len(one.selected))[:_MAX_VIDEOS]
    shown = [one for one in pages.timeline if one in most]
    hidden = len(pages.timeline) - len(shown)
    figure = make_page("When selected frames are shown")
    axes = figure.subplots()
    for row, one in enumerate(shown):
        axes.plot([0, one.n_frames - 1], [row, row], color=COLOURS["input"], linewidth=1)
        marks = np.full(len(one.selected), row)
        axes.plot(one.selected, marks, "|", color=COLOURS["selected"], markersize=12)
    labels = [f"{cut_text(one.video, 40)} ({len(one.selected)} of {one.n_frames})" for one in shown]
    axes.set_yticks(range(len(shown)), labels, fontsize=7)
    axes.set_ylim(len(shown) - 0.5, -0.5)
    more = f", and {hidden} videos with fewer selected frames" if hidden else ""
    axes.set(xlabel=f"number of the frame{more}")
    return figure


def _draw_pictures(pages: ReportPages) -> Figure | None:
    if not pages.pictures:
        return None
    figure = make_page("The first picks", is_even=True)
    cells = [(content, _name_picture(name)) for content, name in pages.pictures[: _GRID_ROWS * 4]]
    draw_picture_grid(figure, _GRID_AREA, cells, n_columns=4, n_rows=_GRID_ROWS)
    return figure


def _draw_pairs(pages: ReportPages) -> Figure | None:
    if not pages.pairs:
        return None
    figure = make_page("Selected, and the nearest image that was not", is_even=True)
    cells: list[tuple[bytes, str] | None] = []
    for selected, removed, distance in pages.pairs[: _GRID_ROWS * 2]:
        cells.append((selected[0], _name_picture(selected[1])))
        cells.append((removed[0], f"at {distance:.3f}: {_name_picture(removed[1])}"))
    draw_picture_grid(figure, _GRID_AREA, cells, n_columns=4, n_rows=_GRID_ROWS)
    return figure


def _name_picture(name: str) -> str:
    return cut_text(name, 28)


def cut_text(text: str, limit: int = 60) -> str:
    """Return a text that fits; the end of a path says more than its beginning."""
    plain = text.encode("ascii", "backslashreplace").decode()
    return plain if len(plain) <= limit else f"...{plain[3 - limit :]}"
