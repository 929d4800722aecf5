"""WEIGHTS: samples with high values."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import ArrayLike

from lightly.selection.embeddings import Float64Array, IndexArray
from lightly.selection.errors import InvalidSelectionInput
from lightly.selection.objects import PartValues
from lightly.selection.portable_math import SMALLEST_OBJECTIVE, take_log
from lightly.selection.random_numbers import Random
from lightly.selection.ranking import take_top
from lightly.selection.strategy import (
    KnownObjective,
    Run,
    StopReason,
    Strategy,
    StrategyReport,
    check_limit,
    check_strength,
)
from lightly.selection.values import SampleValues, count_values, read_values


@dataclass(frozen=True, eq=False)
class Weights(Strategy):
    """Prefer samples with high values.

    Phi(S + c) = sum of w over S + c, raw values, negative ones included. Alone this is a partial
    sort by value in O(N), ties to the lowest index.

    Args:
        values: One number per sample, shape ``[N]``, or ``Random``.
        strength: Exponent of Phi; negative prefers low values.
        max_sum: The run stops before a pick that would take the sum above this.
        min_sum: The report says so when the run ends with a lower sum.
        missing: True where a sample has no value, shape ``[N]``; it weighs 0.
    """

    values: ArrayLike | Random
    _: KW_ONLY
    strength: float = 1.0
    max_sum: float | None = None
    min_sum: float | None = None
    missing: ArrayLike | None = None

    @property
    def n_samples(self) -> int:
        """Number of samples with a value or a missing flag."""
        return count_values(self.values)

    def begin(self, run: Run) -> WeightsObjective:
        """Check the values and return the strategy at work."""
        return WeightsObjective(
            read_values(self.values, self.missing, name="WEIGHTS"),
            run,
            kind="WEIGHTS",
            strength=check_strength(self.strength, "WEIGHTS"),
            max_sum=check_limit(self.max_sum, "The maximum sum of WEIGHTS"),
            min_sum=check_limit(self.min_sum, "The minimum sum of WEIGHTS"),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class WeightsReport(StrategyReport):
    """What WEIGHTS saw and did; gains are the values of the picks.

    Attributes:
        total: Sum of values over the whole selection, preselected samples included.
        is_below_range: Whether the sum ended below the demanded minimum.
        n_missing: Candidates without a value; of strategies on objects, without objects.
        seed: Seed of the values if they are random.
    """

    total: float
    is_below_range: bool
    n_missing: int
    seed: int | None


class WeightsObjective(KnownObjective):
    """WEIGHTS at work, and every strategy that turns into weights."""

    def __init__(
        self,
        values: SampleValues,
        run: Run,
        *,
        kind: str,
        strength: float,
        max_sum: float | None = None,
        min_sum: float | None = None,
        min_value: float | None = None,
        parts: PartValues | None = None,
    ) -> None:
        super().__init__(strength)
        _refuse_overflow(values.numbers if parts is None else parts.added, kind)
        self._kind = kind
        self._numbers = values.numbers[run.samples]
        self._added = self._numbers if parts is None else parts.added[run.samples]
        self._is_empty = None if parts is None else parts.is_empty[run.samples]
        self._max_sum, self._min_sum, self._min_value = max_sum, min_sum, min_value
        is_missing = values.missing[run.samples] if self._is_empty is None else self._is_empty
        self._n_missing = int(np.count_nonzero(is_missing))
        self._seed = values.seed
        self._range = _find_range(self._numbers)
        self._picked: list[float] = []
        self._total = self._marked = 0.0
        added = values.numbers if parts is None else parts.added
        for sample in run.preselected:
            self._total += float(added[sample])

    def rank(self, n_rows: int) -> IndexArray:
        """Return the first rows in order of preference, for when nothing else has a say."""
        numbers = self._numbers
        if self._is_empty is not None:
            # Behind even a value of 0, which no object's value is below.
            numbers = np.where(self._is_empty, -1.0, numbers)
        keys = numbers if self.strength > 0 else -numbers
        rows = take_top(keys, n_rows).rows
        return rows[np.argsort(-keys[rows], kind="stable")]

    def check_stop(self, row: int) -> StopReason | None:
        """Return why the run must end instead of picking ``row``, or None."""
        is_empty = self._is_empty is not None and self._is_empty[row]
        if self._min_value is not None and not is_empty and self._numbers[row] < self._min_value:
            return "min_typicality"
        if self._max_sum is not None and self._total + self._added[row] > self._max_sum:
            return "max_sum"
        return None

    def add(self, row: int) -> None:
        """Add a picked candidate to the selection."""
        value = float(self._added[row])
        self._picked.append(value)
        self._total += value

    @property
    def is_plain(self) -> bool:
        """Whether a pick depends on the sum of one number per candidate only, and nothing stops."""
        return self._is_empty is None and self._max_sum is None and self._min_value is None

    @property
    def numbers(self) -> Float64Array:
        """What each candidate adds."""
        return self._numbers

    @property
    def total(self) -> float:
        """Sum over the selection."""
        return self._total

    @property
    def mark_line(self) -> tuple[float, float, float]:
        """The sum at the mark, and the least and the largest value of candidates."""
        return (self._marked, *self._range)

    def note(self, rows: IndexArray) -> None:
        """Take note of candidates that were picked elsewhere, in order."""
        for row in rows:
            self.add(int(row))

    def report(self) -> WeightsReport:
        """Return the report after the last pick."""
        return WeightsReport(
            kind=self._kind,
            strength=self.strength,
            gains=np.array(self._picked),
            total=self._total,
            is_below_range=self._min_sum is not None and self._total < self._min_sum,
            n_missing=self._n_missing,
            seed=self._seed,
        )

    def bounds(self, rows: IndexArray) -> tuple[Float64Array, Float64Array]:
        """Return the sum of values over S + c, which is always known exactly."""
        sums = self._total + self._numbers[rows]
        if self._is_empty is not None:
            sums = np.where(self._is_empty[rows], 0.0, sums)
        return sums, sums

    def signatures(self, rows: IndexArray) -> Float64Array:
        """Return the sums themselves, clamped as in the product."""
        sums: Float64Array = np.maximum(self.bounds(rows)[0], SMALLEST_OBJECTIVE)
        return sums[:, None]

    def exact_log(self, row: int) -> Decimal:
        """Return ln of the sum of values over S + c."""
        return take_log(float(self.bounds(np.array([row]))[0][0]))

    @property
    def has_bounded_growth(self) -> bool:
        """All sums grow by the same amount."""
        return True

    def growth(self) -> tuple[float, float]:
        """Return the least and the most that ln of the sum grew: it is monotone in the value."""
        if self._marked == self._total:
            return 0.0, 0.0
        low, high = self._range
        if min(self._marked, self._total) + low < SMALLEST_OBJECTIVE:
            return -math.inf, math.inf
        ends = [math.log((self._total + end) / (self._marked + end)) for end in (low, high)]
        if self._is_empty is not None:
            ends.append(0.0)
        return min(ends), max(ends)

    def mark(self) -> None:
        """Remember the sum."""
        self._marked = self._total


def _find_range(numbers: Float64Array) -> tuple[float, float]:
    return (float(numbers.min()), float(numbers.max())) if numbers.size else (0.0, 0.0)


def _refuse_overflow(numbers: Float64Array, kind: str) -> None:
    with np.errstate(over="ignore"):
        largest_sum = np.abs(numbers).sum()
    if not np.isfinite(largest_sum):
        raise InvalidSelectionInput(
            f"The values of {kind} are so large that their sum overflows. Scale them down."
        )
