"""The selection engine: arrays in, picks and a report out; no files, no network.

``select`` is the one function; strategies are small frozen objects that hold their data.
"""

from lightly.selection.auto import Auto, AutoReport, Crowding
from lightly.selection.balance import Balance, BalanceReport
from lightly.selection.counts import count_share
from lightly.selection.coverage import Coverage, measure_coverage
from lightly.selection.coverage_curve import CoverageCurve, measure_coverage_curve
from lightly.selection.diversity import Diversity, DiversityReport
from lightly.selection.engine import select
from lightly.selection.errors import InvalidSelectionInput, SelectionCancelled
from lightly.selection.explanation import (
    SelectionExplanation,
    explain_selection,
    measure_pick_distances,
)
from lightly.selection.near_distance import suggest_near_distance
from lightly.selection.near_duplicates import NearDuplicates, find_near_duplicates
from lightly.selection.object_diversity import ObjectDiversityReport
from lightly.selection.objects import Objects
from lightly.selection.outliers import OutlierScores, score_outliers
from lightly.selection.random_numbers import Random
from lightly.selection.representative import Representative, RepresentativeReport
from lightly.selection.result import SelectionResult
from lightly.selection.row_source import RowSource
from lightly.selection.sequences import Sequences, cut_sequences, group_strategies
from lightly.selection.shards import ShardedSelection, run_on, select_in_shards
from lightly.selection.similarity import Similarity
from lightly.selection.state import ENGINE_VERSION, SelectionState
from lightly.selection.strategy import StopReason, Strategy, StrategyReport
from lightly.selection.threshold import Operation, Threshold, ThresholdReport
from lightly.selection.typicality import Typicality
from lightly.selection.weights import Weights, WeightsReport

__all__ = [
    "ENGINE_VERSION",
    "Auto",
    "AutoReport",
    "Balance",
    "BalanceReport",
    "Coverage",
    "CoverageCurve",
    "Crowding",
    "Diversity",
    "DiversityReport",
    "InvalidSelectionInput",
    "NearDuplicates",
    "ObjectDiversityReport",
    "Objects",
    "Operation",
    "OutlierScores",
    "Random",
    "Representative",
    "RepresentativeReport",
    "RowSource",
    "SelectionCancelled",
    "SelectionExplanation",
    "SelectionResult",
    "SelectionState",
    "Sequences",
    "ShardedSelection",
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
    "cut_sequences",
    "explain_selection",
    "find_near_duplicates",
    "group_strategies",
    "measure_coverage",
    "measure_coverage_curve",
    "measure_pick_distances",
    "run_on",
    "score_outliers",
    "select",
    "select_in_shards",
    "suggest_near_distance",
]
