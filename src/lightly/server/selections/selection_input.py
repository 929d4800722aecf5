"""What a selection is asked to do, between the request and the task."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from lightly.server.selections.requests import SelectionCreateRequest


@dataclass(frozen=True)
class SelectionInput:
    """What a job of `POST /ext/v1/datasets/{datasetId}/selection` is asked to do.

    Attributes:
        selection: The body of the request.
        new_tag_name: Name of the tag to be made.
        query_tag_id: The tag to pick from.
        preselected_tag_id: The tag whose samples are selected from the start.
        embedding_id: The embedding that distances are measured in; None where there is none.
    """

    selection: dict[str, Any]
    new_tag_name: str
    query_tag_id: str
    preselected_tag_id: str | None
    embedding_id: str | None

    def to_json(self) -> dict[str, Any]:
        """Return it as a job's input."""
        return asdict(self)

    def read_request(self) -> SelectionCreateRequest:
        """Return the body of the request."""
        return SelectionCreateRequest.from_dict(self.selection)
