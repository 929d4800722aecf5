"""Samples by what they show: a word, the classes that it stands for, and their probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray

from lightly.data.made_tasks import AUTO_TAGS_TASK
from lightly.embedding.concepts import Concept, load_vocabulary
from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action
from lightly.server.platform import PlatformState
from lightly.server.predictions import repository, tag_blocks
from lightly.server.samples.repository import read_chosen_identities

#: Blocks that one request looks into: a million samples. The answer says where to go on.
MAX_BLOCKS = 256
_CATEGORIES = 65_536


@dataclass(frozen=True)
class TagMatch:
    """A sample that a search has found.

    Attributes:
        idx: Its index.
        id: Its id.
        file_name: Its name.
        score: Probability that it shows what was asked for.
    """

    idx: int
    id: str
    file_name: str
    score: float


@dataclass(frozen=True)
class TagSearch:
    """The answer to a search.

    Attributes:
        word: As the vocabulary has it; None if it does not have it.
        n_classes: How many classes of the model the word stands for.
        suggestions: Words that look like an unknown one.
        matches: What was found, in the order of the index.
        next_after: The index to go on behind; None when all samples were looked at.
    """

    word: str | None
    n_classes: int
    suggestions: list[str]
    matches: list[TagMatch]
    next_after: int | None


def search_tags(
    platform: PlatformState,
    caller: User,
    dataset_id: str,
    word: str,
    *,
    min_score: float,
    after: int,
    limit: int,
) -> TagSearch:
    """Return samples of a dataset that show something.

    Args:
        platform: The server.
        caller: Who asks.
        dataset_id: The dataset.
        word: A class of the shipped model, or what classes are kinds of.
        min_score: Least probability of a match.
        after: Only samples behind this index.
        limit: Most matches.
    """
    concept = load_vocabulary().find(word)
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        task = repository.find_task(connection, dataset.key, AUTO_TAGS_TASK)
    if concept is None:
        return TagSearch(None, 0, load_vocabulary().suggest(word), [], None)
    found: list[tuple[int, float]] = []
    next_after = None
    if task is not None:
        wanted = _mark_categories(concept, task.categories_json)
        found, next_after = _Scan(platform, dataset.key, wanted, min_score).run(after, limit)
    with platform.database.read() as connection:
        known = read_chosen_identities(connection, dataset.key, [idx for idx, _ in found])
    matches = [TagMatch(idx, *known[idx], score) for idx, score in found if idx in known]
    return TagSearch(concept.word, len(concept.classes), [], matches, next_after)


def _mark_categories(concept: Concept, categories_json: str) -> NDArray[np.bool_]:
    """Return which categories of the stored task a concept stands for, by their names."""
    names = {load_vocabulary().class_names[number] for number in concept.classes}
    wanted = np.zeros(_CATEGORIES, np.bool_)
    for category in orjson.loads(categories_json):
        if category["id"] < _CATEGORIES and category["name"] in names:
            wanted[category["id"]] = True
    return wanted


@dataclass(frozen=True)
class _Scan:
    """A walk over the blocks of a dataset, some in each transaction."""

    platform: PlatformState
    dataset_key: int
    wanted: NDArray[np.bool_]
    min_score: float

    def run(self, after: int, limit: int) -> tuple[list[tuple[int, float]], int | None]:
        """Return index and score of matches, and where to go on if there may be more."""
        found: list[tuple[int, float]] = []
        block = first = (after + 1) // tag_blocks.SAMPLES_PER_BLOCK
        while block < first + MAX_BLOCKS:
            with self.platform.database.read() as connection:
                read = list(tag_blocks.iterate_blocks(connection, self.dataset_key, block))
            if not read:
                return found, None
            for block, tags in read:
                found += self._match(block, tags, after)
                if len(found) > limit:
                    return found[:limit], found[limit - 1][0]
            block += 1
        return found, block * tag_blocks.SAMPLES_PER_BLOCK - 1

    def _match(self, block: int, tags: tag_blocks.Tags, after: int) -> list[tuple[int, float]]:
        scores = tag_blocks.sum_scores(tags, self.wanted)
        begin = block * tag_blocks.SAMPLES_PER_BLOCK
        places = np.flatnonzero((scores >= self.min_score) & (scores > 0))
        return [
            (begin + int(place), round(float(scores[place]), 4))
            for place in places
            if begin + place > after
        ]
