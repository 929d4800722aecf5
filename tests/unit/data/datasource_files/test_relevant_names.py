"""Files with relevant filenames keep their rules, in linear time: T35."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightly.data.datasource_files import relevant_names
from lightly.data.datasource_files.relevant_names import (
    RelevantNamesInvalid,
    parse_relevant_names,
)


@pytest.mark.parametrize(
    ("rules", "name", "expected"),
    [
        ("a.jpg", "a.jpg", True),
        ("a.jpg", "b/a.jpg", False),
        ("a.jpg", "A.jpg", False),
        ("a b.jpg", "a b.jpg", True),
        ("\ufeffa.jpg\r\n", "a.jpg", True),
        ("", "a.jpg", False),
        ("*", "a/b/c.jpg", True),
        ("a/*", "a/b/c.jpg", True),
        ("a/*", "ab.jpg", False),
        ("a/b*.jpg", "a/bc.png", True),
        ("my folder/*", "my folder/a.jpg", True),
        ("subdir/* subdir/image_4*", "subdir/image_3.png", True),
        ("subdir/* subdir/image_4*", "subdir/image_41.png", False),
        ("subdir/* subdir/image_4* !subdir/image_41.png", "subdir/image_41.png", True),
        ("subdir/* subdir/image_4* !subdir/image_41.png", "subdir/image_42.png", False),
        ("* *.png", "a/b.png", False),
        ("* *.png", "a/b.jpg", True),
        ("* **/b/", "a/b/c.jpg", False),
        ("* /b.jpg", "a/b.jpg", True),
        ("a/* a/b*\na/bc.jpg", "a/bc.jpg", True),
        ("a/* a/b*\na/b*", "a/bc.jpg", True),
        ("* [ab].jpg", "b.jpg", False),
        ("a\\b.jpg", "a\\b.jpg", True),
    ],
)
def test_a_name_is_relevant_or_not(rules, name, expected):
    assert parse_relevant_names(rules).has(name) is expected


@pytest.mark.parametrize(
    ("rules", "stem", "expected"),
    [
        ("a/b.jpg", "a/b", True),
        ("a/b.jpg", "a/c", False),
        ("a.tar.gz", "a.tar", True),
        ("film.mp4", "film-099-mp4", True),
        ("film.mp4", "film-099-mov", False),
        ("films/*", "films/film-099-mp4", True),
        ("a/* a/b.jpg", "a/b", False),
        ("a/* a/b* !a/bc.jpg", "a/bc", True),
        ("a/* a/b*", "a/bd", False),
        ("a/* *.jpg", "a/b", True),
    ],
)
def test_what_lies_beside_a_relevant_file_is_relevant(rules, stem, expected):
    assert parse_relevant_names(rules).has_stem(stem) is expected


@pytest.mark.parametrize(
    "rules", ["./a.jpg", "../a.jpg", "/a.jpg", "ok.jpg\n\\a.jpg", "* " + "x" * 1025]
)
def test_a_line_that_breaks_a_rule_is_named(rules):
    with pytest.raises(RelevantNamesInvalid, match=f"Line {rules.count(chr(10)) + 1} "):
        parse_relevant_names(rules)


def test_the_number_of_patterns_has_a_ceiling(monkeypatch):
    monkeypatch.setattr(relevant_names, "MAX_PATTERNS", 3)
    parse_relevant_names("* a b c")

    with pytest.raises(RelevantNamesInvalid):
        parse_relevant_names("* a b\n* c d")


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "a*" * 200 + "b", "**/" * 100 + "b", "[a-z]*" * 100 + "!", "?" * 1000]
)
def test_no_pattern_makes_a_name_take_long(pattern):
    rules = parse_relevant_names(f"* {pattern}")
    names = ["a" * 5_000, "a/" * 2_500, "a" * 4_999 + "!"]
    started = time.perf_counter()

    for name in names:
        rules.has(name)

    assert time.perf_counter() - started < 0.1


def test_ten_thousand_patterns_are_matched_at_once():
    rules = parse_relevant_names("* " + " ".join(f"sub{n}/image_4*" for n in range(10_000)))
    names = [f"sub{n}/image_{n}.png" for n in range(10_000)]
    started = time.process_time()

    relevant = sum(map(rules.has, names))

    # A million in half a minute.
    assert time.process_time() - started < 0.3
    assert relevant == sum(not str(n).startswith("4") for n in range(10_000))


@given(st.text(st.characters(codec="utf-8"), max_size=200), st.text(max_size=50))
def test_any_text_is_read_or_refused(text, name):
    try:
        rules = parse_relevant_names(text)
    except RelevantNamesInvalid:
        return
    assert rules.has(name) in {True, False}
    assert rules.has_stem(name) in {True, False}
