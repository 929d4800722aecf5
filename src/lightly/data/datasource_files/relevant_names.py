"""Files with relevant filenames: which files of a datasource a listing is about.

One entry per line. A line without `*` is the name of one file. In a line with `*`, what is before
the first one is the beginning of names; behind it, separated by blanks, follow patterns as in a
`.gitignore`, that leave out files which it would bring in, or with `!` bring some of them back.
Source: section (a) of the platform's reference.

Patterns are matched by RE2, in a time that is linear in the name, whatever they are.
"""

from __future__ import annotations

import posixpath
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from pathspec import GitIgnoreSpec

from lightly._kit.errors import BadInput
from lightly.media.listing import IMAGE_EXTENSIONS, VIDEO_EXTENSIONS

#: Largest file with relevant filenames: more than half a million names.
MAX_FILE_BYTES = 32 * 1024 * 1024
#: Most patterns of one file, and longest one.
MAX_PATTERNS = 20_000
MAX_PATTERN_CHARACTERS = 1_024
#: The engine has 8 MB for the patterns that it matches at once.
_GROUP_PATTERNS = 1_000

_MEDIA_EXTENSIONS = frozenset((*IMAGE_EXTENSIONS, *VIDEO_EXTENSIONS))
_VIDEO_ENDS = "|".join(sorted(extension[1:] for extension in VIDEO_EXTENSIONS))
#: What stands for a frame of a video: the name without extension, the frame, the extension.
_FRAME = re.compile(rf"(?is)(.*)-[0-9]+-({_VIDEO_ENDS})\Z")
_ROOT, _PARENTS = ("./", "../"), ("/", "\\")


class RelevantNamesInvalid(BadInput):
    """A file with relevant filenames breaks a rule."""

    code = "relevant_names_invalid"


@dataclass(frozen=True)
class _Exclusion:
    """What a line leaves out. Of all patterns that match a name, the last one decides.

    Attributes:
        specs: The patterns in groups that the engine has room for, the last ones first.
    """

    specs: tuple[GitIgnoreSpec, ...]

    @classmethod
    def compile(cls, patterns: list[str], number: int) -> Self:
        """Return the exclusion that patterns make; `number` is their line."""
        groups = [
            patterns[start : start + _GROUP_PATTERNS]
            for start in range(0, len(patterns), _GROUP_PATTERNS)
        ]
        return cls(tuple(_compile_group(group, number) for group in reversed(groups)))

    def covers(self, name: str) -> bool:
        """Tell whether a name is left out."""
        for spec in self.specs:
            is_excluded = spec.check_file(name).include
            if is_excluded is not None:
                return is_excluded
        return False


def _compile_group(patterns: list[str], number: int) -> GitIgnoreSpec:
    try:
        with warnings.catch_warnings():
            # The library also compiles for the standard library, which warns of what RE2 takes.
            warnings.simplefilter("ignore")
            return GitIgnoreSpec.from_lines(patterns, backend="re2")
    except Exception as error:
        # The library raises what its engines raise, and their errors share no base.
        raise _refuse(number, "a pattern is not valid, or the patterns are too large") from error


@dataclass(frozen=True)
class _Rule:
    """One line with `*`.

    Attributes:
        excluded: What of it is left out.
        excluded_stems: The same for names without their extension.
    """

    excluded: _Exclusion
    excluded_stems: _Exclusion


@dataclass(frozen=True)
class RelevantNames:
    """The rules of one file.

    Attributes:
        names: Of single files.
        stems: The same without their extensions.
        rules: By the beginning of the names that they are about.
        lengths: Of these beginnings.
    """

    names: frozenset[str]
    stems: frozenset[str]
    rules: dict[str, list[_Rule]]
    lengths: tuple[int, ...] = field(default=())

    def has(self, name: str) -> bool:
        r"""Tell whether a file is relevant.

        >>> parse_relevant_names("a/b.jpg\nc/* c/d* !c/d1.jpg").has("c/d1.jpg")
        True
        """
        return name in self.names or any(
            not rule.excluded.covers(name) for rule in self._find_rules(name)
        )

    def has_stem(self, stem: str) -> bool:
        """Tell whether what lies beside a file, named like it but for the extension, is relevant.

        Where a pattern is about extensions nobody can tell, and it counts as relevant. A frame of
        a video is as relevant as the video.
        """
        if stem in self.stems or any(
            not rule.excluded_stems.covers(stem) for rule in self._find_rules(stem)
        ):
            return True
        frame = _FRAME.match(stem)
        return frame is not None and self.has(f"{frame[1]}.{frame[2]}")

    def _find_rules(self, name: str) -> Iterable[_Rule]:
        for length in self.lengths:
            if length > len(name):
                return
            yield from self.rules.get(name[:length], ())


def read_relevant_names(content: bytes) -> RelevantNames:
    """Return the rules of a file's bytes.

    Raises:
        RelevantNamesInvalid: If it is too large or no UTF-8, or a line breaks a rule.
    """
    if len(content) > MAX_FILE_BYTES:
        raise RelevantNamesInvalid(
            f"A file with relevant filenames may have at most {MAX_FILE_BYTES} bytes. "
            "Name folders by their beginning and '*' instead of each file."
        )
    try:
        return parse_relevant_names(content.decode())
    except UnicodeDecodeError as error:
        raise RelevantNamesInvalid("The file is no UTF-8 text.") from error


def parse_relevant_names(text: str) -> RelevantNames:
    """Return the rules of a file's text.

    Raises:
        RelevantNamesInvalid: With the line and what is wrong in it.
    """
    names: set[str] = set()
    rules: dict[str, list[_Rule]] = {}
    n_patterns = 0
    # Only these end a line: others may be part of a name.
    for number, raw_line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        line = raw_line.removesuffix("\r").strip(" \t")
        if not line:
            continue
        if line.startswith(_ROOT) or line.startswith(_PARENTS):
            raise _refuse(number, "names are relative to the datasource, without './' and '../'")
        prefix, star, rest = line.partition("*")
        if not star:
            names.add(line)
            continue
        patterns = re.split(r"[ \t]+", rest)[1:]
        n_patterns += len(patterns)
        if n_patterns > MAX_PATTERNS:
            raise _refuse(number, f"there are more than {MAX_PATTERNS} patterns")
        rules.setdefault(prefix, []).append(_make_rule(patterns, number))
    stems = frozenset(posixpath.splitext(name)[0] for name in names)
    lengths = tuple(sorted({len(prefix) for prefix in rules}))
    return RelevantNames(frozenset(names), stems, rules, lengths)


def _make_rule(patterns: list[str], number: int) -> _Rule:
    if patterns and max(map(len, patterns)) > MAX_PATTERN_CHARACTERS:
        raise _refuse(number, f"a pattern has more than {MAX_PATTERN_CHARACTERS} characters")
    stems = [_drop_extension(pattern) for pattern in patterns]
    return _Rule(_Exclusion.compile(patterns, number), _Exclusion.compile(stems, number))


def _drop_extension(pattern: str) -> str:
    """Return a pattern for names without extension, rather too narrow than too wide."""
    stem, extension = posixpath.splitext(pattern)
    is_media = extension.lower() in _MEDIA_EXTENSIONS
    is_plain = pattern.startswith("!") or not re.search(r"[*?\[]", pattern)
    return stem if is_media and is_plain else pattern


def _refuse(number: int, reason: str) -> RelevantNamesInvalid:
    return RelevantNamesInvalid(f"Line {number} of the relevant filenames: {reason}.")
