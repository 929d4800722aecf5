"""The selection engine: arrays in, picks and a report out; no files, no network.

``select`` is the one function; strategies are small frozen objects that hold their data.
"""

from lightly.selection.balance import Balance, BalanceReport
from lightly.selection.counts import count_share
from lightly.selection.coverage import Coverage, measure_coverage
from lightly.selection.diversity import Diversity, DiversityReport
from lightly.selection.engine import select
from lightly.selection.errors import InvalidSelectionInput, SelectionCancelled
from lightly.selection.random_numbers import Random
from lightly.selection.result import ENGINE_VERSION, SelectionResult
from lightly.selection.similarity import Similarity
from lightly.selection.strategy import StopReason, Strategy, StrategyReport
from lightly.selection.threshold import Operation, Threshold, ThresholdReport
from lightly.selection.typicality import Typicality
from lightly.selection.weights import Weights, WeightsReport

__all__ = [
    "ENGINE_VERSION",
    "Balance",
    "BalanceReport",
    "Coverage",
    "Diversity",
    "DiversityReport",
    "InvalidSelectionInput",
    "Operation",
    "Random",
    "SelectionCancelled",
    "SelectionResult",
    "Similarity",
    "StopReason",
    "Strategy",
    "StrategyReport",
    "Threshold",
    "ThresholdReport",
    "Typicality",
    "Weights",
    "WeightsReport",
    "count_share",
    "measure_coverage",
    "select",
]
