"""Selections: choosing a subset by its embeddings."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from lightly.active_learning.config.selection_config import pick_config
from lightly.api.answers import read_id
from lightly.api.api_workflow_tags import INITIAL_TAG, _TagsMixin
from lightly.api.api_workflow_upload_embeddings import _UploadEmbeddingsMixin
from lightly.api.errors import JobFailed
from lightly.api.jobs import wait_for_job

if TYPE_CHECKING:
    from lightly.active_learning.config.selection_config import SelectionConfig
    from lightly.openapi_generated.swagger_client.models.tag_data import TagData


class _SelectionMixin(_TagsMixin, _UploadEmbeddingsMixin):
    """Selections: choosing a subset by its embeddings."""

    def upload_scores(
        self, al_scores: Mapping[str, Iterable[float]], query_tag_id: str | None = None
    ) -> None:
        """Upload active learning scores.

        Args:
            al_scores: Values by score type; as many values as the tag has samples, in the
                server's order.
            query_tag_id: The tag that the scores belong to; the initial tag if left out.
        """
        if query_tag_id is None:
            query_tag_id = self.get_tag_by_name(INITIAL_TAG).id
        path = self._below_dataset("tags", query_tag_id, "scores")
        for score_type, values in al_scores.items():
            body = {"scoreType": score_type, "scores": [float(value) for value in values]}
            self._transport.post(path, body, is_repeatable=True)

    def selection(
        self,
        selection_config: SelectionConfig,
        preselected_tag_id: str | None = None,
        query_tag_id: str | None = None,
    ) -> TagData:
        """Perform a selection on the server and wait for it.

        Args:
            selection_config: The configuration of the selection.
            preselected_tag_id: The tag with the samples that are chosen already, such as those
                that have labels.
            query_tag_id: The tag to choose from; the initial tag if left out.

        Returns:
            The newly created tag. It holds the preselected samples too.

        Raises:
            ApiException: If the server refuses.
            ValueError: If a tag or the configuration is not valid.
            RuntimeError: If the tag's name is taken, there is nothing to select from, or the
                selection failed.
        """
        tags = self._check_tag_name(selection_config.name)
        if self.embedding_id is None:
            self.set_embedding_id_to_latest()
        body = {
            "newTagName": selection_config.name,
            "method": selection_config.method,
            "config": {
                "stoppingCondition": {
                    "nSamples": selection_config.n_samples,
                    "minDistance": selection_config.min_distance,
                }
            },
            "rowCount": tags[0].tot_size,
        }
        body |= {"preselectedTagId": preselected_tag_id} if preselected_tag_id else {}
        body |= {"queryTagId": query_tag_id} if query_tag_id else {}
        path = self._below_dataset("embeddings", str(self.embedding_id), "sampling")
        job_id = read_id(self._transport.post(path, body, is_repeatable=True), "jobId")
        job = wait_for_job(self._transport, job_id, title=f"Selection {selection_config.name}")
        if job.result is None or not isinstance(job.result.data, str):
            raise JobFailed(f"The selection {selection_config.name} ended without a tag.")
        return self.get_tag_by_id(job.result.data)

    def sampling(
        self,
        selection_config: SelectionConfig | None = None,
        preselected_tag_id: str | None = None,
        query_tag_id: str | None = None,
        *,
        sampler_config: SelectionConfig | None = None,
    ) -> TagData:
        """The former name of `selection`.

        Args:
            selection_config: As in `selection`.
            preselected_tag_id: As in `selection`.
            query_tag_id: As in `selection`.
            sampler_config: The name of `selection_config` up to client 1.1.

        Raises:
            TypeError: If not exactly one configuration is given.
        """
        warnings.warn(
            "sampling() is now called selection().", PendingDeprecationWarning, stacklevel=2
        )
        config = pick_config(selection_config, sampler_config)
        return self.selection(config, preselected_tag_id, query_tag_id)
