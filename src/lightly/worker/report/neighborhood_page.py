"""The page on near-duplicates and outliers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from lightly.worker.report.pdf import cut_text, make_page, write_table

_MAX_ROWS = 18


def draw_neighborhoods(found: Mapping[str, Any]) -> Figure | None:
    """Return a page on what the images of the input have near them; None where nothing is known."""
    if not found:
        return None
    groups, outliers = found["nearDuplicates"], found["outliers"]
    figure = make_page("Near-duplicates and outliers", is_even=True)
    top, bottom = figure.subplots(2, 1)
    top.set_title(
        f"{groups['nGrouped']:,} of {groups['nCompared']:,} images are in {groups['nGroups']:,} "
        f"groups, each within {groups['maxDistance']:.3g} of another one",
        loc="left",
    )
    rows = [
        [cut_text(group["fileNames"][0]), f"{group['size']:,}", f"{group['nSelected']:,}"]
        for group in groups["groups"][:_MAX_ROWS]
    ]
    write_table(top, ["first of the group", "images", "selected"], rows, widths=(0.7, 0.15, 0.15))
    bottom.set_title(
        f"Images farthest from others: mean distance to the {outliers['nNeighbors']} nearest",
        loc="left",
    )
    rows = [
        [cut_text(one["fileName"]), f"{one['score']:.4g}", "yes" if one["isSelected"] else "no"]
        for one in outliers["highest"][:_MAX_ROWS]
    ]
    write_table(bottom, ["file", "distance", "selected"], rows, widths=(0.7, 0.15, 0.15))
    return figure
