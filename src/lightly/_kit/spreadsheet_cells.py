"""Texts of others in tables that people open: a spreadsheet must take none of them for a formula.

A cell that begins like a formula gets an apostrophe in front, which spreadsheets read as "this is
text". So that every text comes back as it was, one more goes in front of apostrophes that stand
before such a beginning already. All other cells are left alone.
"""

from __future__ import annotations

import re

#: What spreadsheets take for the beginning of a formula, blanks that they skip included.
FORMULA_STARTS = "=+-@\t\r\n"

_RISKY = re.compile(rf"'*[{re.escape(FORMULA_STARTS)}]")


def protect_cell(text: str) -> str:
    """Return a text as it may stand in a table.

    >>> protect_cell("=1+2.jpg"), protect_cell("a=b.jpg"), protect_cell("'-i.mp4")
    ("'=1+2.jpg", 'a=b.jpg', "''-i.mp4")
    """
    return f"'{text}" if _RISKY.match(text) else text


def restore_cell(cell: str) -> str:
    """Return the text that `protect_cell` was given.

    >>> restore_cell("'=1+2.jpg"), restore_cell("'tis.jpg")
    ('=1+2.jpg', "'tis.jpg")
    """
    return cell[1:] if cell.startswith("'") and _RISKY.match(cell) else cell
