"""Parting keys that nobody has counted."""

from __future__ import annotations

import bisect
import itertools

from hypothesis import given
from hypothesis import strategies as st

from lightly.server.datasources.buckets.splitting import split_keys

NAMES = st.sets(st.text(st.sampled_from("ab/0\u00e9\U0001f600"), min_size=1, max_size=6))


def make_find(keys):
    ordered = sorted(keys)
    asked = []

    def find_next(prefix, after):
        asked.append(after)
        place = max(bisect.bisect_right(ordered, after), bisect.bisect_left(ordered, prefix))
        found = ordered[place] if place < len(ordered) else None
        return found if found is not None and found.startswith(prefix) else None

    return find_next, asked


@given(NAMES, st.integers(1, 8), st.sampled_from(["", "a", "a/"]))
def test_texts_grow_and_are_fewer_than_the_parts(names, count, prefix):
    find_next, _ = make_find(names)

    found = split_keys(find_next, prefix, count)

    assert found == sorted(set(found))
    assert len(found) < count
    assert all(text.startswith(prefix) for text in found)


def test_many_numbered_files_are_parted_about_evenly():
    keys = [f"raw/image_{number:06d}.jpg" for number in range(10_000)]
    find_next, _ = make_find(keys)

    bounds = [0, *(bisect.bisect(keys, text) for text in split_keys(find_next, "raw/", 8)), 10_000]

    sizes = [after - before for before, after in itertools.pairwise(bounds)]
    assert len(sizes) == 8
    assert max(sizes) <= 2 * min(sizes)


def test_no_more_questions_are_asked_than_allowed():
    keys = [f"{number:06d}" for number in range(10_000)]
    find_next, asked = make_find(keys)

    assert split_keys(find_next, "", 256, max_questions=40)
    assert len(asked) <= 40


def test_one_file_is_one_part():
    find_next, _ = make_find(["a/one.jpg"])

    assert split_keys(find_next, "", 4) == []
