"""Pages of the PDF on prediction tasks, and on what was balanced."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from lightly.worker.report.balances import BalanceFacts
from lightly.worker.report.pdf import COLOURS, cut_text, draw_histogram, make_page
from lightly.worker.report.task_facts import TaskFacts

_TARGET_COLOUR = "#a23b72"
_BOX_COLOURS = ("#e4572e", "#17bebb", "#ffc914", "#76b041", "#a06cd5", "#2e86ab")
_ROWS_OF_PAGE = 3
_PICTURES_PER_ROW = 4
_BARS = ("input", "selected")
_SETS_SHOWN = ("input", "selected", "random")
_BINS_SHOWN = 25
_CLASSES_SHOWN = 12
_NAME_CHARACTERS = 22
#: Boxes of a picture that can still be told apart.
_MAX_BOXES = 30

Picture = tuple[bytes, int, int]


def draw_balances(balances: Sequence[BalanceFacts]) -> Figure | None:
    """Draw target, input and selection side by side for each strategy BALANCE."""
    if not balances:
        return None
    figure = make_page("Balance: what was asked for and what came out")
    shown = balances[:_ROWS_OF_PAGE]
    grid = figure.subplots(_ROWS_OF_PAGE, 1, squeeze=False).ravel()
    for axes, facts in zip(grid, shown, strict=False):
        _draw_balance(axes, facts)
    for axes in grid[len(shown) :]:
        axes.axis("off")
    return figure


def _draw_balance(axes: Axes, facts: BalanceFacts) -> None:
    places = np.arange(len(facts.names))
    for number, (label, shares, colour) in enumerate(
        [
            ("input", facts.before, COLOURS["input"]),
            ("target", facts.target, _TARGET_COLOUR),
            ("selected", facts.after, COLOURS["selected"]),
        ]
    ):
        axes.bar(places + 0.27 * number, shares, 0.27, color=colour, label=label)
    axes.set_xticks(places + 0.27, [_shorten(name) for name in facts.names], rotation=30)
    farthest = float(np.abs(facts.after - facts.target).max(initial=0))
    axes.set(
        title=f"{cut_text(facts.title)}: off by at most {100 * farthest:.1f} points",
        ylabel="share",
    )
    axes.legend()


def draw_task(
    facts: TaskFacts, content: Mapping[str, Any], pictures: Mapping[str, Picture]
) -> Figure:
    """Draw the page of a task.

    Args:
        facts: Of the task.
        content: The same as the contract's `PredictionTaskInformation`.
        pictures: Preview, width and height of the examples, by file name.
    """
    examples = [(name, boxes) for name, boxes in facts.examples if name in pictures]
    figure = make_page(f"Predictions: {cut_text(facts.name, 48)}")
    ratios = [0.5, 3, 2, 2, 1.6 if examples else 0.01]
    parts: Any = figure.subfigures(len(ratios), 1, height_ratios=ratios)
    top, classes, scores, numbers, bottom = parts
    _write_summary(top, facts, content)
    left, right = classes.subplots(1, 2)
    predictions = content["categoryDistribution"]
    totals = {kind: sum(predictions[kind]["counts"].values()) for kind in _BARS}
    _draw_classes(left, predictions, totals, "Classes of the predictions")
    totals = {kind: len(facts.sets[kind]) for kind in _BARS}
    _draw_classes(
        right, content["categoryToImageWithCategoryCount"], totals, "Images with the class"
    )
    found = [("score of the predictions", content["predictionScoreDistribution"])]
    found += list(content["activeLearningScoreDistributions"].items())
    _draw_numbers(scores, found[:2])
    counts = [
        (f"{_shorten(name)} per image", values)
        for name, values in content["categoryToCountsPerSample"].items()
    ]
    _draw_numbers(numbers, [*(counts[:1] if facts.has_boxes else []), *found[2:]][:2])
    if examples:
        _draw_examples(bottom, examples, pictures, facts)
    return figure


def _write_summary(figure: Any, facts: TaskFacts, content: Mapping[str, Any]) -> None:
    lines = [f"{facts.task_type}, {len(facts.categories):,} classes."]
    for kind in _BARS:
        counts = content["categoryDistribution"][kind]["counts"]
        n_images = len(np.unique(facts.samples[np.isin(facts.samples, facts.sets[kind])]))
        balance = content["categoryDistribution"][kind]["metrics"]["normalizedEntropy"]
        lines.append(
            f"{kind}: {sum(counts.values()):,} predictions in {n_images:,} of "
            f"{len(facts.sets[kind]):,} images; evenness of classes {balance:.2f} of 1."
        )
    figure.text(0.04, 0.9, "\n".join(lines), va="top", fontsize=9)


def _draw_classes(
    axes: Axes, found: Mapping[str, Any], totals: Mapping[str, int], title: str
) -> None:
    """Draw the shares of the largest classes, with room for their names."""
    counts = found["input"]["counts"]
    names = sorted(counts, key=lambda name: -counts[name])[:_CLASSES_SHOWN]
    places = np.arange(len(names))
    for number, kind in enumerate(_BARS):
        shares = [found[kind]["counts"].get(name, 0) / max(1, totals[kind]) for name in names]
        axes.barh(places + 0.4 * number, shares, 0.4, color=COLOURS[kind], label=kind)
    axes.set_yticks(places + 0.2, [_shorten(name) for name in names])
    axes.invert_yaxis()
    axes.set(title=title, xlabel="share")
    if names:
        axes.legend()


def _draw_numbers(figure: Any, found: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    if not found:
        return
    for axes, (title, values) in zip(
        figure.subplots(1, max(2, len(found)), squeeze=False)[0], found, strict=False
    ):
        draw_histogram(axes, _simplify(values), title)


def _simplify(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return a distribution of the sets that people compare, in bins that few samples fill."""
    width = -(-found["bins"] // _BINS_SHOWN)
    n_bins = -(-found["bins"] // width)
    low, high = found["range"]
    # A last bin that is not full ends behind the range.
    shown = {"bins": n_bins, "range": [low, low + (high - low) * n_bins * width / found["bins"]]}
    for kind in _SETS_SHOWN:
        if kind in found:
            counts = np.pad(found[kind]["counts"], (0, n_bins * width - found["bins"]))
            merged = counts.reshape(n_bins, width).sum(axis=1).tolist()
            shown[kind] = {"counts": merged, "metrics": found[kind]["metrics"]}
    return shown


def _shorten(name: str) -> str:
    """Return a class name that fits; its beginning says more than its end."""
    plain = name.encode("ascii", "backslashreplace").decode()
    return plain if len(plain) <= _NAME_CHARACTERS else f"{plain[: _NAME_CHARACTERS - 3]}..."


def _draw_examples(
    figure: Any,
    examples: Sequence[tuple[str, Sequence[Mapping[str, Any]]]],
    pictures: Mapping[str, Picture],
    facts: TaskFacts,
) -> None:
    grid = figure.subplots(1, _PICTURES_PER_ROW)
    for axes in grid:
        axes.axis("off")
    for axes, (name, predictions) in zip(grid, examples, strict=False):
        preview, width, height = pictures[name]
        with Image.open(io.BytesIO(preview)) as image:
            pixels = np.asarray(image.convert("RGB"))
        # The preview is smaller, but boxes are in pixels of the image.
        axes.imshow(pixels, extent=(0, width, height, 0))
        axes.set_title(cut_text(name, 26), fontsize=6)
        for one in [one for one in predictions if one.get("bbox") is not None][:_MAX_BOXES]:
            _draw_box(axes, one, facts)


def _draw_box(axes: Axes, prediction: Mapping[str, Any], facts: TaskFacts) -> None:
    x, y, width, height = prediction["bbox"]
    category_id = prediction["category_id"]
    colour = _BOX_COLOURS[category_id % len(_BOX_COLOURS)]
    axes.add_patch(Rectangle((x, y), width, height, fill=False, edgecolor=colour, linewidth=1))
    label = facts.categories.get(category_id, str(category_id))
    axes.text(x, y, _shorten(label), fontsize=5, color=colour, va="bottom", clip_on=True)
