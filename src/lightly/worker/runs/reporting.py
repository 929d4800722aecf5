"""GENERATING_REPORT: what the run has to say, as JSON, PDF and tables."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lightly import __version__
from lightly._kit.atomic_files import write_atomic
from lightly._kit.spreadsheet_cells import protect_cell
from lightly.api.errors import ApiException, BlobTransferFailed, ConnectionFailed
from lightly.data.datasource_files.names import LIGHTLY_FOLDER
from lightly.data.selection_plan.report import describe_selection
from lightly.selection import SelectionResult, measure_coverage_curve
from lightly.worker.report.content import find_pairs, make_report
from lightly.worker.report.distances import choose_evenly
from lightly.worker.report.facts import LIGHTLY_FIELDS, RunFacts, SelectionFacts, pick_at_random
from lightly.worker.runs import artifacts
from lightly.worker.runs.context import RunContext
from lightly.worker.runs.data import RunData
from lightly.worker.runs.excluded import read_excluded
from lightly.worker.runs.preparing import Preparation
from lightly.worker.runs.selecting import Selection
from lightly.worker.runs.selection_inputs import RunInputs

log = logging.getLogger("lightly.worker")

_PICTURES = 24
_ROWS_AT_ONCE = 10_000
#: Images whose distance to the picks is followed over the curve.
_MEASURED = 20_000
_NUMERIC = ("NUMERIC_INT", "NUMERIC_FLOAT")
_CATEGORICAL = ("CATEGORICAL_STRING", "CATEGORICAL_INT", "CATEGORICAL_BOOLEAN")


def write_reports(
    context: RunContext,
    preparation: Preparation,
    data: RunData,
    inputs: RunInputs,
    selection: Selection,
    *,
    started_s: float,
) -> None:
    """Write reports and tables into the folder of the run, and tables beside the input."""
    artifacts.write_corruptness_information(
        context.folder.path(artifacts.EXCLUDED_NAME),
        context.folder.path(artifacts.CORRUPTNESS_NAME),
    )
    if not context.options.upload_report:
        return
    context.lease.report_state("GENERATING_REPORT", "Writing the report.")
    found = _gather_facts(data, inputs, selection)
    run = _describe_run(context, preparation, data, started_s)
    content = make_report(run, found)
    _write_json(context.folder.path(artifacts.REPORT_V2_NAME), content)
    _write_json(
        context.folder.path(artifacts.REPORT_NAME),
        describe_selection(selection.plan, selection.result),
    )
    _draw_pdf(context, data, selection, found, content)
    _save_tables(context, data, selection)


def _describe_run(
    context: RunContext, preparation: Preparation, data: RunData, started_s: float
) -> RunFacts:
    base, run_id = context.settings.server_url, context.claim.run_id
    return RunFacts(
        run_id=run_id,
        run_url=f"{base}/runs/{run_id}",
        dataset_id=preparation.dataset.id,
        dataset_name=preparation.dataset.name,
        dataset_url=f"{base}/datasets/{preparation.dataset.id}",
        started_s=started_s,
        ended_s=time.time(),
        counts=data.counts,
        engine_version=__version__,
    )


def _gather_facts(data: RunData, inputs: RunInputs, selection: Selection) -> SelectionFacts:
    start = len(data.datapool)
    vectors = inputs.embeddings
    numbers: dict[str, list[Any]] = {name: [] for name in LIGHTLY_FIELDS}
    schema = data.annotations.metadata_schema
    numbers |= {entry.path: [] for entry in schema if entry.value_type in _NUMERIC}
    categories: dict[str, list[str | None]] = {
        entry.path: [] for entry in schema if entry.value_type in _CATEGORICAL
    }
    names: dict[int, str] = {}
    for position, record in data.candidates.iterate(columns=("metadata",)):
        names[position] = record.name
        measured = record.metadata or {}
        for name, field in LIGHTLY_FIELDS.items():
            numbers[name].append(measured.get(field, np.nan))
        values = data.annotations.find_metadata_values(record.name) if schema else {}
        for path, value in values.items():
            if path in numbers:
                numbers[path].append(np.nan if value is None else value)
            elif path in categories:
                categories[path].append(None if value is None else str(value))
    return SelectionFacts(
        embeddings=vectors[start:],
        datapool=vectors[:start],
        picks=selection.picks,
        random=pick_at_random(len(data.candidates), len(selection.picks)),
        names=names,
        numbers={name: np.array(found, np.float64) for name, found in numbers.items()},
        categories=categories,
    )


def _draw_pdf(
    context: RunContext,
    data: RunData,
    selection: Selection,
    found: SelectionFacts,
    content: dict[str, Any],
) -> None:
    from lightly.worker.report.pdf import ReportPages, write_pdf  # noqa: PLC0415  loads a plotter

    pairs = find_pairs(found)
    shown = selection.picks[choose_evenly(len(selection.picks), _PICTURES)]
    wanted = np.unique(np.array([*shown, *(place for pair in pairs for place in pair[:2])], int))
    pictures = {
        position: (record.thumbnail or b"", record.name)
        for position, record in data.candidates.iterate(wanted, columns=("thumbnail",))
    }
    pages = ReportPages(
        content=content,
        facts=_list_facts(data, selection, content),
        curve=_measure_curve(selection.result, found),
        pictures=[pictures[int(place)] for place in shown],
        pairs=[(pictures[one], pictures[other], distance) for one, other, distance in pairs],
        excluded=list(
            islice(read_excluded(context.folder.path(artifacts.EXCLUDED_NAME)), _PICTURES)
        ),
    )
    write_pdf(context.folder.path(artifacts.REPORT_PDF_NAME), pages)


def _measure_curve(
    result: SelectionResult, found: SelectionFacts
) -> dict[str, NDArray[Any]] | None:
    if not len(result.indices):
        return None
    vectors = (
        np.concatenate([found.datapool, found.embeddings])
        if len(found.datapool)
        else (found.embeddings)
    )
    measured = min(_MEASURED, len(found.embeddings))
    curve = measure_coverage_curve(result, vectors, n_draws=3, n_measured=measured)
    return {
        "counts": curve.counts, "radius": curve.radius, "random_radius": curve.random_radius,
    }  # fmt: skip


def _list_facts(
    data: RunData, selection: Selection, content: dict[str, Any]
) -> list[tuple[str, str]]:
    counts, run = data.counts, content["generalInformation"]["runInformation"]
    dataset = content["generalInformation"]["datasetInformation"]
    kinds = [planned.strategy["type"] for planned in selection.plan.planned]
    return [
        ("dataset", dataset["datasetName"]),
        ("run", run["runId"]),
        ("files listed", f"{counts.n_listed:,}"),
        ("selected", f"{len(selection.picks):,} of {counts.n_processed:,}"),
        ("from earlier runs", f"{len(data.datapool):,}"),
        ("corrupt", f"{counts.n_corrupt:,}"),
        ("exact duplicates", f"{counts.n_duplicate:,}"),
        ("gone before they were read", f"{counts.n_gone:,}"),
        ("left out on request", f"{counts.n_filtered:,}"),
        ("strategies", ", ".join(kinds)),
        ("stopped because of", selection.result.stop_reason),
        ("processing time", f"{run['totalProcessingTimeS']:.0f} s"),
        ("worker", __version__),
    ]


def _save_tables(context: RunContext, data: RunData, selection: Selection) -> None:
    """Write the tables of selected and excluded files below `.lightly/runs/`, if possible."""
    names = {place: record.name for place, record in data.candidates.iterate(selection.picks)}
    picks = [int(place) for place in selection.picks]
    selected = pa.table(
        {
            "file_name": [names[place] for place in picks],
            "pick": list(range(1, len(picks) + 1)),
            "distance_to_earlier": pa.array(selection.result.distances, pa.float64()),
        }
    )
    path = context.folder.path(artifacts.EXCLUDED_NAME)
    files = [*encode_table("selected", selected), *encode_table("excluded", load_excluded(path))]
    folder = f"{LIGHTLY_FOLDER}runs/{context.claim.run_id}/"
    try:
        context.lightly_side.write([(folder + name, content) for name, content in files])
    except (ApiException, BlobTransferFailed, ConnectionFailed, OSError) as error:
        log.warning("The tables of the run cannot be written into the datasource: %s", error)


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
            cells = pa.array(map(protect_cell, table.column(position).to_pylist()), pa.string())
            table = table.set_column(position, field, cells)
    return table


def _write_json(path: Path, content: dict[str, Any]) -> None:
    write_atomic(path, json.dumps(content, indent=1, allow_nan=False).encode())
