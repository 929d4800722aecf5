"""Predictions of a model for the samples of a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lightly._kit.errors import BadInput
from lightly.api.client_base import ClientBase, make_path
from lightly.api.dataset_samples import DatasetSamples
from lightly.api.progress import ProgressBar

if TYPE_CHECKING:
    from lightly.openapi_generated.swagger_client.models.prediction_singleton import (
        PredictionSingleton,
    )
    from lightly.openapi_generated.swagger_client.models.prediction_task_schema import (
        PredictionTaskSchema,
    )

#: Stands for "no version" among the numbers.
_NO_VERSION = -1
#: Matches of a tag search in one answer, the server's ceiling.
_MATCHES = 10_000


@dataclass(frozen=True, slots=True)
class TagMatch:
    """A sample that shows what was searched for.

    Attributes:
        index: Of the sample in its dataset, which is its bit in tags.
        sample_id: Its id.
        file_name: Its name.
        score: Probability from 0 to 1.
    """

    index: int
    sample_id: str
    file_name: str
    score: float


class _PredictionsMixin(ClientBase):
    """Predictions of a model for the samples of a dataset."""

    def create_or_update_prediction_task_schema(
        self, schema: PredictionTaskSchema, prediction_version_id: int = _NO_VERSION
    ) -> None:
        """Say what the predictions of a task look like; replaces what was said before.

        Args:
            schema: Name, type and categories of the task.
            prediction_version_id: Without effect on the server; only numbers from 0 on are sent.

        Raises:
            ApiException: If the server refuses, for example because a category id occurs twice.

        Example:
            >>> from lightly.openapi_generated.swagger_client.models import PredictionTaskSchema
            >>> schema = PredictionTaskSchema.from_dict({
            ...     "name": "weather",
            ...     "type": "CLASSIFICATION",
            ...     "categories": [{"id": 0, "name": "sunny"}, {"id": 1, "name": "rainy"}],
            ... })
            >>> client.create_or_update_prediction_task_schema(schema)  # doctest: +SKIP
        """
        self._transport.post(
            self._below_dataset("predictions", "tasks"),
            _make_body(schema),
            _make_parameters(prediction_version_id),
            is_repeatable=True,
        )

    def create_or_update_prediction(
        self,
        sample_id: str,
        prediction_singletons: Sequence[PredictionSingleton],
        prediction_version_id: int = _NO_VERSION,
    ) -> None:
        """Store the predictions for one sample.

        They replace all predictions that the sample has of the tasks that occur among them.

        Args:
            sample_id: The sample.
            prediction_singletons: The predictions, of any tasks; their order is kept.
            prediction_version_id: Without effect on the server; only numbers from 0 on are sent.

        Raises:
            ApiException: If the server refuses, for example because a task has no schema.

        Example:
            >>> from lightly.openapi_generated.swagger_client.models import PredictionSingleton
            >>> rainy = PredictionSingleton.from_dict({
            ...     "type": "CLASSIFICATION",
            ...     "taskName": "weather",
            ...     "categoryId": 1,
            ...     "score": 0.9,
            ... })
            >>> client.create_or_update_prediction(sample_id, [rainy])  # doctest: +SKIP
        """
        self._transport.post(
            self._below_dataset("predictions", "samples", sample_id),
            [_make_body(singleton) for singleton in prediction_singletons],
            _make_parameters(prediction_version_id),
            is_repeatable=True,
        )

    def create_or_update_predictions(
        self,
        sample_id_to_prediction_singletons: Mapping[str, Sequence[PredictionSingleton]],
        prediction_version_id: int = _NO_VERSION,  # noqa: ARG002  has its place among the others
        progress_bar: ProgressBar | None = None,
        *,
        max_workers: int = 8,
    ) -> None:
        """Store the predictions for many samples; see `create_or_update_prediction`.

        Args:
            sample_id_to_prediction_singletons: The predictions by sample.
            prediction_version_id: Without effect, and not sent.
            progress_bar: Anything with a method `update`, such as a bar of `tqdm`; it moves on by
                one for each sample.
            max_workers: Most requests at the same time, where the server takes one sample each.

        Raises:
            ApiException: If the server refuses; what was sent before stays.
        """
        items = (
            (sample_id, [_make_body(singleton) for singleton in singletons])
            for sample_id, singletons in sample_id_to_prediction_singletons.items()
        )
        samples = DatasetSamples(self._transport, self.dataset_id, max_workers=max_workers)
        for count in samples.update_predictions(items):
            if progress_bar is not None:
                progress_bar.update(count)

    def search_tags(
        self, word: str, min_score: float = 0.2, n_samples: int | None = None
    ) -> list[TagMatch]:
        """Find samples by a word for what they show, the likeliest first.

        It goes by the tags that runs store on request, see `docs/how-to/tags.md`. Only what is
        among the 1,000 classes of the shipped model is found, or what these are kinds of: things,
        animals and plants, but no people and no colours.

        Args:
            word: Such as `dog` or `motor vehicle`.
            min_score: Least probability of a match, from 0 to 1.
            n_samples: How many samples to return at most; all that match if None.

        Returns:
            Index, id, file name and score of each match.

        Raises:
            ValueError: If the word is not known; the message has words that look like it.
            ApiException: If the server refuses.

        Example:
            >>> for match in client.search_tags("dog", n_samples=10):  # doctest: +SKIP
            ...     print(match.file_name, match.score)
        """
        matches: list[TagMatch] = []
        after: int | None = -1
        while after is not None:
            parameters: dict[str, str | int] = {
                "word": word,
                "minScore": str(min_score),
                "after": after,
                "limit": _MATCHES,
            }
            path = make_path("ext", "v1", "datasets", self.dataset_id, "predictions", "tagSearch")
            answer = self._transport.get(path, parameters)
            if answer["word"] is None:
                near = ", ".join(answer["suggestions"]) or "none"
                raise ValueError(
                    f"No tag is called {word[:60]!r}. Words that look like it: {near}."
                )
            matches += [TagMatch(*match) for match in answer["matches"]]
            after = answer["next"]
        matches.sort(key=lambda match: (-match.score, match.index))
        return matches[:n_samples]


def _make_body(value: object) -> Any:
    """Return a model as what travels on the wire. Dictionaries with wire names pass as they are."""
    if isinstance(value, Mapping):
        return dict(value)
    to_dict = getattr(value, "to_dict", None)
    if to_dict is None:
        raise BadInput(
            "Predictions and schemas must be objects of "
            f"lightly.openapi_generated.swagger_client.models, got {type(value).__name__}."
        )
    return to_dict(by_alias=True)


def _make_parameters(prediction_version_id: int) -> dict[str, int] | None:
    if prediction_version_id < 0:
        return None
    return {"predictionUUIDTimestamp": prediction_version_id}
