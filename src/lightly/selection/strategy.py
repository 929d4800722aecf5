"""What every strategy has in common: its description, its running state and its report."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lightly.selection.embeddings import Float64Array, IndexArray
from lightly.selection.errors import InvalidSelectionInput
from lightly.selection.progress import Pulse

StopReason = Literal[
    "count", "min_distance", "min_typicality", "max_sum", "exhausted", "no_candidates"
]

MAX_STRENGTH = 1e9


@dataclass(frozen=True, kw_only=True, eq=False)
class StrategyReport:
    """What one strategy saw and did.

    Attributes:
        kind: The strategy's name, such as ``DIVERSITY``.
        strength: Its exponent in the product of objectives.
        gains: How much each pick raised this strategy's objective, in pick order.
    """

    kind: str
    strength: float
    gains: Float64Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Run:
    """What strategies are told when a run begins.

    Attributes:
        n_samples: Length of the input, N.
        samples: Candidates left by the thresholds, ascending positions in the input.
        preselected: Samples that are selected from the start, each once.
        n_wanted: Most picks the run can make.
        is_mixture: Whether objectives of several strategies are multiplied.
        pulse: Progress and cancellation.
    """

    n_samples: int
    samples: IndexArray
    preselected: IndexArray
    n_wanted: int
    is_mixture: bool
    pulse: Pulse


class Objective(ABC):
    """One strategy at work: its objective Phi over the growing selection S.

    Rows are positions in ``Run.samples``. The first methods serve every run; those from ``bounds``
    on serve mixtures, where Phi(S + c) may be known only up to an interval.
    """

    def __init__(self, strength: float) -> None:
        self.strength = strength

    @abstractmethod
    def check_stop(self, row: int) -> StopReason | None:
        """Return why the run must end instead of picking ``row``, or None."""

    @abstractmethod
    def add(self, row: int) -> None:
        """Add a picked candidate to the selection."""

    @abstractmethod
    def report(self) -> StrategyReport:
        """Return the report after the last pick."""

    def remember(self) -> dict[str, NDArray[np.generic]]:
        """Return what ``replay`` would otherwise have to compute again; nothing by default."""
        return {}

    def replay(self, rows: IndexArray, memory: Mapping[str, NDArray[np.generic]]) -> None:  # noqa: ARG002  nothing was remembered
        """Add the picks of an earlier run, in order, before any other pick.

        Args:
            rows: All picks of that run.
            memory: What ``remember`` returned at its end; empty if it was cancelled.
        """
        for row in rows:
            self.add(int(row))

    @abstractmethod
    def bounds(self, rows: IndexArray) -> tuple[Float64Array, Float64Array]:
        """Return bounds of Phi(S + c) for candidates."""

    @abstractmethod
    def are_exact(self, rows: IndexArray) -> NDArray[np.bool_]:
        """Return for which candidates the bounds are as close as rounding allows."""

    @abstractmethod
    def exact_log(self, row: int) -> Decimal:
        """Return ln Phi(S + c) of a candidate known exactly, in the current decimal context."""

    @abstractmethod
    def signatures(self, rows: IndexArray) -> Float64Array:
        """Return a few numbers per exactly known candidate; equal ones mean equal Phi.

        Returns:
            Shape ``[len(rows), k]`` for any k.
        """

    @property
    @abstractmethod
    def groups(self) -> IndexArray | None:
        """Number per candidate; candidates of one number are alike. None if nothing is known.

        They must stay alike as the selection grows.
        """

    @abstractmethod
    def mark(self) -> None:
        """Remember the present state for ``growth``."""

    @abstractmethod
    def growth(self) -> tuple[float, float]:
        """Return the least and the most that ln of a candidate's bound grew since ``mark``.

        It holds for candidates that were free then and not measured again since.
        """

    @property
    @abstractmethod
    def has_bounded_growth(self) -> bool:
        """Whether ``growth`` says anything once something was added."""

    @property
    @abstractmethod
    def needs_all(self) -> bool:
        """Whether a bound of Phi is useless here, so that all candidates must be measured."""

    @abstractmethod
    def prepare(self) -> None:
        """Give every candidate a first finite bound once something is selected."""

    @abstractmethod
    def watch_all(self) -> None:
        """Keep every candidate up to date from now on, because bounds would not help."""

    @abstractmethod
    def make_exact(self, rows: IndexArray) -> None:
        """Make Phi(S + c) of these candidates exact."""

    @abstractmethod
    def open_pool(self, rows: IndexArray, least: Float64Array) -> IndexArray:
        """Bring candidates up to date and keep them so; return those that stay.

        Args:
            rows: Candidates, ascending.
            least: Value of Phi below which the candidate may leave.
        """


class KnownObjective(Objective):
    """An objective whose value is known for every candidate at every time."""

    def are_exact(self, rows: IndexArray) -> NDArray[np.bool_]:
        """Nothing has to be measured."""
        return np.ones(len(rows), dtype=np.bool_)

    @property
    def groups(self) -> IndexArray | None:
        """Candidates are not known to be alike."""
        return None

    @property
    def needs_all(self) -> bool:
        """Nothing has to be measured."""
        return False

    def prepare(self) -> None:
        """Nothing has to be measured."""

    def watch_all(self) -> None:
        """Nothing has to be measured."""

    def make_exact(self, rows: IndexArray) -> None:
        """Nothing has to be measured."""

    def open_pool(self, rows: IndexArray, least: Float64Array) -> IndexArray:  # noqa: ARG002  nothing has to be measured, so nothing may leave
        """Keep all rows."""
        return rows


class Strategy(ABC):
    """Description of one strategy of a selection, holding its data."""

    strength: float

    @property
    @abstractmethod
    def n_samples(self) -> int:
        """Number of samples the strategy has values for."""

    @abstractmethod
    def begin(self, run: Run) -> Objective:
        """Check the data and return the strategy at work."""


def check_strength(strength: float, kind: str) -> float:
    """Return the strength if it is a finite number of reasonable size."""
    if not math.isfinite(strength) or abs(strength) > MAX_STRENGTH:
        raise InvalidSelectionInput(
            f"The strength of {kind} must be within [-1e9, 1e9]. Got {strength!r}."
        )
    return float(strength)


def check_limit(value: float | None, name: str) -> float | None:
    """Return an optional limit if it is a finite number of at least zero."""
    if value is None:
        return None
    if not math.isfinite(value) or value < 0:
        raise InvalidSelectionInput(f"{name} must be a number >= 0 or None. Got {value!r}.")
    return float(value)
