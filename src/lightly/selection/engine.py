"""The selection engine: n of N samples, chosen greedily by one or several strategies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from lightly.selection.blas import hold_blas_to_one_thread
from lightly.selection.diversity import DiversityObjective, DiversityReport
from lightly.selection.embeddings import Float64Array, IndexArray
from lightly.selection.errors import InvalidSelectionInput
from lightly.selection.farthest import FarthestFirst
from lightly.selection.mixture import Mixture
from lightly.selection.progress import Pulse, ReportProgress, ShouldCancel
from lightly.selection.result import SelectionResult
from lightly.selection.samples import read_candidates, read_positions
from lightly.selection.strategy import Objective, Run, StopReason, Strategy, StrategyReport
from lightly.selection.threshold import Threshold, ThresholdReport
from lightly.selection.weights import WeightsObjective, WeightsReport

# When several conditions refuse the same pick, the first of these is reported.
_STOP_ORDER: tuple[StopReason, ...] = ("min_distance", "min_typicality", "max_sum")
# Picks between two beats of progress where nothing else sets the rhythm.
_PICKS_PER_BEAT = 64


def select(
    *,
    n_samples: int | None,
    strategies: Sequence[Strategy | Threshold],
    preselected: ArrayLike = (),
    candidates: ArrayLike | None = None,
    progress: ReportProgress | None = None,
    should_cancel: ShouldCancel | None = None,
) -> SelectionResult:
    """Choose samples so that the selection as a whole is as good as possible.

    Thresholds filter the candidates. Then, one at a time, the candidate c with the largest product
    of Phi_s(S + c)^strength_s over the other strategies s joins the selection S, which starts as
    the preselected samples; ties go to the lowest index, and the order of ``strategies`` does not
    matter. Before each pick the stopping conditions are tested on it; any of them ends the run.

    Picks are those of the defined float64 arithmetic on every machine, whatever the number of
    threads and the memory layout. Complexity and memory: see the strategies.

    Args:
        n_samples: How many new samples to pick; None or -1 for all until a condition stops.
        strategies: At least one; their arrays are in the same order of the same N samples.
        preselected: Positions that are selected from the start, in order; repeats count once.
        candidates: Positions, or one flag per sample, that may be picked; all if None.
        progress: Called every now and then with (picks made, picks aimed at).
        should_cancel: Asked every now and then; True ends the run.

    Returns:
        Picks in order with a report.

    Raises:
        InvalidSelectionInput: If a value breaks a rule, for example is not finite.
        SelectionCancelled: If ``should_cancel`` said so.

    Example:
        >>> import numpy as np
        >>> from lightly.selection import Diversity, select
        >>> corners = np.array([[0, 0], [0, 1], [3, 0], [3, 1]], dtype=np.float32)
        >>> select(n_samples=2, strategies=[Diversity(corners)]).indices
        array([0, 3])
    """
    n_wanted = _read_count(n_samples)
    n_inputs = _agree_on_length(strategies)
    selected = read_positions(preselected, n_inputs, "preselected samples")
    offered = np.setdiff1d(read_candidates(candidates, n_inputs), selected, assume_unique=True)
    eligible, filters = _apply_thresholds(strategies, offered)
    target = len(eligible) if n_wanted is None else min(n_wanted, len(eligible))
    run = Run(
        n_samples=n_inputs,
        samples=eligible,
        preselected=selected,
        n_wanted=target,
        is_mixture=sum(s.strength != 0 for s in strategies if isinstance(s, Strategy)) > 1,
        pulse=Pulse(target, progress, should_cancel),
    )
    with hold_blas_to_one_thread():
        objectives = [s.begin(run) for s in strategies if isinstance(s, Strategy)]
        rows, stop = _pick(run, objectives)
        worked = iter([objective.report() for objective in objectives])
    run.pulse.beat()
    reports = tuple(filters[i] if i in filters else next(worked) for i in range(len(strategies)))
    return SelectionResult(
        indices=eligible[rows],
        gains=_collect_gains(reports, len(rows)),
        distances=_find_distances(reports, len(rows)),
        stop_reason=stop or _explain_end(n_wanted, len(rows), len(eligible)),
        strategies=reports,
        n_wanted=n_wanted,
        n_preselected=len(selected),
        n_candidates=len(offered),
        n_eligible=len(eligible),
        seed=_find_seed(reports),
    )


class _Picker(Protocol):
    """Proposes one candidate after another; ``accept`` follows each that was picked."""

    def next_row(self) -> int | None: ...

    def accept(self) -> None: ...


class _InOrder:
    """Proposes rows in an order that is known from the start."""

    def __init__(self, rows: IndexArray) -> None:
        self._rows = iter(rows)

    def next_row(self) -> int | None:
        row = next(self._rows, None)
        return None if row is None else int(row)

    def accept(self) -> None:
        """Nothing depends on what was picked."""


def _pick(run: Run, objectives: Sequence[Objective]) -> tuple[IndexArray, StopReason | None]:
    """Return the picked rows in order and the condition that ended the run early, if any."""
    picker = _choose_picker(run, objectives)
    picked: list[int] = []
    stop: StopReason | None = None
    while len(picked) < run.n_wanted:
        row = picker.next_row()
        if row is None:
            break
        stop = _check_stops(objectives, row)
        if stop is not None:
            break
        for objective in objectives:
            objective.add(row)
        picker.accept()
        picked.append(row)
        run.pulse.n_picked = len(picked)
        if len(picked) % _PICKS_PER_BEAT == 0:
            run.pulse.beat()
    return np.array(picked, dtype=np.int64), stop


def _choose_picker(run: Run, objectives: Sequence[Objective]) -> _Picker:
    """Return the cheapest way to find the best candidate."""
    active = [objective for objective in objectives if objective.strength != 0]
    if not active:
        return _InOrder(np.arange(len(run.samples)))
    only = active[0] if len(active) == 1 else None
    if isinstance(only, WeightsObjective):
        return _InOrder(only.rank(run.n_wanted))
    if isinstance(only, DiversityObjective) and only.strength > 0:
        return FarthestFirst(only.nearest, run.pulse)
    return Mixture(active, len(run.samples))


def _check_stops(objectives: Sequence[Objective], row: int) -> StopReason | None:
    reasons = {objective.check_stop(row) for objective in objectives}
    return next((reason for reason in _STOP_ORDER if reason in reasons), None)


def _explain_end(n_wanted: int | None, n_picked: int, n_eligible: int) -> StopReason:
    if n_eligible == 0:
        return "no_candidates"
    return "count" if n_picked == n_wanted else "exhausted"


def _read_count(n_samples: int | None) -> int | None:
    if n_samples is None or n_samples == -1:
        return None
    if isinstance(n_samples, bool) or not isinstance(n_samples, (int, np.integer)):
        raise InvalidSelectionInput(
            f"The number of samples must be an integer, -1 or None. Got {str(n_samples)[:40]!r}."
        )
    if n_samples < 0:
        raise InvalidSelectionInput(
            f"The number of samples must be at least 0, or -1 for no limit. Got {n_samples}."
        )
    return int(n_samples)


def _agree_on_length(strategies: Sequence[Strategy | Threshold]) -> int:
    if not strategies:
        raise InvalidSelectionInput("A selection needs at least one strategy. Got none.")
    lengths = [strategy.n_samples for strategy in strategies]
    if len(set(lengths)) > 1:
        raise InvalidSelectionInput(
            f"All strategies must describe the same samples. Got lengths {lengths[:20]}."
        )
    return lengths[0]


def _apply_thresholds(
    strategies: Sequence[Strategy | Threshold], samples: IndexArray
) -> tuple[IndexArray, dict[int, ThresholdReport]]:
    """Return the samples that pass all thresholds, and a report per place in ``strategies``."""
    reports: dict[int, ThresholdReport] = {}
    for place, strategy in enumerate(strategies):
        if isinstance(strategy, Threshold):
            samples, reports[place] = strategy.apply(samples)
    return samples, reports


def _collect_gains(reports: Sequence[StrategyReport], n_picks: int) -> Float64Array:
    gains = np.zeros((n_picks, len(reports)))
    for column, report in enumerate(reports):
        if report.gains.size:
            gains[:, column] = report.gains
    return gains


def _find_distances(reports: Sequence[StrategyReport], n_picks: int) -> Float64Array:
    found = (report.distances for report in reports if isinstance(report, DiversityReport))
    return next(found, np.full(n_picks, np.nan))


def _find_seed(reports: Sequence[StrategyReport]) -> int | None:
    random = (r.seed for r in reports if isinstance(r, (WeightsReport, ThresholdReport)))
    return next((seed for seed in random if seed is not None), None)
