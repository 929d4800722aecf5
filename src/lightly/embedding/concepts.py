"""Words for the classes of the shipped model: their names, and what they are kinds of.

The vocabulary is `models/imagenet1k_concepts.json`: names and ancestors of 1,000 classes from
WordNet 3.0. A word stands for all classes that it names and for all kinds of what it names, so
"dog" stands for 118 classes. People, places and properties such as colours are not in it.
"""

from __future__ import annotations

import difflib
import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

_FILE = "models/imagenet1k_concepts.json"
_MAX_WORD_CHARACTERS = 100
#: Of two letters that changed places in a word of three, on the scale of `difflib`.
_LEAST_LIKENESS = 0.6
#: Ends of plurals, with what takes their place.
_PLURALS = (("ies", "y"), ("ves", "f"), ("es", ""), ("s", ""))


@dataclass(frozen=True)
class Concept:
    """What a word stands for.

    Attributes:
        word: As the vocabulary has it.
        classes: Numbers of the classes, ascending.
    """

    word: str
    classes: tuple[int, ...]


@dataclass(frozen=True)
class Vocabulary:
    """All words.

    Attributes:
        class_names: One name for each class; no two are the same.
        classes: Numbers of the classes of each word; words are in lower case.
    """

    class_names: tuple[str, ...]
    classes: Mapping[str, tuple[int, ...]]

    def find(self, word: str) -> Concept | None:
        """Return what a word stands for; None if it is not in the vocabulary.

        Case does not matter, nor do underscores and plurals.

        >>> load_vocabulary().find("Dogs").word, len(load_vocabulary().find("Dogs").classes)
        ('dog', 118)
        """
        plain = " ".join(word[:_MAX_WORD_CHARACTERS].replace("_", " ").lower().split())
        for candidate in (plain, *_list_singulars(plain)):
            if candidate in self.classes:
                return Concept(candidate, self.classes[candidate])
        return None

    def suggest(self, word: str, count: int = 5) -> list[str]:
        """Return known words that look like an unknown one, the nearest first.

        >>> load_vocabulary().suggest("elefant", 1)
        ['elephant']
        """
        plain = word[:_MAX_WORD_CHARACTERS].replace("_", " ").lower().strip()
        parts = {part for part in plain.split() if part in self.classes}
        near = difflib.get_close_matches(plain, self.classes, count, cutoff=_LEAST_LIKENESS)
        longer = sorted(known for known in self.classes if plain and plain in known.split())
        return list(dict.fromkeys([*sorted(parts), *near, *longer]))[:count]


@cache
def load_vocabulary() -> Vocabulary:
    """Return the vocabulary of the shipped model. It is read once."""
    text = (resources.files("lightly.embedding") / _FILE).read_text(encoding="utf-8")
    entries = json.loads(text)["classes"]
    firsts = Counter(entry["names"][0] for entry in entries)
    names = tuple(
        entry["names"][0]
        if firsts[entry["names"][0]] == 1
        # A crane is a bird and a machine: what it is a kind of tells them apart.
        else f"{entry['names'][0]} ({(entry['names'][1:] + entry['isa'])[0]})"
        for entry in entries
    )
    classes: dict[str, set[int]] = defaultdict(set)
    for number, entry in enumerate(entries):
        for word in (names[number], *entry["names"], *entry["isa"]):
            classes[word.lower()].add(number)
    return Vocabulary(names, {word: tuple(sorted(found)) for word, found in classes.items()})


def _list_singulars(word: str) -> list[str]:
    return [word[: -len(end)] + other for end, other in _PLURALS if word.endswith(end)]
