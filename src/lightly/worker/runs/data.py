"""What a run has found before it selects."""

from __future__ import annotations

from dataclasses import dataclass

from lightly.worker.runs.candidates import Candidates
from lightly.worker.runs.datapool import Datapool
from lightly.worker.runs.excluded import InputCounts
from lightly.worker.sources.annotations import Annotations


@dataclass(frozen=True, eq=False)
class RunData:
    """What a run has found before it selects.

    Attributes:
        candidates: What can be selected.
        datapool: What was selected in earlier runs.
        annotations: Metadata and predictions.
        counts: What became of the input.
    """

    candidates: Candidates
    datapool: Datapool
    annotations: Annotations
    counts: InputCounts
