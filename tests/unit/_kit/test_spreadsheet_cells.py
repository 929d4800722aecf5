"""Cells that no spreadsheet takes for a formula."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lightly._kit.spreadsheet_cells import FORMULA_STARTS, protect_cell, restore_cell

#: Texts of any kind, more often than by chance of the characters that matter.
CELLS = st.text() | st.text(st.sampled_from([*FORMULA_STARTS, "'", '"', ",", "a"]), max_size=6)


@given(CELLS)
@example("'=a")
@example("''")
def test_every_text_comes_back_as_it_was(text: str) -> None:
    assert restore_cell(protect_cell(text)) == text


@given(CELLS)
def test_no_cell_begins_like_a_formula(text: str) -> None:
    assert not protect_cell(text).startswith(tuple(FORMULA_STARTS))


@given(CELLS, CELLS)
def test_different_texts_stay_different(one: str, other: str) -> None:
    assert (protect_cell(one) == protect_cell(other)) == (one == other)


@pytest.mark.parametrize(
    "text",
    ["=1+2.jpg", "+1.jpg", "-i.mp4", "@sum(a1).jpg", "\tcmd", "\r=1", "\n=1", '=cmd|"/c calc"!A1'],
)
def test_what_begins_like_a_formula_gets_an_apostrophe(text: str) -> None:
    assert protect_cell(text) == "'" + text


@pytest.mark.parametrize("text", ["", "a=b.jpg", "street/-1.jpg", "'tis.jpg", "''", "1-2"])
def test_everything_else_stays_as_it_is(text: str) -> None:
    assert protect_cell(text) == text
