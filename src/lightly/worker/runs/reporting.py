"""GENERATING_REPORT: what the run has to say, as JSON, PDF and tables."""

from __future__ import annotations

import json
import logging
import time
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightly import __version__
from lightly._kit.atomic_files import write_atomic
from lightly.data.selection_plan.report import describe_coverage, describe_selection
from lightly.selection import CoverageCurve, measure_coverage_curve
from lightly.worker.report.balances import BalanceFacts, describe_balances, list_balances
from lightly.worker.report.content import find_pairs, make_report
from lightly.worker.report.distances import choose_evenly
from lightly.worker.report.facts import (
    LIGHTLY_FIELDS,
    NO_VALUES,
    MetadataValues,
    RunFacts,
    SelectionFacts,
    VideoTimeline,
    pick_at_random,
)
from lightly.worker.report.neighborhoods import describe_neighborhoods
from lightly.worker.report.task_facts import TaskFacts
from lightly.worker.report.tasks import describe_task
from lightly.worker.runs import artifacts
from lightly.worker.runs.context import RunContext
from lightly.worker.runs.data import RunData
from lightly.worker.runs.excluded import read_excluded
from lightly.worker.runs.frame_sequences import average_vectors, write_sequence_information
from lightly.worker.runs.name_list import NamesByPosition
from lightly.worker.runs.preparing import Preparation
from lightly.worker.runs.selecting import Selection
from lightly.worker.runs.selection_inputs import RunInputs
from lightly.worker.runs.tables import list_selected, list_tables, save_tables
from lightly.worker.runs.task_reports import describe_crop_embeddings, gather_tasks
from lightly.worker.runs.video_timeline import (
    describe_timeline,
    list_timeline,
    measure_video_sizes,
)

log = logging.getLogger("lightly.worker")

_PICTURES = 24
#: Pairs on a page.
_PAIRS = 12
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
    if selection.sequences is not None:
        write_sequence_information(
            context.folder.path(artifacts.SEQUENCES_NAME),
            selection.sequences,
            selection.result.indices,
            data.candidates,
            n_earlier=selection.n_earlier,
        )
    if not context.options.upload_report:
        save_tables(context, {"selected": list_selected(data, selection)})
        return
    context.lease.report_state("GENERATING_REPORT", "Writing the report.")
    found = _gather_facts(context, data, inputs, selection)
    timeline = list_timeline(data, selection.picks)
    run = _describe_run(context, preparation, data, selection, started_s)
    tasks = gather_tasks(data, inputs, found)
    crops = describe_crop_embeddings(selection.plan, selection.n_earlier, found)
    described = {
        task.name: describe_task(task, inputs.n_samples, crops.get(task.name)) for task in tasks
    }
    content = make_report(run, found, described)
    # Nothing below asks for them, and drawing takes memory of its own.
    found = replace(found, numbers={}, categories={}, of_datapool=NO_VALUES)
    neighborhoods = describe_neighborhoods(found)
    balances, curve = _list_balances(selection), _measure_curve(selection, found)
    _write_json(context.folder.path(artifacts.REPORT_V2_NAME), content)
    _write_json(
        context.folder.path(artifacts.REPORT_NAME),
        {
            **describe_selection(selection.plan, selection.result),
            **describe_coverage(curve),
            **describe_balances(balances),
            **describe_timeline(timeline),
            **neighborhoods,
        },
    )
    more: list[Callable[[], Any]] = [
        partial(_draw_neighborhoods, neighborhoods),
        *_list_task_pages(data, selection, found, content, tasks, balances),
    ]
    points = _list_points(curve)
    _draw_pdf(context, data, selection, found, content, timeline, points, more)
    tables = list_tables(content, balances, curve)
    save_tables(context, {"selected": list_selected(data, selection, found), **tables})


def _describe_run(
    context: RunContext,
    preparation: Preparation,
    data: RunData,
    selection: Selection,
    started_s: float,
) -> RunFacts:
    base = context.claim.server_url or context.settings.server_url
    run_id = context.claim.run_id
    return RunFacts(
        run_id=run_id,
        run_url=f"{base}/runs/{run_id}",
        dataset_id=preparation.dataset.id,
        dataset_name=preparation.dataset.name,
        dataset_url=f"{base}/datasets/{preparation.dataset.id}",
        started_s=started_s,
        ended_s=time.time(),
        counts=data.counts,
        videos=measure_video_sizes(data, selection.picks),
        engine_version=__version__,
    )


def _gather_facts(
    context: RunContext, data: RunData, inputs: RunInputs, selection: Selection
) -> SelectionFacts:
    start = len(data.datapool)
    vectors = inputs.embeddings
    own = _gather_values(
        data,
        (
            (record.name, record.metadata or {})
            for _, record in data.candidates.iterate(columns=("metadata",))
        ),
    )
    of_datapool = _gather_values(data, inputs.iterate_datapool_metadata()) if start else NO_VALUES
    found = SelectionFacts(
        embeddings=vectors[start:],
        datapool=vectors[:start],
        picks=selection.picks,
        random=pick_at_random(len(data.candidates), len(selection.picks)),
        names=NamesByPosition(inputs.names, start),
        numbers=_drop_unmeasured(own.numbers),
        categories=own.categories,
        of_datapool=of_datapool,
    )
    n_pairs = context.options.n_example_pairs
    return found if n_pairs is None else replace(found, n_pairs=n_pairs)


def _gather_values(
    data: RunData, images: Iterable[tuple[str, Mapping[str, Any]]]
) -> MetadataValues:
    """Return all metadata of images, of which name and what was measured are given."""
    schema = data.annotations.metadata_schema
    numeric = [entry.path for entry in schema if entry.value_type in _NUMERIC]
    numbers = {name: array("d") for name in (*LIGHTLY_FIELDS, *numeric)}
    categories: dict[str, list[str | None]] = {
        entry.path: [] for entry in schema if entry.value_type in _CATEGORICAL
    }
    for image, measured in images:
        for name, field in LIGHTLY_FIELDS.items():
            numbers[name].append(measured.get(field, np.nan))
        values = data.annotations.find_metadata_values(image) if schema else {}
        for path, value in values.items():
            if path in numbers:
                numbers[path].append(np.nan if value is None else value)
            elif path in categories:
                categories[path].append(None if value is None else str(value))
    arrays = {name: np.frombuffer(found, np.float64) for name, found in numbers.items()}
    return MetadataValues(arrays, categories)


def _drop_unmeasured(
    numbers: Mapping[str, NDArray[np.float64]],
) -> dict[str, NDArray[np.float64]]:
    """Return values without measurements that no image has: sizes of frames."""
    return {
        name: values
        for name, values in numbers.items()
        if name not in LIGHTLY_FIELDS or not np.isnan(values).all()
    }


def _list_balances(selection: Selection) -> list[BalanceFacts]:
    # Objects of earlier runs and of new images are one input.
    n_earlier = selection.n_earlier if selection.objects is None else 0
    return list_balances(selection.plan, selection.result, n_earlier=n_earlier)


def _draw_pdf(
    context: RunContext,
    data: RunData,
    selection: Selection,
    found: SelectionFacts,
    content: dict[str, Any],
    timeline: Sequence[VideoTimeline],
    curve: dict[str, NDArray[Any]] | None,
    more: Sequence[Callable[[], Any]],
) -> None:
    from lightly.worker.report.pdf import ReportPages, write_pdf  # noqa: PLC0415  loads a plotter

    pairs = find_pairs(found)[:_PAIRS]
    shown = selection.picks[choose_evenly(len(selection.picks), _PICTURES)]
    wanted = np.unique(np.array([*shown, *(place for pair in pairs for place in pair[:2])], int))
    pictures = {
        position: (record.thumbnail or b"", record.name)
        for position, record in data.candidates.iterate(wanted, columns=("thumbnail",))
    }
    pages = ReportPages(
        content=content,
        facts=_list_facts(data, selection, content),
        curve=curve,
        pictures=[pictures[int(place)] for place in shown],
        pairs=[(pictures[one], pictures[other], distance) for one, other, distance in pairs],
        excluded=list(
            islice(read_excluded(context.folder.path(artifacts.EXCLUDED_NAME)), _PICTURES)
        ),
        timeline=timeline if context.options.draws_timeline else (),
        more=more,
    )
    write_pdf(context.folder.path(artifacts.REPORT_PDF_NAME), pages)


def _draw_neighborhoods(found: dict[str, Any]) -> Any:
    from lightly.worker.report.neighborhood_page import draw_neighborhoods  # noqa: PLC0415  as above

    return draw_neighborhoods(found)


def _list_task_pages(
    data: RunData,
    selection: Selection,
    found: SelectionFacts,
    content: dict[str, Any],
    tasks: Sequence[TaskFacts],
    balances: Sequence[BalanceFacts],
) -> list[Callable[[], Any]]:
    """Return what draws a page on balance and one for each task, with pictures of its objects."""
    from lightly.worker.report.task_pages import draw_balances, draw_task  # noqa: PLC0415  as above

    wanted = {name for task in tasks for name, _ in task.examples}
    places = [int(place) for place in selection.picks if found.names[int(place)] in wanted]
    pictures = {}
    rows = data.candidates.iterate(np.array(places, int), columns=("thumbnail", "metadata"))
    for _, record in rows:
        height, width = (record.metadata or {})["shape"][:2]
        pictures[record.name] = (record.thumbnail or b"", width, height)
    described = content["predictionTaskInformation"]
    pages: list[Callable[[], Any]] = [partial(draw_balances, balances)]
    return pages + [partial(draw_task, task, described[task.name], pictures) for task in tasks]


def _measure_curve(selection: Selection, found: SelectionFacts) -> CoverageCurve | None:
    result, sequences = selection.result, selection.sequences
    if not len(result.indices):
        return None
    vectors = (
        np.concatenate([found.datapool, found.embeddings])
        if len(found.datapool)
        else (found.embeddings)
    )
    if selection.objects is not None:
        vectors = selection.objects.embeddings
    elif sequences is not None:
        vectors = average_vectors(np.asarray(vectors, np.float32), sequences)
    measured = min(_MEASURED, len(vectors) - result.n_preselected)
    return measure_coverage_curve(result, vectors, n_draws=3, n_measured=measured)


def _list_points(curve: CoverageCurve | None) -> dict[str, NDArray[Any]] | None:
    if curve is None:
        return None
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
        *_list_video_facts(data),
        ("files listed" if data.videos is None else "frames", f"{counts.n_listed:,}"),
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


def _list_video_facts(data: RunData) -> list[tuple[str, str]]:
    if data.videos is None:
        return []
    counts = data.videos.counts
    others = counts.n_listed - counts.n_processed - counts.n_corrupt
    shown = f"{counts.n_listed:,}; {counts.n_corrupt:,} corrupt, {others:,} others left out"
    return [("videos listed", shown)]


def _write_json(path: Path, content: dict[str, Any]) -> None:
    write_atomic(path, json.dumps(content, indent=1, allow_nan=False).encode())
