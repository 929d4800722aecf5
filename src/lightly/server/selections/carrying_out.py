"""Carrying out a selection: pick, explain, and make tag and report in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from lightly.selection import (
    SelectionResult,
    Strategy,
    Threshold,
    explain_selection,
    measure_coverage_curve,
    measure_pick_distances,
    select,
)
from lightly.server.jobs.crash_points import reach
from lightly.server.jobs.models import JobKind
from lightly.server.jobs.task import Task
from lightly.server.selections.columns import pack_columns
from lightly.server.selections.material import Material, make_mask, require_dataset
from lightly.server.selections.models import ReportContent, StoredReport
from lightly.server.selections.reports import make_report
from lightly.server.selections.repository import insert_report
from lightly.server.selections.watch import JobWatch
from lightly.server.tags.models import NewTag
from lightly.server.tags.service import create_tag_in, find_initial_tag

#: Multiply-adds that a job spends on explaining: some 20 s of one core. A selection beyond that has
#: a report without nearest picks.
EXPLAIN_BUDGET = 300_000_000_000
#: The same for the coverage curve; beyond it fewer samples are measured, never less than these.
CURVE_BUDGET = 15_000_000_000
FEWEST_MEASURED = 2_000
N_DRAWS = 5


@dataclass(frozen=True)
class SelectionOrder:
    """A selection, ready to be carried out.

    Attributes:
        n_samples: How many new samples to pick; None for no limit.
        strategies: Over all samples of the dataset's tags.
        vectors: Where distances are measured for the explanation; None where there are none.
        request: What was asked for, as the report repeats it.
        tag_name: Name of the new tag.
        method: What the tag's history calls the selection.
        creator: What the tag says that it was made by.
        preselected_tag_id: The tag that the selection starts with.
        class_names: Names of classes by place of the strategy that balances them.
        remarks: More that the report is to say, by name.
    """

    n_samples: int | None
    strategies: Sequence[Strategy | Threshold]
    vectors: NDArray[np.float32] | None
    request: dict[str, Any]
    tag_name: str
    method: str
    creator: str
    preselected_tag_id: str | None
    class_names: Mapping[int, Sequence[str]] = field(default_factory=dict)
    remarks: Mapping[str, Any] = field(default_factory=dict)


def carry_out(task: Task, material: Material, order: SelectionOrder) -> None:
    """Select, explain, make the tag and store the report: both or nothing.

    Raises:
        ClaimLost: If the job was cancelled, or another attempt has it by now.
    """
    watch = JobWatch(task)
    result = select(
        n_samples=order.n_samples,
        strategies=order.strategies,
        preselected=material.preselected,
        candidates=material.candidates,
        progress=watch.begin("SELECTING"),
    )
    content = explain(result, order, watch)
    blocks = list(pack_columns(content))
    reach("sampling.before_commit")
    with task.conclude() as conclusion:
        dataset = require_dataset(conclusion.connection, task)
        initial = find_initial_tag(conclusion.connection, dataset)
        picks = np.concatenate([material.preselected, result.indices])
        new = NewTag(
            name=order.tag_name,
            mask=make_mask(picks, material.n_samples),
            creator=order.creator,
            user_id=task.user_id,
            prev_tag_id=order.preselected_tag_id or initial.id,
            query_tag_id=material.query_tag_id,
            preselected_tag_id=order.preselected_tag_id,
            changes={"sampler": {"method": order.method}},
        )
        tag_id = create_tag_in(conclusion.connection, dataset, new, now_ms=conclusion.now_ms)
        text = orjson.dumps(content.body | dict(order.remarks)).decode()
        report = StoredReport(tag_id, task.job_id, conclusion.now_ms, text)
        insert_report(conclusion.connection, report, blocks)
        reach("sampling.report_written")
        conclusion.result = {"type": JobKind.SAMPLING.value, "data": tag_id}
    reach("sampling.after_commit")


def explain(result: SelectionResult, order: SelectionOrder, watch: JobWatch) -> ReportContent:
    """Return the report with as much explanation as the budget allows."""
    vectors, n_samples = order.vectors, order.strategies[0].n_samples
    if vectors is None or len(vectors) < n_samples:
        reason = "There was no embedding with a vector of every sample."
        return make_report(
            result,
            order.request,
            explanation=None,
            curve=None,
            unexplained_because=reason,
            class_names=order.class_names,
        )
    vectors = vectors[:n_samples]
    n_selected = len(result.indices) + result.n_preselected
    work_per_sample = max(1, n_selected * vectors.shape[1])
    explanation, reason_or_none = None, None
    if n_samples * work_per_sample <= EXPLAIN_BUDGET:
        explanation = explain_selection(result, vectors, progress=watch.begin("EXPLAINING"))
    else:
        reason_or_none = "The selection is too large: nearest picks would take minutes."
        result = add_distances(result, vectors, watch)
    n_measured = max(FEWEST_MEASURED, CURVE_BUDGET // (work_per_sample * (1 + N_DRAWS)))
    curve = measure_coverage_curve(
        result,
        vectors,
        n_draws=N_DRAWS,
        n_measured=n_measured,
        progress=watch.begin("MEASURING"),
    )
    return make_report(
        result,
        order.request,
        explanation=explanation,
        curve=curve,
        unexplained_because=reason_or_none,
        class_names=order.class_names,
    )


def add_distances(
    result: SelectionResult, vectors: NDArray[np.float32], watch: JobWatch
) -> SelectionResult:
    """Return a result that knows how far picks are from earlier ones, if the budget allows."""
    n_picks = len(result.indices)
    n_products = n_picks * (n_picks + result.n_preselected) * vectors.shape[1]
    # DIVERSITY knows it from picking.
    if not np.isnan(result.distances).all() or n_products > EXPLAIN_BUDGET:
        return result
    distances = measure_pick_distances(result, vectors, progress=watch.begin("EXPLAINING"))
    return replace(result, distances=distances)
