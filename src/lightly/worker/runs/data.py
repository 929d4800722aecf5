"""What a run has found before it selects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lightly.worker.runs.candidates import Candidates
from lightly.worker.runs.datapool import Datapool
from lightly.worker.runs.excluded import InputCounts
from lightly.worker.runs.scoring import Scores
from lightly.worker.runs.video_input import VideoInput
from lightly.worker.sources.annotations import Annotations


@dataclass(frozen=True, eq=False)
class RunData:
    """What a run has found before it selects.

    Attributes:
        candidates: What can be selected.
        datapool: What was selected in earlier runs.
        annotations: Metadata and predictions.
        counts: What became of the input.
        videos: Where the frames come from; None if the candidates are images.
        known_scores: Active-learning scores of tasks that do not follow from stored predictions.
    """

    candidates: Candidates
    datapool: Datapool
    annotations: Annotations
    counts: InputCounts
    known_scores: Mapping[str, Scores] = field(default_factory=dict)
    videos: VideoInput | None = None
