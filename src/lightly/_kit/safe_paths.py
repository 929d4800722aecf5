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


def check_relative_name(name: str) -> str:
    """Return `name` if it is a relative path without tricks, else raise.

    Raises:
        BadInput: If the name is empty, too long, absolute, has `.` or `..` parts, backslashes
            that act as separators in a `..` part, control characters or a drive letter.

    >>> check_relative_name("a/b c.jpg")
    'a/b c.jpg'
    """
    shown = _shorten(name)
    if not name:
        raise BadInput("A file name must not be empty.")
    if len(name.encode("utf-8", "surrogatepass")) > MAX_NAME_BYTES:
        raise BadInput(f"A file name may have at most {MAX_NAME_BYTES} bytes: {shown}.")
    if _CONTROL.search(name):
        raise BadInput(f"A file name must not contain control characters: {shown}.")
    if name.startswith(("/", "\\")) or _DRIVE.match(name):
        raise BadInput(f"A file name must be relative: {shown}.")
    parts = re.split(r"[/\\]", name)
    if len(parts) > MAX_NAME_PARTS:
        raise BadInput(f"A file name may have at most {MAX_NAME_PARTS} folders: {shown}.")
    if any(part in {".", ".."} for part in parts):
        raise BadInput(f"A file name must not contain '.' or '..' parts: {shown}.")
    return name


def resolve_below(root: Path, name: str) -> Path:
    """Return the path of `name` below `root`, following links, or raise.

    Raises:
        BadInput: If the name is not a plain relative one or leads outside of `root`.
    """
    check_relative_name(name)
    base = root.resolve()
    path = (base / name).resolve()
    if path == base or base not in path.parents:
        raise BadInput(f"The file name leads outside of its folder: {_shorten(name)}.")
    return path


def _shorten(name: str) -> str:
    text = ascii(name)
    return text if len(text) <= 80 else text[:77] + "..."
