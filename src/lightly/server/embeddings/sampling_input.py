"""What a selection is asked to do, between the request and the task."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class SamplingInput:
    """What a sampling job is asked to do.

    Attributes:
        embedding_id: The embedding that distances are measured in.
        new_tag_name: Name of the tag to be made.
        method: `RANDOM`, `CORESET`, `CORAL` or `ACTIVE_LEARNING`.
        n_samples: Size of the new tag, preselected samples included; strictly between 0 and 1 a
            share of the query tag; None for no limit.
        min_distance: Stop before a pick nearer than this to the selection; None for no limit.
        query_tag_id: The tag to pick from.
        preselected_tag_id: The tag whose samples are selected from the start.
        score_type: The scores of the query tag to use.
    """

    embedding_id: str
    new_tag_name: str
    method: str
    n_samples: float | None
    min_distance: float | None
    query_tag_id: str
    preselected_tag_id: str | None
    score_type: str | None

    def to_json(self) -> dict[str, Any]:
        """Return it as a job's input."""
        return asdict(self)
