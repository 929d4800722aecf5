"""Parting the keys of a bucket that nobody has counted.

A store lists in the order of keys and goes on behind any text. So a few questions for "the first
key behind this text" find where keys begin to differ, and with which characters.
"""

from __future__ import annotations

from collections.abc import Callable

from lightly.server.datasources.stores import find_stop

#: Questions that one split may ask: some seconds at a store far away.
MAX_QUESTIONS = 200
#: Branches per part: the more, the more even the parts.
_BRANCHES_PER_PART = 4

#: Returns the first key behind a text, among those with a prefix.
FindNext = Callable[[str, str], str | None]


class _QuestionsSpent(Exception):
    """No more questions may be asked."""


def split_keys(
    find_next: FindNext, prefix: str, count: int, max_questions: int = MAX_QUESTIONS
) -> list[str]:
    """Return at most `count` - 1 texts, growing, that part the keys about evenly.

    Args:
        find_next: Asks the store.
        prefix: What the keys begin with.
        count: Parts that are wanted.
        max_questions: How often `find_next` is called at most.

    >>> keys = ["a/1", "a/2", "b/1"]
    >>> def find_next(prefix, after):
    ...     return next((key for key in keys if key.startswith(prefix) and key > after), None)
    >>> split_keys(find_next, "", 2)
    ['b']
    """
    n_left = max_questions

    def ask(within: str, after: str) -> str | None:
        nonlocal n_left
        if n_left == 0:
            raise _QuestionsSpent
        n_left -= 1
        return find_next(within, after)

    branches = _grow(ask, prefix, count) if count > 1 else []
    places = {len(branches) * part // count for part in range(1, count)}
    return [branches[place] for place in sorted(places) if 0 < place < len(branches)]


def _grow(ask: FindNext, prefix: str, count: int) -> list[str]:
    """Return prefixes that share no keys and have all of them, level by level."""
    wanted = _BRANCHES_PER_PART * count
    branches, finished = [prefix], False
    while len(branches) < wanted and not finished:
        finished = True
        grown: list[str] = []
        for number, branch in enumerate(branches):
            try:
                parts = _branch(ask, branch)
            except _QuestionsSpent:
                # A level that is half grown parts less evenly than the one before.
                return branches if len(branches) >= count else [*grown, *branches[number:]]
            finished = finished and not parts
            grown += parts or [branch]
        branches = grown
    return branches


def _branch(ask: FindNext, prefix: str) -> list[str]:
    """Return the shortest prefixes in which the keys with a prefix differ; none if in none."""
    first = ask(prefix, "")
    if first is None or ask(prefix, find_stop(first)) is None:
        return []
    # The length at which something else comes behind all keys that begin like the first one.
    low, high = len(prefix) + 1, len(first)
    while low < high:
        middle = (low + high) // 2
        if ask(prefix, find_stop(first[:middle])) is None:
            low = middle + 1
        else:
            high = middle
    parts = [first[:low]]
    while (following := ask(prefix, find_stop(parts[-1]))) is not None:
        parts.append(following[:low])
    return parts
