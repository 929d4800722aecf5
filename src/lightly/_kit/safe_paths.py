"""Turning a name that somebody sent into a path that stays where it belongs.

Names are checked by the rules of POSIX and of Windows alike, whatever this machine is, because
datasets move between them. Source: threats T14 and T16 of the project's threat list.
"""

from __future__ import annotations

import re
from pathlib import Path

from lightly._kit.errors import BadInput

#: Longest name in bytes: the longest key of the common object stores.
MAX_NAME_BYTES = 1024
#: The deepest folder tree that a name may open.
MAX_NAME_PARTS = 64

_DRIVE = re.compile(r"^[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
# Windows drops dots and blanks at the end of a part, so that `.. ` means `..` there.
_DOT_PART = re.compile(r"(?:^|[/\\]) *\.[. ]*(?:$|[/\\])")


def check_relative_name(name: str) -> str:
    """Return `name` if it is a relative path without tricks, else raise.

    Raises:
        BadInput: If the name is empty, too long, not valid Unicode, absolute or with a drive
            letter, has control characters, or parts of nothing but dots and blanks. Backslashes
            count as separators too.

    >>> check_relative_name("a/b c.jpg")
    'a/b c.jpg'
    """
    problem = _find_problem(name)
    if problem is not None:
        raise BadInput(f"A file name {problem}: {_shorten(name)}.")
    return name


def _find_problem(name: str) -> str | None:  # noqa: PLR0911  one return per rule, as a list
    """Return the rule that a name breaks. Runs once per sample, so nothing is built beforehand."""
    if not name:
        return "must not be empty"
    if _SURROGATE.search(name):
        return "must be valid Unicode; rename the file"
    if len(name.encode()) > MAX_NAME_BYTES:
        return f"may have at most {MAX_NAME_BYTES} bytes"
    if _CONTROL.search(name):
        return "must not contain control characters"
    if name[0] in "/\\" or _DRIVE.match(name):
        return "must be relative"
    if name.count("/") + name.count("\\") >= MAX_NAME_PARTS:
        return f"may have at most {MAX_NAME_PARTS} folders"
    if _DOT_PART.search(name):
        return "must not contain '.' or '..' parts"
    return None


def resolve_below(root: Path, name: str) -> Path:
    """Return the path of `name` below `root`, following links, or raise.

    Raises:
        BadInput: If the name is not a plain relative one or leads outside of `root`.
    """
    check_relative_name(name)
    base = root.resolve()
    try:
        path = (base / name).resolve()
    except RuntimeError as error:
        raise BadInput(f"The file name leads into a loop of links: {_shorten(name)}.") from error
    if path == base or base not in path.parents:
        raise BadInput(f"The file name leads outside of its folder: {_shorten(name)}.")
    return path


def _shorten(name: str) -> str:
    text = ascii(name[:80])
    return text if len(text) <= 80 else text[:77] + "..."
