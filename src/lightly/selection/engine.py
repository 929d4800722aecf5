"""The selection engine: n of N samples, chosen greedily by one or several strategies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, cast

import numpy as np
from numpy.typing import ArrayLike

from lightly.selection.auto import AutoObjective
from lightly.selection.balance import BalanceObjective
from lightly.selection.blas import hold_blas_to_one_thread
from lightly.selection.diversity import DiversityObjective, DiversityReport
from lightly.selection.embeddings import Float64Array, IndexArray
from lightly.selection.errors import InvalidSelectionInput, SelectionCancelled
from lightly.selection.farthest import FarthestFirst
from lightly.selection.fingerprint import SelectionInput
from lightly.selection.mixture import Mixture
from lightly.selection.object_diversity import ObjectDiversityReport
from lightly.selection.progress import Pulse, ReportProgress, ShouldCancel
from lightly.selection.representative import LazyFirst, RepresentativeObjective
from lightly.selection.result import SelectionResult
from lightly.selection.samples import read_candidates, read_positions
from lightly.selection.short_runs import select_shortly
from lightly.selection.state import Memory, SelectionState, save_state
from lightly.selection.strategy import Objective, Run, StopReason, Strategy, StrategyReport
from lightly.selection.threads import count_threads, use_threads
from lightly.selection.threshold import Threshold, ThresholdReport
from lightly.selection.weights import WeightsObjective, WeightsReport

# When several conditions refuse the same pick, the first of these is reported.
_STOP_ORDER: tuple[StopReason, ...] = ("min_distance", "min_typicality", "max_sum")
# Takes what returns the state of a run.
KeepState = Callable[[Callable[[], SelectionState]], None]
_NO_ROWS = np.empty(0, dtype=np.int64)
# Picks between two beats of progress where nothing else sets the rhythm, and candidates that are
# looked at between two beats where a pick may look at all.
_PICKS_PER_BEAT = 64
_CANDIDATES_PER_BEAT = 1 << 20


def select(
    *,
    n_samples: int | None,
    strategies: Sequence[Strategy | Threshold],
    preselected: ArrayLike = (),
    candidates: ArrayLike | None = None,
    resume: SelectionState | None = None,
    threads: int | None = None,
    progress: ReportProgress | None = None,
    should_cancel: ShouldCancel | None = None,
    keep: KeepState | None = None,
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
        resume: State of an earlier run on the same input with a lower count. Its picks come first
            and count: the result equals that of one run from the start.
        threads: How many to use; by default what ``LIGHTLY_SELECTION_THREADS`` says, or all cores.
        progress: Called every now and then with (picks made, picks aimed at).
        should_cancel: Asked every now and then; True ends the run.
        keep: Called every now and then with what returns the state at the last pick, for those who
            keep states while a run goes on. The first time it reads the input once.

    Returns:
        Picks in order with a report.

    Raises:
        InvalidSelectionInput: If a value breaks a rule, for example is not finite.
        SelectionCancelled: If ``should_cancel`` said so; it knows the state at the last pick.

    Example:
        >>> import numpy as np
        >>> from lightly.selection import Diversity, select
        >>> corners = np.array([[0, 0], [0, 1], [3, 0], [3, 1]], dtype=np.float32)
        >>> select(n_samples=2, strategies=[Diversity(corners)]).indices
        array([0, 3])
    """
    n_wanted = _read_count(n_samples)
    n_inputs = _agree_on_length(strategies)
    n_threads = count_threads(threads)
    is_watched = not (progress is None and should_cancel is None and keep is None)
    if candidates is None and resume is None and not is_watched:
        short = select_shortly(strategies, n_wanted, preselected)
        if short is not None:
            return short
    selected = read_positions(preselected, n_inputs, "preselected samples")
    offered = read_candidates(candidates, n_inputs)
    if selected.size:
        offered = np.setdiff1d(offered, selected, assume_unique=True)
    source = SelectionInput(strategies=tuple(strategies), preselected=selected, offered=offered)
    eligible, filters = _apply_thresholds(strategies, offered)
    target = len(eligible) if n_wanted is None else min(n_wanted, len(eligible))
    past = _read_past(resume, source, eligible, n_wanted)
    run = Run(
        n_samples=n_inputs,
        samples=eligible,
        preselected=selected,
        n_wanted=target,
        is_mixture=sum(s.strength != 0 for s in strategies if isinstance(s, Strategy)) > 1,
        pulse=Pulse(target, progress, should_cancel),
    )
    with hold_blas_to_one_thread(), use_threads(n_threads):
        outcome = _work(run, source, past, keep)
    rows, worked = outcome.rows, iter(outcome.reports)
    reports = tuple(filters[i] if i in filters else next(worked) for i in range(len(strategies)))
    return SelectionResult(
        indices=eligible[rows],
        gains=_collect_gains(reports, len(rows)),
        distances=_find_distances(reports, len(rows)),
        stop_reason=outcome.stop or _explain_end(n_wanted, len(rows), len(eligible)),
        strategies=reports,
        n_wanted=n_wanted,
        n_preselected=len(selected),
        n_candidates=len(offered),
        n_eligible=len(eligible),
        seed=_find_seed(reports),
        source=source,
        memories=outcome.memories,
    )


@dataclass(frozen=True)
class _Past:
    """Picks of an earlier run, as rows in order, and what its strategies remembered."""

    rows: IndexArray
    memories: tuple[Memory, ...]


@dataclass(frozen=True)
class _Outcome:
    """What came of a run."""

    rows: IndexArray
    stop: StopReason | None
    reports: list[StrategyReport]
    memories: tuple[Memory, ...]


def _read_past(
    state: SelectionState | None, source: SelectionInput, eligible: IndexArray, n_wanted: int | None
) -> _Past:
    """Return the picks of a state if a run on this input can begin with them."""
    if state is None:
        return _Past(np.empty(0, dtype=np.int64), ())
    state.check_input(source)
    n_past = len(state.indices)
    if n_wanted is not None and n_past > n_wanted:
        raise InvalidSelectionInput(
            f"The state has {n_past} picks, more than the {n_wanted} samples asked for. The number "
            "of samples of a resumed run includes them."
        )
    rows = np.searchsorted(eligible, state.indices)
    is_known = np.isin(state.indices, eligible).all()
    if not is_known or len(np.unique(state.indices)) != n_past:
        raise InvalidSelectionInput("The state holds picks that no run on this input can make.")
    return _Past(rows, state.memories)


def _work(run: Run, source: SelectionInput, past: _Past, keep: KeepState | None = None) -> _Outcome:
    """Make the picks; if that is cancelled, the error knows the state at the last one."""
    picked: list[int] = past.rows.tolist()
    try:
        objectives = [s.begin(run) for s in source.strategies if isinstance(s, Strategy)]
        memories = past.memories or ({},) * len(objectives)
        for objective, memory in zip(objectives, memories, strict=True):
            objective.replay(past.rows, memory)
        if keep is not None:
            run.pulse.keep = partial(keep, _watch_state(run, source, objectives, picked))
        stop = _pick(run, objectives, picked)
        reports = [objective.report() for objective in objectives]
        run.pulse.beat()
    except SelectionCancelled as cancellation:
        rows = np.array(picked, dtype=np.int64)
        save = partial(save_state, run.samples[rows], source)
        raise SelectionCancelled(save_state=save) from cancellation
    return _Outcome(
        rows=np.array(picked, dtype=np.int64),
        stop=stop,
        reports=reports,
        memories=tuple(objective.remember() for objective in objectives),
    )


def _watch_state(
    run: Run, source: SelectionInput, objectives: Sequence[Objective], picked: list[int]
) -> Callable[[], SelectionState]:
    """Return what returns the state of a run that goes on; it takes the fingerprint once."""
    fingerprint: dict[str, str] = {}

    def save() -> SelectionState:
        fingerprint.update(fingerprint or source.take_fingerprint())
        rows = np.array(picked, dtype=np.int64)
        memories = tuple(objective.remember() for objective in objectives)
        return SelectionState(
            indices=run.samples[rows], fingerprint=dict(fingerprint), memories=memories
        )

    return save


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


def _pick(run: Run, objectives: Sequence[Objective], picked: list[int]) -> StopReason | None:
    """Append rows to the picked ones; return the condition that ended the run early, if any."""
    run.pulse.n_picked = len(picked)
    for planned in (o.planned_rows() for o in objectives if isinstance(o, AutoObjective)):
        stop = _pick_singly(run, objectives, _InOrder(planned[len(picked) :]), picked)
        if stop is not None:
            return stop
    picker = _choose_picker(run, objectives, picked)
    if isinstance(picker, FarthestFirst) and len(objectives) == 1:
        stop = _pick_many(run, objectives[0], picker, picked)
        if stop is not None:
            return stop
    return _pick_singly(run, objectives, picker, picked)


def _pick_singly(
    run: Run, objectives: Sequence[Objective], picker: _Picker, picked: list[int]
) -> StopReason | None:
    """Append rows that a picker proposes, testing each for all stopping conditions."""
    many = picker if isinstance(picker, Mixture) and _all_count(objectives) else None
    picks_per_beat = _PICKS_PER_BEAT
    if isinstance(picker, Mixture):
        picks_per_beat = min(_PICKS_PER_BEAT, 1 + _CANDIDATES_PER_BEAT // max(1, len(run.samples)))
    while len(picked) < run.n_wanted:
        rows = many.pick_many(run.n_wanted - len(picked)) if many is not None else _NO_ROWS
        if rows.size:
            picked += rows.tolist()
            run.pulse.n_picked = len(picked)
            run.pulse.beat()
            continue
        row = picker.next_row()
        if row is None:
            break
        stop = _check_stops(objectives, row)
        if stop is not None:
            return stop
        for objective in objectives:
            objective.add(row)
        picker.accept()
        picked.append(row)
        run.pulse.n_picked = len(picked)
        if len(picked) % picks_per_beat == 0:
            run.pulse.beat()
    return None


def _pick_many(
    run: Run, objective: Objective, picker: FarthestFirst, picked: list[int]
) -> StopReason | None:
    """Append rows many at a time, for DIVERSITY alone, as long as that is possible."""
    diversity = cast("DiversityObjective", objective)
    while len(picked) < run.n_wanted and picker.can_pick_many:
        picks = picker.pick_many(run.n_wanted - len(picked), diversity.least_distance)
        if picks is None:
            break
        diversity.note(picks)
        picked += picks.rows.tolist()
        if picks.stopped:
            return "min_distance"
        run.pulse.n_picked = len(picked)
        run.pulse.beat()
    return None


def _choose_picker(run: Run, objectives: Sequence[Objective], picked: list[int]) -> _Picker:
    """Return the cheapest way to find the best candidate, with these picked already."""
    active = [objective for objective in objectives if objective.strength != 0]
    if not active:
        return _InOrder(np.arange(len(run.samples))[len(picked) :])
    only = active[0] if len(active) == 1 else None
    if isinstance(only, WeightsObjective):
        return _InOrder(only.rank(run.n_wanted)[len(picked) :])
    if isinstance(only, DiversityObjective) and only.strength > 0:
        return FarthestFirst(only.nearest, run.pulse)
    if isinstance(only, RepresentativeObjective) and only.strength > 0:
        return LazyFirst(only, picked)
    if isinstance(only, BalanceObjective):
        class_picks = only.open_class_picks(picked)
        if class_picks is not None:
            return class_picks
    return Mixture(active, len(run.samples), taken=picked)


def _all_count(objectives: Sequence[Objective]) -> bool:
    """Return whether every strategy has a say in the picks, so that none is there to stop only."""
    return all(objective.strength != 0 for objective in objectives)


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
    measured = (DiversityReport, ObjectDiversityReport)
    found = (report.distances for report in reports if isinstance(report, measured))
    return next(found, np.full(n_picks, np.nan))


def _find_seed(reports: Sequence[StrategyReport]) -> int | None:
    random = (r.seed for r in reports if isinstance(r, (WeightsReport, ThresholdReport)))
    return next((seed for seed in random if seed is not None), None)
