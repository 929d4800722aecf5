"""Selections beyond the wire contract: any mixture of strategies, with a report that explains it.

The operations are this project's own, below `/ext/v1`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lightly.api.answers import read_id
from lightly.api.api_workflow_tags import _TagsMixin
from lightly.api.client_base import make_path
from lightly.api.errors import JobFailed, UnexpectedAnswer
from lightly.api.jobs import wait_for_job

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lightly.openapi_generated.swagger_client.models.tag_data import TagData
    from lightly.selection import SelectionExplanation

#: Values per request of a column: 4 MB.
_VALUES_AT_ONCE = 500_000
_DTYPES = frozenset({"<i8", "<f8"})


class _SelectionReportsMixin(_TagsMixin):
    """Selections beyond the wire contract, and what they have to say."""

    def create_selection(
        self,
        name: str,
        *,
        n_samples: int | None = None,
        proportion_samples: float | None = None,
        strategies: Sequence[Mapping[str, Any]] = ({"type": "AUTO"},),
        preselected_tag_id: str | None = None,
        query_tag_id: str | None = None,
        embedding_id: str | None = None,
    ) -> TagData:
        """Select samples on the server and wait for it.

        Args:
            name: Of the new tag.
            n_samples: How many new samples to pick, beside preselected ones; no limit if neither
                this nor `proportion_samples` is given.
            proportion_samples: Share of the tag to choose from that is picked.
            strategies: What to aim at, as in `SelectionStrategy` of `openapi/ext-v1.json`; if left
                out, the server looks at the data and chooses.
            preselected_tag_id: The tag with the samples that are chosen already.
            query_tag_id: The tag to choose from; the initial tag if left out.
            embedding_id: Where distances are measured; the newest embedding if left out.

        Returns:
            The newly created tag. It holds the preselected samples too.

        Raises:
            ApiException: If the server refuses.
            RuntimeError: If the selection failed or was cancelled.

        Example:
            >>> from lightly.api import ApiWorkflowClient
            >>> client = ApiWorkflowClient(token="YOUR_TOKEN")
            >>> mixed = [{"type": "DIVERSITY"}, {"type": "RANDOM", "strength": 0.1}]
            >>> client.create_selection("mixed", n_samples=9, strategies=mixed)  # doctest: +SKIP
        """
        optional: dict[str, Any] = {
            "nSamples": n_samples,
            "proportionSamples": proportion_samples,
            "preselectedTagId": preselected_tag_id,
            "queryTagId": query_tag_id,
            "embeddingId": embedding_id,
        }
        body = {key: value for key, value in optional.items() if value is not None}
        body |= {"newTagName": name, "strategies": [dict(strategy) for strategy in strategies]}
        path = make_path("ext", "v1", "datasets", self.dataset_id, "selection")
        job_id = read_id(self._transport.post(path, body, is_repeatable=True), "jobId")
        job = wait_for_job(self._transport, job_id, title=f"Selection {name}")
        if job.result is None or not isinstance(job.result.data, str):
            raise JobFailed(f"The selection {name} ended without a tag.")
        return self.get_tag_by_id(job.result.data)

    def get_selection_report(self, tag_id: str) -> dict[str, Any]:
        """Return what the selection that made a tag has to say.

        Args:
            tag_id: The tag.

        Returns:
            `SelectionReport` of `openapi/ext-v1.json`: what was asked for, why it ended, a report
            per strategy, and the coverage for growing numbers of picks against random ones.

        Raises:
            ApiException: If the tag was not made by a selection of this server.
        """
        report = self._transport.get(self._make_report_path(tag_id))
        if not isinstance(report, dict):
            raise UnexpectedAnswer("The server's answer is no report.")
        return report

    def get_selection_explanation(self, tag_id: str) -> SelectionExplanation:
        """Return the nearest earlier pick of every pick and the nearest pick of every sample.

        Positions are indices of samples in the dataset, in the order of `get_filenames`.

        Args:
            tag_id: A tag that a selection made.

        Raises:
            ApiException: If the tag has no report.
            RuntimeError: If nearest picks were not measured; the report says why.
        """
        import numpy as np

        from lightly.selection import SelectionExplanation

        report = self.get_selection_report(tag_id)
        columns = {column["name"]: column for column in report["columns"]}
        if "nearest" not in columns:
            raise RuntimeError(str(report.get("unexplainedBecause", "Nothing was measured.")))
        values = {name: self._read_column(tag_id, column) for name, column in columns.items()}
        gains = [values[f"gains.{place}"] for place in range(len(report["strategies"]))]
        return SelectionExplanation(
            indices=values["picks"],
            gains=np.column_stack(gains),
            earlier=values["earlier"],
            earlier_distances=values["earlierDistances"],
            nearest=values["nearest"],
            distances=values["distances"],
        )

    def cancel_job(self, job_id: str) -> None:
        """End a selection before it makes its tag.

        Args:
            job_id: The job, as in `get_jobs` of the wire calls.

        Raises:
            ApiException: If it has ended already.
        """
        self._transport.put(make_path("ext", "v1", "jobs", job_id, "cancel"))

    def _make_report_path(self, tag_id: str, *more: str) -> str:
        parts = ("ext", "v1", "datasets", self.dataset_id, "tags", tag_id, "selectionReport")
        return make_path(*parts, *more)

    def _read_column(self, tag_id: str, column: Mapping[str, Any]) -> NDArray[Any]:
        import numpy as np

        if column["dtype"] not in _DTYPES:
            raise UnexpectedAnswer("The report has a column of an unknown type.")
        path = self._make_report_path(tag_id, "columns", column["name"])
        pieces = [
            self._transport.get_bytes(path, {"offset": start, "limit": _VALUES_AT_ONCE})
            for start in range(0, column["length"], _VALUES_AT_ONCE)
        ]
        values: NDArray[Any] = np.frombuffer(b"".join(pieces), dtype=column["dtype"])
        if len(values) != column["length"]:
            raise UnexpectedAnswer("The server's answer has fewer values than its report says.")
        return values.astype(values.dtype.newbyteorder("="))
