"""Turning a name that somebody sent into a path that stays where it belongs.

Names are checked by the rules of POSIX and of Windows alike, whatever this machine is, because
datasets move between them. Source: threats T14 and T16 of the project's threat list.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from lightly._kit.errors import BadInput

#: Longest name in bytes: the longest key of the common object stores.
MAX_NAME_BYTES = 1024
#: The deepest folder tree that a name may open.
MAX_NAME_PARTS = 64

# Opening a pipe must not wait for its other end, nor a terminal become ours.
_OPEN_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)
# Where Linux tells what each descriptor has open.
_OPEN_FILES = "/proc/self/fd"

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


def open_below(root: str, name: str) -> int:
    """Open a file below a folder for reading, whoever changes links meanwhile.

    Links are followed as long as they end below `root`: what counts is where the opened file lies,
    not where its name pointed a moment before.

    Args:
        root: The folder, as an absolute path without links.
        name: Path of the file below it.

    Returns:
        A descriptor; the caller closes it.

    Raises:
        BadInput: If the name is no plain relative one, leads outside of `root`, or is no regular
            file.
        OSError: If there is no such file or it may not be read.
    """
    check_relative_name(name)
    prefix = root if root.endswith(os.sep) else root + os.sep
    # Looked at first, because opening a device can already do something.
    if not stat.S_ISREG(os.stat(prefix + name).st_mode):  # noqa: PTH116  per request, as strings
        raise BadInput(f"This is not a regular file: {_shorten(name)}.")
    descriptor = os.open(prefix + name, _OPEN_FLAGS)
    is_fine = False
    try:
        is_regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        is_fine = is_regular and _lies_below(descriptor, prefix, name)
    finally:
        if not is_fine:
            os.close(descriptor)
    if not is_fine:
        raise BadInput(f"The file name leads outside of its folder: {_shorten(name)}.")
    return descriptor


def _lies_below(descriptor: int, prefix: str, name: str) -> bool:
    try:
        return os.readlink(f"{_OPEN_FILES}/{descriptor}").startswith(prefix)  # noqa: PTH115  per request
    except OSError:
        # Not Linux: the name is followed once more, and has to end at the very file that is open.
        path = os.path.realpath(prefix + name)
        return path.startswith(prefix) and os.path.samestat(os.lstat(path), os.fstat(descriptor))


def _shorten(name: str) -> str:
    text = ascii(name[:80])
    return text if len(text) <= 80 else text[:77] + "..."
