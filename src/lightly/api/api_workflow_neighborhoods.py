"""Near-duplicates and outliers of a dataset, found by the server.

The operations are this project's own, below `/ext/v1`.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from lightly.api.answers import read_id
from lightly.api.client_base import ClientBase, make_path
from lightly.api.errors import JobFailed, UnexpectedAnswer
from lightly.api.jobs import wait_for_job

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lightly.selection import NearDuplicates, OutlierScores

#: Of columns: magic, version, type, values per sample, samples, bytes of the JSON, flags.
_HEADER = struct.Struct("<4sHBBQII8x")
_TYPES = {1: "<f4", 5: "<u4"}
_NO_LEADER = 2**32 - 1


class _NeighborhoodsMixin(ClientBase):
    """Near-duplicates and outliers."""

    def find_near_duplicates(
        self,
        max_distance: float,
        *,
        rule: Literal["transitive", "star"] = "transitive",
        embedding_id: str | None = None,
    ) -> NearDuplicates:
        """Let the server group samples that are almost the same, and wait for it.

        Asking again for what was found before takes no time.

        Args:
            max_distance: Samples are near-duplicates up to this Euclidean distance.
            rule: With `transitive` whoever is near a member belongs to the group; with `star`
                members are near the first sample of their group.
            embedding_id: Where distances are measured; the newest embedding if left out.

        Returns:
            Groups of samples by their index in the dataset, in the order of `get_filenames`.

        Raises:
            ApiException: If the server refuses.
            RuntimeError: If the search failed or was cancelled.

        Example:
            >>> from lightly.api import ApiWorkflowClient
            >>> client = ApiWorkflowClient(token="YOUR_TOKEN")
            >>> found = client.find_near_duplicates(0.1)  # doctest: +SKIP
            >>> [len(group) for group in found.list_groups(3)]  # doctest: +SKIP
        """
        import numpy as np

        from lightly.selection import NearDuplicates

        search = {"type": "NEAR_DUPLICATES", "maxDistance": max_distance, "rule": rule.upper()}
        values = self._find_neighborhood(search, embedding_id)
        leaders = np.where(values == _NO_LEADER, -1, values.astype(np.int64))
        return NearDuplicates(leaders=leaders, max_distance=float(max_distance), rule=rule)

    def score_outliers(
        self, *, n_neighbors: int = 10, embedding_id: str | None = None
    ) -> OutlierScores:
        """Let the server score samples by the mean distance to their nearest others, and wait.

        Asking again for what was found before takes no time.

        Args:
            n_neighbors: How many other samples.
            embedding_id: Where distances are measured; the newest embedding if left out.

        Returns:
            Scores by index in the dataset, in the order of `get_filenames`, rounded to float32;
            NaN for samples without a vector.

        Raises:
            ApiException: If the server refuses.
            RuntimeError: If the search failed or was cancelled.

        Example:
            >>> from lightly.api import ApiWorkflowClient
            >>> client = ApiWorkflowClient(token="YOUR_TOKEN")
            >>> client.score_outliers().rank(10)  # doctest: +SKIP
        """
        import numpy as np

        from lightly.selection import OutlierScores

        search = {"type": "OUTLIERS", "nNeighbors": n_neighbors}
        scores = self._find_neighborhood(search, embedding_id).astype(np.float64)
        n_scored = int(np.count_nonzero(~np.isnan(scores)))
        return OutlierScores(scores=scores, n_neighbours=min(n_neighbors, n_scored - 1))

    def _find_neighborhood(
        self, search: Mapping[str, Any], embedding_id: str | None
    ) -> NDArray[Any]:
        """Return the values of a search, once it is done."""
        path = make_path("ext", "v1", "datasets", self.dataset_id, "neighborhoods")
        body = {"search": dict(search)}
        if embedding_id is not None:
            body["embeddingId"] = embedding_id  # type: ignore[assignment]  # JSON
        job_id = read_id(self._transport.post(path, body, is_repeatable=True), "jobId")
        job = wait_for_job(self._transport, job_id, title="Comparing samples")
        if job.result is None or not isinstance(job.result.data, str):
            raise JobFailed("The search ended without a result.")
        parts = ("columns", "neighborhoods", job.result.data)
        column = make_path("ext", "v1", "datasets", self.dataset_id, *parts)
        return _read_column(self._transport.get_bytes(column))


def _read_column(content: bytes) -> NDArray[Any]:
    """Return the values of a column of one value per sample."""
    import numpy as np

    try:
        magic, version, kind, width, count, _, _ = _HEADER.unpack_from(content)
        values: NDArray[Any] = np.frombuffer(content, _TYPES[kind], count, _HEADER.size)
    except (struct.error, KeyError, ValueError) as error:
        raise UnexpectedAnswer("The server's answer is no column.") from error
    if (magic, version, width) != (b"LPC1", 1, 1):
        raise UnexpectedAnswer("The server's answer is a column of an unknown kind.")
    return values
