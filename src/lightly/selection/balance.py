"""BALANCE: a selection whose mix of classes is close to a target."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from decimal import Decimal
from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from lightly.selection.class_mix import ClassTable, MergedTarget, TargetMix, merge_target
from lightly.selection.class_picks import MOST_SAMPLES, ClassPicks
from lightly.selection.class_rows import ClassRows
from lightly.selection.embeddings import Float64Array, IndexArray
from lightly.selection.exact_choice import choose_exactly
from lightly.selection.portable_math import PRECISE, take_log
from lightly.selection.strategy import (
    KnownObjective,
    Run,
    StopReason,
    Strategy,
    StrategyReport,
    check_strength,
)

# A class that is absent from the selection counts as this share of it: 23 nats times its target.
_SMALLEST_SHARE = 1e-10
# A mix this close to its target is on target; it keeps the reciprocal finite.
_SMALLEST_CROSS_ENTROPY = 1e-10
# A cross-entropy is at least its target's entropy; from here on none comes near the last number.
_SAFE_ENTROPY = 1e-6
_EXACT_SMALLEST = Decimal("1e-10")
# Values per piece of work: its intermediate results stay within the second-level cache.
_CHUNK_VALUES = 1 << 15


@dataclass(frozen=True, eq=False)
class Balance(Strategy):
    """Prefer samples that bring the selection's class mix closer to a target.

    Phi(S + c) = 1 / H(t, p), the reciprocal of the cross-entropy
    H = - sum over classes k of t_k ln max(p_k, 1e-10), where p is the normalised sum of the rows of
    S + c and t the normalised target. H is smallest exactly at p = t.

    Cost per pick: O(C) alone on class numbers, whatever N; O(N C) on shares. Memory: 8 bytes per
    candidate and class of the target for shares, 16 per candidate for class numbers.

    Args:
        classes: Either one class number per sample, shape ``[N]``, integers, -1 for none; or
            shares >= 0, shape ``[N, C]``: probabilities, counts or one-hot rows.
        target: ``{class: share}``; ``"UNIFORM"`` over the classes that occur; or ``"INPUT"``, the
            mix of the candidates. Shares that sum to less than 1 leave the rest to all unnamed
            classes together; above 1 only their ratios count.
        strength: Exponent of Phi; negative drives the mix away from the target.
        n_classes: Number of classes if ``classes`` are numbers and the last ones may not occur.
        missing: True where a sample has no class information, shape ``[N]``; it leaves the mix
            unchanged and is counted, as is -1.
    """

    classes: ArrayLike
    _: KW_ONLY
    target: TargetMix
    strength: float = 1.0
    n_classes: int | None = None
    missing: ArrayLike | None = None

    @property
    def n_samples(self) -> int:
        """Number of samples with a class, with shares or with a missing flag."""
        return len(np.asarray(self.classes))

    def begin(self, run: Run) -> BalanceObjective:
        """Check classes and target and return the strategy at work."""
        strength = check_strength(self.strength, "BALANCE")
        table = ClassTable(self.classes, n_classes=self.n_classes, missing=self.missing)
        shares, target = merge_target(self.target, table, run.samples, run.preselected)
        return BalanceObjective(table, shares, target, run, strength=strength)


@dataclass(frozen=True, kw_only=True, eq=False)
class BalanceReport(StrategyReport):
    """What BALANCE saw and did; gains are how much each pick lowered the cross-entropy.

    Attributes:
        target: Share per class, shape ``[C]``; what is left to unnamed classes is in ``others``.
        others: Share of all classes that the target does not name.
        mix: Share per class of the whole selection, preselected samples included, shape ``[C]``.
        cross_entropy: H of the final mix, in nats.
        n_missing: Candidates without class information.
    """

    target: Float64Array
    others: float
    mix: Float64Array
    cross_entropy: float
    n_missing: int


class BalanceObjective(KnownObjective):
    """BALANCE at work.

    Sums per column of the merged target are float64, added in order of selection. What follows
    from them is defined as a real number: float64 screens it and 60 digits decide.
    """

    def __init__(
        self,
        table: ClassTable,
        shares: Float64Array,
        target: MergedTarget,
        run: Run,
        *,
        strength: float,
    ) -> None:
        super().__init__(strength)
        self._table, self._shares, self._target = table, shares, target
        self._samples, self._preselected = run.samples, run.preselected
        self._groups = _number_groups(table, target, run.samples)
        self._rows = None if table.codes is not None else _merge_rows(table, target, run.samples)
        self._bounds_of_groups: tuple[Float64Array, Float64Array] | None = None
        self._picked: list[int] = []
        self._marked = 0
        self.sums = np.zeros(len(target.shares))
        for sample in run.preselected:
            self.sums += target.merge(table.read(np.array([sample])))[0]
        self._first_sums = self.sums.copy()

    def open_class_picks(self, taken: Sequence[int]) -> ClassPicks | None:
        """Return the fast way to pick by this strategy alone; None if it cannot serve."""
        shares = self._target.shares
        entropy = -float((shares * np.log(np.where(shares > 0, shares, 1.0))).sum())
        if self._groups is None or entropy < _SAFE_ENTROPY or len(self._samples) > MOST_SAMPLES:
            return None
        return ClassPicks(
            self._groups,
            shares,
            lambda: self.sums,
            sign=math.copysign(1.0, self.strength),
            smallest_share=_SMALLEST_SHARE,
            choose=lambda rows: choose_exactly([self], rows),
            taken=taken,
        )

    def check_stop(self, row: int) -> StopReason | None:  # noqa: ARG002  nothing ever stops it
        """BALANCE has no stopping condition."""
        return None

    def add(self, row: int) -> None:
        """Add a picked candidate to the selection."""
        if self._groups is None:
            self.sums += self._read_rows(np.array([row]))[0]
        elif self._groups[row] < len(self.sums):
            self.sums[self._groups[row]] += 1.0
        self._bounds_of_groups = None
        self._picked.append(row)

    def report(self) -> BalanceReport:
        """Return the report after the last pick."""
        entropies = self._trace_entropies()
        chosen = np.concatenate([self._preselected, self._samples[self._picked]]).astype(np.int64)
        class_sums = self._table.total(chosen)
        return BalanceReport(
            kind="BALANCE",
            strength=self.strength,
            gains=entropies[:-1] - entropies[1:],
            target=self._shares,
            others=self._target.others,
            mix=class_sums / (class_sums.sum() or 1.0),
            cross_entropy=float(entropies[-1]),
            n_missing=int(np.count_nonzero(self._table.missing[self._samples])),
        )

    def bounds(self, rows: IndexArray) -> tuple[Float64Array, Float64Array]:
        """Return bounds of 1 / H, as far apart as H may be rounded."""
        if self._groups is None:
            return self._bound_rows(rows)
        if self._bounds_of_groups is None:
            self._bounds_of_groups = _invert(*self._take_group_entropies())
        low, high = self._bounds_of_groups
        return low[self._groups[rows]], high[self._groups[rows]]

    def exact_log(self, row: int) -> Decimal:
        """Return - ln H of S + c."""
        sums = self.sums + self._read_rows(np.array([row]))[0]
        total = sum((Decimal(float(value)) for value in sums), start=Decimal(0))
        log_total = PRECISE.ln(total) if total else Decimal(0)
        entropy = Decimal(0)
        for share, value in zip(self._target.exact_shares, sums, strict=True):
            is_rare = Decimal(float(value)) <= _EXACT_SMALLEST * total
            log = take_log(_SMALLEST_SHARE) if is_rare else take_log(float(value)) - log_total
            entropy -= share * log
        return -PRECISE.ln(max(entropy, _EXACT_SMALLEST))

    def signatures(self, rows: IndexArray) -> Float64Array:
        """Return what H depends on.

        For a class that is its target and sum; for shares the sums after the pick, where classes
        of the same target are interchangeable.
        """
        if self._groups is None:
            return self._sort_alike(self.sums + self._read_rows(rows))
        columns = self._groups[rows]
        has_class = columns < len(self.sums)
        places = np.where(has_class, columns, 0)
        shares = np.where(has_class, self._target.shares[places], -1.0)
        sums = np.where(shares > 0, self.sums[places], 0.0)
        return np.column_stack([shares, sums])

    def _sort_alike(self, sums: Float64Array) -> Float64Array:
        """Return rows of sums, sorted among columns of the same target."""
        order = np.argsort(self._target.shares, kind="stable")
        starts = np.flatnonzero(np.diff(self._target.shares[order])) + 1
        return np.hstack([np.sort(part) for part in np.split(sums[:, order], starts, axis=1)])

    @property
    def groups(self) -> IndexArray | None:
        """Candidates of the same class, or of classes without a target, are alike."""
        return self._groups

    def mark(self) -> None:
        """Remember how many picks there are."""
        self._marked = len(self._picked)

    @property
    def has_bounded_growth(self) -> bool:
        """One pick can change every candidate's value by any amount."""
        return False

    def growth(self) -> tuple[float, float]:
        """Nothing is known once something was added."""
        return (0.0, 0.0) if self._marked == len(self._picked) else (-np.inf, np.inf)

    def _read_rows(self, rows: IndexArray) -> Float64Array:
        """Return merged rows of candidates."""
        if self._rows is not None:
            return self._rows.read(rows)
        # The last group is that of samples without a class.
        one_hot = np.zeros((len(rows), len(self.sums) + 1))
        one_hot[np.arange(len(rows)), cast("IndexArray", self._groups)[rows]] = 1.0
        return one_hot[:, :-1]

    def _trace_entropies(self) -> Float64Array:
        """Return H before the first pick and after each."""
        sums = self._first_sums
        entropies = [self._take_entropies(sums[None])[0]]
        step = max(1, _CHUNK_VALUES // len(sums))
        for start in range(0, len(self._picked), step):
            rows = self._read_rows(np.array(self._picked[start : start + step]))
            # Accumulating is sequential by definition, as adding pick by pick is.
            running = np.add.accumulate(np.vstack([sums, rows]), axis=0)[1:]
            entropies.append(self._take_entropies(running)[0])
            sums = running[-1]
        return np.concatenate(entropies)

    def _bound_rows(self, rows: IndexArray) -> tuple[Float64Array, Float64Array]:
        if self._rows is not None and self._rows.can_measure(self.sums):
            return _invert(*self._rows.measure(self.sums, rows))
        low, high = np.empty(len(rows)), np.empty(len(rows))
        step = max(1, _CHUNK_VALUES // len(self.sums))
        for start in range(0, len(rows), step):
            chunk = slice(start, start + step)
            whole = self.sums + self._read_rows(rows[chunk])
            low[chunk], high[chunk] = _invert(*self._take_entropies(whole))
        return low, high

    def _take_entropies(self, sums: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Return H of each row of sums, and how far rounding can take it off."""
        logs = _take_share_logs(sums, sums.sum(axis=1, keepdims=True))
        # Not a product of BLAS: its rounding depends on how many rows there are.
        entropies = -(logs * self._target.shares).sum(axis=1)
        return entropies, self._bound_rounding(entropies)

    def _take_group_entropies(self) -> tuple[Float64Array, Float64Array]:
        """Return the same per group: a sample of one class changes one term of the sum."""
        shares, total = self._target.shares, self.sums.sum()
        before = _take_share_logs(self.sums, total + 1.0)
        after = _take_share_logs(self.sums + 1.0, total + 1.0)
        base = -(before @ shares)
        unchanged = -(_take_share_logs(self.sums, total) @ shares)
        entropies = np.append(base - shares * (after - before), unchanged)
        return entropies, self._bound_rounding(np.maximum(entropies, base))

    def _bound_rounding(self, entropies: Float64Array) -> Float64Array:
        """Sums, quotients and logarithms over K columns are off by a few K last places of 1 + H."""
        return (4 * len(self.sums) + 64) * 2.0**-52 * (1.0 + entropies)


def _take_share_logs(sums: Float64Array, totals: Float64Array | float) -> Float64Array:
    shares = sums / np.where(totals > 0.0, totals, 1.0)
    logs: Float64Array = np.log(np.maximum(shares, _SMALLEST_SHARE))
    return logs


def _invert(entropies: Float64Array, errors: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Return bounds of 1 / H."""
    return (
        1.0 / np.maximum(entropies + errors, _SMALLEST_CROSS_ENTROPY),
        1.0 / np.maximum(entropies - errors, _SMALLEST_CROSS_ENTROPY),
    )


def _merge_rows(table: ClassTable, target: MergedTarget, samples: IndexArray) -> ClassRows:
    """Return merged rows of candidates."""
    step = max(1, _CHUNK_VALUES // table.n_classes)
    pieces = (
        target.merge(table.read(samples[start : start + step]))
        for start in range(0, len(samples), step)
    )
    return ClassRows(pieces, target.shares, smallest_share=_SMALLEST_SHARE)


def _number_groups(
    table: ClassTable, target: MergedTarget, samples: IndexArray
) -> IndexArray | None:
    """Return the target's column of each candidate; one more for those without a class."""
    if table.codes is None:
        return None
    codes = table.codes[samples]
    return np.where(codes < 0, len(target.shares), target.columns[np.maximum(codes, 0)])
