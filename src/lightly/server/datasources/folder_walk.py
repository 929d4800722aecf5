"""Listing a folder tree in one order, from any point, with bounded memory.

Files come in the order of their whole names, compared by bytes, just as object stores list them.
A folder is read as a whole to find the next few names, so the last windows are remembered: else
each page of a folder with a million files would read all of it again.
"""

from __future__ import annotations

import bisect
import heapq
import os
import stat
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lightly._kit.file_versions import make_file_version
from lightly.server.datasources.stores import Span, find_stop

#: Names of one folder that are kept at once: about 6 MB.
WINDOW_NAMES = 50_000
#: Folders with fewer names are quicker read again.
_CACHED_NAMES = 1_000
#: Windows that are kept between requests: as many as listings that usually run side by side.
_MAX_WINDOWS = 32
#: A folder that changed this recently may change again without its time showing it.
_SETTLED_NS = 2_000_000_000
#: Entries that are looked at to part a listing evenly.
_SPLIT_ENTRIES = 200_000
_SPLIT_NAMES = 20_000


@dataclass(frozen=True, slots=True)
class FolderFile:
    """A file below a folder.

    Attributes:
        root: The folder.
        boundary: What links must not lead out of.
        name: Relative to the folder.
        is_link: Whether it is a symbolic link.
    """

    root: str
    boundary: str
    name: str
    is_link: bool

    @property
    def position(self) -> str:
        """The name: positions are names."""
        return self.name

    def find_modified_at_s(self) -> int | None:
        """Return when it was last written; None if it is gone, no file, or a link to elsewhere."""
        status = self._find_status()
        return None if status is None else int(status.st_mtime // 1)

    def find_state(self) -> str | None:
        """Return what changes whenever its bytes may have; None if nothing tells that yet."""
        status = self._find_status()
        return None if status is None else make_file_version(status)

    def _find_status(self) -> os.stat_result | None:
        path = f"{self.root}/{self.name}"
        if self.is_link:
            target = os.path.realpath(path)
            if os.path.commonpath([target, self.boundary]) != self.boundary:
                return None
        try:
            status = os.stat(path)  # noqa: PTH116  once per file, and a Path costs more than the call
        except (OSError, ValueError):
            return None
        return status if stat.S_ISREG(status.st_mode) else None


#: Key and whether it is a symbolic link. Folders have a slash at the end of their key.
_Entry = tuple[str, bool]


@dataclass(frozen=True)
class _Window:
    """The first entries of a folder behind a key, and whether that is all of them."""

    behind: str
    entries: list[_Entry]
    is_rest: bool

    def covers(self, behind: str) -> bool:
        """Tell whether the next entry behind a key is in here, or known to be none."""
        if behind < self.behind:
            return False
        return self.is_rest or behind < self.entries[-1][0]

    def cut(self, behind: str) -> _Window:
        """Return the part behind a key."""
        start = bisect.bisect_right(self.entries, (behind, True))
        return _Window(behind, self.entries[start:], self.is_rest)


class _WindowCache:
    """The windows of the last listings."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # By folder and the key that the window begins behind; with the folder's time of change.
        self._windows: OrderedDict[tuple[str, str], tuple[int, _Window]] = OrderedDict()

    def find(self, folder: str, changed_ns: int, behind: str) -> _Window | None:
        """Return a window of an unchanged folder that the next entry behind a key is in."""
        with self._lock:
            for place, (known_ns, window) in self._windows.items():
                if place[0] == folder and known_ns == changed_ns and window.covers(behind):
                    self._windows.move_to_end(place)
                    return window
        return None

    def keep(self, folder: str, changed_ns: int, window: _Window) -> None:
        """Remember a window, in place of the one that was not used for longest."""
        with self._lock:
            self._windows[folder, window.behind] = (changed_ns, window)
            while len(self._windows) > _MAX_WINDOWS:
                self._windows.popitem(last=False)


_CACHE = _WindowCache()


def walk_folder(root: Path, boundary: Path, prefix: str, span: Span) -> Iterator[FolderFile]:
    """Yield the files below `root` whose names begin with `prefix`, in order.

    Links to files are followed as long as they stay below `boundary`; links to folders are not.
    Names that are no valid Unicode cannot travel in JSON and are left out.

    Args:
        root: Names are relative to it.
        boundary: See above.
        prefix: A folder with a slash at the end, or nothing.
        span: Positions are names.
    """
    start, end = str(root), str(boundary)
    for name, is_link in _walk(start, prefix, span.after, span.last or find_stop(prefix)):
        yield FolderFile(start, end, name, is_link)


def _walk(root: str, prefix: str, after: str, last: str) -> Iterator[tuple[str, bool]]:
    rest = after[len(prefix) :] if after.startswith(prefix) else ""
    if not rest and after > prefix:
        # Behind everything in here.
        return
    for key, is_link in _iterate_entries(f"{root}/{prefix}", rest):
        name = prefix + key
        if name > last:
            return
        if name.endswith("/"):
            yield from _walk(root, name, after, last)
        elif name > after:
            yield name, is_link


def _iterate_entries(folder: str, rest: str) -> Iterator[_Entry]:
    """Yield the entries of a folder from the one that `rest` lies in or behind."""
    # A folder's key is before what lies in it; it is met again when the listing goes on inside.
    top, slash, _ = rest.partition("/")
    behind, inside = (top, f"{top}/") if slash else (rest, "")
    while True:
        window = _read_window(folder, behind)
        for entry in window.entries:
            if entry[0] > rest or entry[0] == inside:
                yield entry
        if window.is_rest:
            return
        behind = window.entries[-1][0]


def _read_window(folder: str, behind: str) -> _Window:
    try:
        changed_ns = Path(folder).stat().st_mtime_ns
        found = _CACHE.find(folder, changed_ns, behind)
        if found is not None:
            return found.cut(behind)
        # Read to its end at once, so that no folder stays open while a client takes its time.
        entries = heapq.nsmallest(WINDOW_NAMES + 1, _scan(folder, behind))
    except (FileNotFoundError, NotADirectoryError, PermissionError, ValueError):
        # It vanished while listing, or it is closed to the server: there is nothing to be had.
        return _Window(behind, [], is_rest=True)
    window = _Window(behind, entries[:WINDOW_NAMES], len(entries) <= WINDOW_NAMES)
    is_settled = time.time_ns() - changed_ns > _SETTLED_NS
    if is_settled and len(entries) > _CACHED_NAMES:
        _CACHE.keep(folder, changed_ns, window)
    return window


def _scan(folder: str, behind: str) -> Iterator[_Entry]:
    with os.scandir(folder) as entries:
        for entry in entries:
            key = entry.name
            if entry.is_dir(follow_symlinks=False):
                key += "/"
            elif not (entry.is_file(follow_symlinks=False) or entry.is_symlink()):
                continue
            if key > behind and _is_unicode(key):
                yield key, entry.is_symlink()


def _is_unicode(name: str) -> bool:
    if name.isascii():
        return True
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def split_folder(root: Path, prefix: str, count: int) -> list[str]:
    """Return at most `count` - 1 names, growing, that part the files below a folder about evenly.

    Looks at a bounded number of entries, folders level by level.
    """
    names: list[str] = []
    stride, n_seen = 1, 0
    # Grows while it is walked through: folders level by level.
    pending = [prefix]
    for folder in pending:
        for key in _list_keys(root, folder) if n_seen < _SPLIT_ENTRIES else ():
            n_seen += 1
            if key.endswith("/"):
                pending.append(folder + key)
            elif n_seen % stride == 0:
                names.append(folder + key)
            if len(names) > _SPLIT_NAMES:
                names, stride = names[::2], 2 * stride
    names.sort()
    places = [len(names) * part // count for part in range(1, count)]
    return sorted({names[place] for place in places if 0 < place < len(names)})


def _list_keys(root: Path, folder: str) -> Iterator[str]:
    try:
        for key, _ in _scan(f"{root}/{folder}", ""):
            yield key
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
