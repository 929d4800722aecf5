"""Metadata out of file names: the named groups of an expression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import re2  # type: ignore[import-untyped]  # ships no types

PathMetadata = Mapping[str, Sequence[str | None]]


def read_path_metadata(pattern: str, names: Sequence[str]) -> PathMetadata:
    r"""Return what the named groups of a pattern match in each file name.

    RE2 takes linear time, whatever the pattern and the name.

    Args:
        pattern: A regular expression of RE2 that was checked before; it may match anywhere.
        names: One file name per sample.

    Returns:
        Per group one string per sample; None where the pattern or the group does not match.

    >>> read_path_metadata(r"(?P<camera>cam\\d)/", ["day/cam1/7.jpg", "day/7.jpg"])
    {'camera': ['cam1', None]}
    """
    expression = re2.compile(pattern)
    found: dict[str, list[str | None]] = {name: [] for name in expression.groupindex}
    for file_name in names:
        match = expression.search(file_name)
        for group, values in found.items():
            values.append(None if match is None else match.group(group))
    return found
