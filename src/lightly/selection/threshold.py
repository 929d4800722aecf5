"""THRESHOLD: only samples on one side of a number are candidates."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lightly.selection.embeddings import IndexArray
from lightly.selection.errors import InvalidSelectionInput
from lightly.selection.random_numbers import Random
from lightly.selection.strategy import StrategyReport
from lightly.selection.values import count_values, read_values

Operation = Literal["SMALLER", "SMALLER_EQUAL", "BIGGER", "BIGGER_EQUAL"]

_COMPARE: dict[str, Callable[..., NDArray[np.bool_]]] = {
    "SMALLER": operator.lt,
    "SMALLER_EQUAL": operator.le,
    "BIGGER": operator.gt,
    "BIGGER_EQUAL": operator.ge,
}


@dataclass(frozen=True, eq=False)
class Threshold:
    """Keep candidates whose value is on the given side of a threshold.

    Thresholds are applied before everything else, all of them, in any order with the same result.
    Preselected samples are never removed. A missing value fails.

    Args:
        values: One number per sample, shape ``[N]``, or ``Random``.
        threshold: What values are compared with.
        operation: ``"BIGGER"`` keeps values above the threshold, and so on.
        missing: True where a sample has no value, shape ``[N]``.
    """

    values: ArrayLike | Random
    _: KW_ONLY
    threshold: float
    operation: Operation
    missing: ArrayLike | None = None

    @property
    def n_samples(self) -> int:
        """Number of samples with a value or a missing flag."""
        return count_values(self.values)

    def apply(self, samples: IndexArray) -> tuple[IndexArray, ThresholdReport]:
        """Return the samples that pass, and a report."""
        if self.operation not in _COMPARE:
            raise InvalidSelectionInput(
                f"The operation of THRESHOLD must be one of {get_args(Operation)}. "
                f"Got {str(self.operation)[:40]!r}."
            )
        if not math.isfinite(self.threshold):
            raise InvalidSelectionInput(
                f"The threshold must be a finite number. Got {self.threshold!r}."
            )
        values = read_values(self.values, self.missing, name="THRESHOLD")
        missing = values.missing[samples]
        passes = _COMPARE[self.operation](values.numbers[samples], self.threshold) & ~missing
        report = ThresholdReport(
            kind="THRESHOLD",
            strength=0.0,
            gains=np.empty(0),
            threshold=float(self.threshold),
            operation=self.operation,
            n_before=len(samples),
            n_after=int(np.count_nonzero(passes)),
            n_missing=int(np.count_nonzero(missing)),
            seed=values.seed,
        )
        return samples[passes], report


@dataclass(frozen=True, kw_only=True, eq=False)
class ThresholdReport(StrategyReport):
    """What THRESHOLD saw and did; its gains are empty.

    Attributes:
        threshold: What values were compared with.
        operation: How they were compared.
        n_before: Candidates that reached this threshold.
        n_after: Candidates that passed it.
        n_missing: Candidates among ``n_before`` without a value.
        seed: Seed of the values if they are random.
    """

    threshold: float
    operation: Operation
    n_before: int
    n_after: int
    n_missing: int
    seed: int | None
