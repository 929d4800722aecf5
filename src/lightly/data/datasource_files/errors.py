"""What is wrong with a file: which one, where in it, against which rule, and what helps."""

from __future__ import annotations

from lightly._kit.errors import BadInput

_SHOWN_CHARACTERS = 160


class FileInvalid(BadInput):
    """A file of the datasource breaks a rule.

    Args:
        file: Its name.
        key: Where in it, such as `predictions.0.bbox.2`; empty for the whole file.
        rule: What must be.
        remedy: What helps.

    Attributes:
        file: Its name.
        key: Where in it.
        rule: What must be.
    """

    code = "file_invalid"

    def __init__(self, file: str, key: str, rule: str, remedy: str = "") -> None:
        place = f"{shorten(file, _SHOWN_CHARACTERS)}{f', {key}' if key else ''}"
        super().__init__(f"{place}: {rule}.{f' {remedy}' if remedy else ''}")
        self.file = file
        self.key = key
        self.rule = rule


def shorten(value: object, limit: int = 60) -> str:
    """Return a value as it may be shown in a message: one line of plain characters, not long.

    >>> shorten("a" * 100, 10)
    "'aaaaaa..."
    """
    try:
        text = ascii(value[:limit]) if isinstance(value, str) else ascii(value)
    except ValueError:
        # The language refuses to write numbers with thousands of digits.
        text = "a number of too many digits"
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
