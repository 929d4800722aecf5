"""`ActiveLearningAgent`: which samples have labels, which could get some, which are new."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from lightly._kit.bitmask import combine_bitmasks, count_bits, iterate_indices, parse_bitmask
from lightly._kit.errors import BadInput, LightlyError
from lightly.active_learning.config.selection_config import pick_config

if TYPE_CHECKING:
    from lightly.active_learning.config.selection_config import SelectionConfig
    from lightly.active_learning.scorers.scorer import Scorer
    from lightly.openapi_generated.swagger_client.models.tag_data import TagData

_NO_LIMIT = -1


class SelectionClient(Protocol):
    """What the agent needs of a client; `lightly.api.ApiWorkflowClient` has it."""

    def get_all_tags(self) -> list[TagData]:
        """Return all tags of the dataset."""
        ...

    def get_filenames(self) -> list[str]:
        """Return the names of all samples, in the server's order."""
        ...

    def upload_scores(self, al_scores: Mapping[str, Any], query_tag_id: str | None = None) -> None:
        """Store one value per sample of the tag and score type."""
        ...

    def selection(
        self,
        selection_config: SelectionConfig,
        preselected_tag_id: str | None = None,
        query_tag_id: str | None = None,
    ) -> TagData:
        """Select and return the new tag."""
        ...


class TagUnknown(LightlyError, KeyError):
    """The dataset has no tag with this name."""

    code = "tag_unknown"

    def __str__(self) -> str:
        # KeyError shows its argument with quotes around.
        return str(self.args[0])


class ActiveLearningAgent:
    """Chooses samples to label, round after round.

    Each `query` adds samples to those that were chosen before: the tag it makes becomes the
    preselected tag of the next one. All sets are lists of file names in the server's order, which
    is the order that a scorer's predictions must have too.

    Attributes:
        api_workflow_client: Asked for everything; it knows the dataset and the embedding.

    Args:
        api_workflow_client: The client, with the dataset set and embeddings uploaded.
        query_tag_name: Tag with the samples that may be chosen.
        preselected_tag_name: Tag with the samples that have labels already; none if left out.

    Raises:
        KeyError: If the dataset has no tag with such a name.

    Example:
        >>> agent = ActiveLearningAgent(client)  # doctest: +SKIP
        >>> agent.query(SelectionConfig(n_samples=100, name="round 1"))  # doctest: +SKIP
        >>> agent.added_set  # doctest: +SKIP
        ['a.jpg', 'b.jpg']
    """

    def __init__(
        self,
        api_workflow_client: SelectionClient,
        query_tag_name: str = "initial-tag",
        preselected_tag_name: str | None = None,
    ) -> None:
        self.api_workflow_client = api_workflow_client
        tags = {tag.name: tag for tag in api_workflow_client.get_all_tags()}
        query_tag = _find_tag(tags, query_tag_name)
        self._query_tag_id = query_tag.id
        self._query_mask = _read_mask(query_tag)
        self._n_samples = query_tag.tot_size
        self._preselected_tag_id: str | None = None
        self._preselected_mask = b""
        self._mask_before: bytes | None = None
        self._filenames: list[str] = []
        if preselected_tag_name is not None:
            preselected = _find_tag(tags, preselected_tag_name)
            self._preselected_tag_id = preselected.id
            self._preselected_mask = _read_mask(preselected)

    @property
    def query_set(self) -> list[str]:
        """The samples that may be chosen, whether chosen already or not."""
        return self._name(self._query_mask)

    @property
    def labeled_set(self) -> list[str]:
        """The samples that have been chosen, those of the preselected tag included."""
        return self._name(self._preselected_mask)

    @property
    def unlabeled_set(self) -> list[str]:
        """The samples that may be chosen and have not been."""
        return self._name(combine_bitmasks(self._query_mask, self._preselected_mask, "DIFFERENCE"))

    @property
    def added_set(self) -> list[str]:
        """The samples that the last query has added.

        Raises:
            RuntimeError: If there was no query yet.
        """
        if self._mask_before is None:
            raise RuntimeError("There is no added set before the first query().")
        return self._name(combine_bitmasks(self._preselected_mask, self._mask_before, "DIFFERENCE"))

    def upload_scores(self, al_scorer: Scorer) -> None:
        """Store the scores of the query set's samples on the server.

        Args:
            al_scorer: Made of one prediction per sample of `query_set`, in its order.

        Raises:
            ValueError: If there are more or fewer predictions than samples.
        """
        scores = al_scorer.calculate_scores()
        n_samples = count_bits(self._query_mask)
        for name, values in scores.items():
            if len(values) != n_samples:
                raise BadInput(
                    f"The query set has {n_samples} samples, but there are {len(values)} values of"
                    f" {name}. Make the scorer of one prediction per sample of query_set."
                )
        self.api_workflow_client.upload_scores(scores, self._query_tag_id)

    def query(
        self,
        selection_config: SelectionConfig | None = None,
        al_scorer: Scorer | None = None,
        *,
        sampler_config: SelectionConfig | None = None,
    ) -> None:
        """Choose more samples.

        Args:
            selection_config: How many, and by which method. `n_samples` counts those that were
                chosen before; with fewer than that there is nothing to do, so the query is skipped
                with a warning.
            al_scorer: Its scores are stored first; the methods CORAL and ACTIVE_LEARNING need some.
            sampler_config: The name of `selection_config` up to client 1.1.

        Raises:
            TypeError: If not exactly one configuration is given.
            ValueError: If the scorer has not one prediction per sample of `query_set`.
            RuntimeError: If the name is taken or the selection fails.
        """
        config = pick_config(selection_config, sampler_config)
        n_wanted, n_chosen = (
            self._count_wanted(config),
            count_bits(self._preselected_mask),
        )
        if n_wanted is not None and n_wanted < n_chosen:
            warnings.warn(
                f"ActiveLearningAgent.query: {config.n_samples} samples are wanted and"
                f" {n_chosen} have been chosen before. The query is skipped.",
                UserWarning,
                stacklevel=2,
            )
            return
        if al_scorer is not None:
            self.upload_scores(al_scorer)
        tag = self.api_workflow_client.selection(
            config,
            preselected_tag_id=self._preselected_tag_id,
            query_tag_id=self._query_tag_id,
        )
        self._mask_before = self._preselected_mask
        self._preselected_tag_id = tag.id
        self._preselected_mask = _read_mask(tag)

    def _count_wanted(self, config: SelectionConfig) -> float | None:
        if config.n_samples == _NO_LIMIT:
            return None
        return config.n_samples * self._n_samples if config.n_samples < 1 else config.n_samples

    def _name(self, mask: bytes) -> list[str]:
        indices = list(iterate_indices(mask))
        # Samples are only ever added at the end, so the names that were read before stay right.
        if indices and indices[-1] >= len(self._filenames):
            self._filenames = self.api_workflow_client.get_filenames()
        return _pick(self._filenames, indices)


def _pick(names: Sequence[str], indices: Sequence[int]) -> list[str]:
    return [names[index] for index in indices]


def _find_tag(tags: Mapping[str, TagData], name: str) -> TagData:
    if name not in tags:
        raise TagUnknown(f"The dataset has no tag named {ascii(name)[:80]}.")
    return tags[name]


def _read_mask(tag: TagData) -> bytes:
    return parse_bitmask(tag.bit_mask_data, tag.tot_size)
