"""Everything that a report says in tables, as CSV and Parquet beside the input."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lightly._kit.spreadsheet_cells import protect_cell
from lightly.api.errors import ApiException, BlobTransferFailed, ConnectionFailed
from lightly.data.datasource_files.names import LIGHTLY_FOLDER
from lightly.selection import CoverageCurve
from lightly.worker.report.balances import BalanceFacts
from lightly.worker.report.distances import choose_evenly, find_nearest
from lightly.worker.report.facts import SelectionFacts
from lightly.worker.runs import artifacts
from lightly.worker.runs.context import RunContext
from lightly.worker.runs.data import RunData
from lightly.worker.runs.excluded import read_excluded
from lightly.worker.runs.selecting import Selection

log = logging.getLogger("lightly.worker")

_ROWS_AT_ONCE = 10_000
#: Numbers that are multiplied to find the nearest removed image of every selected one.
_MOST_PRODUCTS = 10**11
_METRICS = ("mean", "std", "min", "median", "max")
_OF_TASKS = (
    "predictionScoreDistribution", "categoryDistribution", "categoryToImageWithCategoryCount",
)  # fmt: skip
Json = Mapping[str, Any]


def save_tables(context: RunContext, tables: Mapping[str, pa.Table]) -> None:
    """Write tables, and that of the excluded files, below `.lightly/runs/`, if possible.

    Args:
        context: Of the run.
        tables: By name.
    """
    folder = f"{LIGHTLY_FOLDER}runs/{context.claim.run_id}/"
    excluded = load_excluded(context.folder.path(artifacts.EXCLUDED_NAME))
    try:
        for name, table in {**tables, "excluded": excluded}.items():
            files = encode_table(name, table)
            context.lightly_side.write([(folder + file, part) for file, part in files])
        vectors = context.folder.path(artifacts.EMBEDDINGS_NAME)
        if context.options.stores_selected_embeddings and vectors.exists():
            name = f"{folder}selected_embeddings.csv"
            context.lightly_side.write([(name, vectors.read_bytes())])
    except (ApiException, BlobTransferFailed, ConnectionFailed, OSError) as error:
        log.warning("The tables of the run cannot be written into the datasource: %s", error)


def list_tables(
    content: Json, balances: Sequence[BalanceFacts], curve: CoverageCurve | None
) -> dict[str, pa.Table]:
    """Return what a report shows as tables by name; those without rows are left out.

    Args:
        content: The report in the contract's form.
        balances: What was balanced.
        curve: How far the input is from what is selected, pick by pick; None without picks.
    """
    tables = {
        "distributions": list_distributions(content),
        "categories": list_categories(content),
        "balances": _list_balances(balances),
        "coverage": _list_coverage(curve),
    }
    return {name: table for name, table in tables.items() if table.num_rows}


def list_selected(
    data: RunData, selection: Selection, found: SelectionFacts | None = None
) -> pa.Table:
    """Return what was selected, in the order of the picks.

    Args:
        data: What the run has found.
        selection: What it has chosen.
        found: The images before and after; with them each pick has its nearest removed image.
    """
    names = {place: record.name for place, record in data.candidates.iterate(selection.picks)}
    picks = [int(place) for place in selection.picks]
    columns: dict[str, Any] = {
        "file_name": pa.array([names[place] for place in picks], pa.string()),
        "pick": list(range(1, len(picks) + 1)),
        "distance_to_earlier": pa.array(selection.distances, pa.float64()),
    }
    if found is not None:
        nearest, distances = find_nearest_removed(found)
        removed = [found.names[int(place)] if place >= 0 else None for place in nearest]
        columns["nearest_removed"] = pa.array(removed, pa.string())
        columns["distance_to_removed"] = pa.array(distances, pa.float64(), from_pandas=True)
    return pa.table(columns)


def find_nearest_removed(
    found: SelectionFacts,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return position and distance of the removed image that is nearest to each pick.

    Of very large inputs evenly spaced removed images are looked at: as many as take some seconds.

    Returns:
        Positions, -1 where nothing was removed, and distances, NaN there.
    """
    removed = np.setdiff1d(np.arange(len(found.embeddings)), found.picks)
    per_image = max(1, len(found.picks) * found.embeddings.shape[1])
    among = removed[choose_evenly(len(removed), max(1, _MOST_PRODUCTS // per_image))]
    return find_nearest(found.embeddings[found.picks], found.embeddings, among=among)


def list_distributions(content: Json) -> pa.Table:
    """Return what the report says of numbers: one row per number and set of images."""
    rows = [
        {
            "about": about,
            "name": name,
            "set": kind,
            **{key: one["metrics"][key] for key in _METRICS},
        }
        for about, name, described in _iterate_described(content)
        for kind, one in described.items()
        if isinstance(one, Mapping) and "mean" in one["metrics"]
    ]
    schema = [(name, pa.string()) for name in ("about", "name", "set")]
    return _make_table(rows, [*schema, *((name, pa.float64()) for name in _METRICS)])


def list_categories(content: Json) -> pa.Table:
    """Return what the report counts: one row per category and set of images."""
    rows = [
        {"about": about, "name": name, "set": kind, "category": category, "count": count}
        for about, name, described in _iterate_described(content)
        for kind, one in described.items()
        if isinstance(one, Mapping) and isinstance(one["counts"], Mapping)
        for category, count in one["counts"].items()
    ]
    schema = [(name, pa.string()) for name in ("about", "name", "set", "category")]
    return _make_table(rows, [*schema, ("count", pa.int64())])


def _iterate_described(content: Json) -> Iterator[tuple[str, str, Json]]:
    """Yield what a distribution is about, its name, and what is described of each set."""
    analysis = content["datasetAnalysis"]
    for name in ("distanceToNearestNeighborInSet", "distanceToCoverInput"):
        yield "embeddings", name, analysis["embeddingInformation"][name]
    for group in analysis["metadataInformation"].values():
        for name, described in group.items():
            yield "metadata", name, described
    for task, one in content["predictionTaskInformation"].items():
        for name, described in one["activeLearningScoreDistributions"].items():
            yield task, name, described
        for name, described in one["categoryToCountsPerSample"].items():
            yield task, f"objects per image: {name}", described
        yield from ((task, name, one[name]) for name in _OF_TASKS if name in one)


def _list_balances(balances: Sequence[BalanceFacts]) -> pa.Table:
    rows = [
        {"title": facts.title, "class": name, "target": target, "input": before, "selected": after}
        for facts in balances
        for name, target, before, after in zip(
            facts.names, facts.target, facts.before, facts.after, strict=True
        )
    ]
    schema = [("title", pa.string()), ("class", pa.string())]
    shares = [(name, pa.float64()) for name in ("target", "input", "selected")]
    return _make_table(rows, [*schema, *shares])


def _list_coverage(curve: CoverageCurve | None) -> pa.Table:
    if curve is None:
        return pa.table({})
    return pa.table(
        {
            "n_selected": curve.counts,
            "radius": curve.radius,
            "mean_distance": curve.mean_distance,
            "random_radius": curve.random_radius.mean(axis=0),
            "random_mean_distance": curve.random_mean_distance.mean(axis=0),
        }
    )


def _make_table(rows: list[dict[str, Any]], schema: Sequence[tuple[str, pa.DataType]]) -> pa.Table:
    return pa.Table.from_pylist(rows, pa.schema(schema))


def load_excluded(path: Path) -> pa.Table:
    """Return the table of excluded files with names as they are."""
    rows = read_excluded(path)
    columns = ("file_name", "excluded_as", "reason")
    schema = pa.schema([(name, pa.string()) for name in columns])
    batches = (
        pa.record_batch([list(column) for column in zip(*batch, strict=True)], schema=schema)
        for batch in iter(lambda: list(islice(rows, _ROWS_AT_ONCE)), [])
    )
    return pa.Table.from_batches(batches, schema)


def encode_table(name: str, table: pa.Table) -> Iterable[tuple[str, bytes]]:
    """Yield the files of a table: CSV, where no cell is a formula, and Parquet as it is."""
    csv_sink, parquet_sink = pa.BufferOutputStream(), pa.BufferOutputStream()
    pa_csv.write_csv(_protect(table), csv_sink)
    pq.write_table(table, parquet_sink)
    yield f"{name}.csv", csv_sink.getvalue().to_pybytes()
    yield f"{name}.parquet", parquet_sink.getvalue().to_pybytes()


def _protect(table: pa.Table) -> pa.Table:
    for position, field in enumerate(table.schema):
        if field.type == pa.string():
            cells = table.column(position).to_pylist()
            safe = pa.array([cell if cell is None else protect_cell(cell) for cell in cells])
            table = table.set_column(position, field, safe.cast(pa.string()))
    return table
