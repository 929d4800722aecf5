"""Listing the files of a datasource: in parts, several at a time.

The server cuts the listing into parts that do not overlap; each has a cursor, which is followed
page by page in a thread of its own.
"""

from __future__ import annotations

import queue
import threading
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from lightly._kit.errors import BadInput
from lightly._kit.safe_paths import check_relative_name
from lightly.api.answers import read_id, read_list, read_texts
from lightly.api.errors import ApiException, IncompleteListingWarning, UnexpectedAnswer
from lightly.api.parallel import run_in_parallel
from lightly.api.transport import Parameters, Transport

Row = tuple[str, str]

#: Most parts that are listed at the same time.
MAX_SHARDS = 64
#: Pages that wait to be read; bounds memory whatever the size of the datasource.
_QUEUED_PAGES = 8
#: Answers of servers that cannot cut a listing into parts.
_OPERATION_UNKNOWN = frozenset({404, 405, 501})
_PATH_CODES = frozenset({"", "NOT_FOUND", "NOT_IMPLEMENTED"})
#: How often a thread that waits for a reader looks whether there still is one.
_LOOK_INTERVAL_S = 0.2


class ListedFile(NamedTuple):
    """A file of a listing.

    Attributes:
        name: Relative to the datasource.
        url: To read it from.
        version: Changes whenever its bytes may have; empty if the server does not say.
        expires_at_ms: When the store removes it, since 1970; None if it does not, or nobody asked.
    """

    name: str
    url: str
    version: str = ""
    expires_at_ms: int | None = None


@dataclass(frozen=True)
class ListingOptions:
    """Which files to list, and how.

    Attributes:
        from_: First moment of the files, in seconds since 1970.
        to: Last moment; now if None.
        n_shards: In how many parts to list.
        use_redirected_read_url: Ask for URLs that never expire.

    Raises:
        ValueError: If a number is out of range.
    """

    from_: int
    to: int | None
    n_shards: int
    use_redirected_read_url: bool

    def __post_init__(self) -> None:
        if self.from_ < 0 or (self.to is not None and self.to < 0):
            raise BadInput("'from_' and 'to' must be seconds since 1970, 0 or more.")
        if self.to is not None and self.to < self.from_:
            raise BadInput(
                f"'to' must not be before 'from_': {int(self.to)} is less than {int(self.from_)}."
            )
        if not 1 <= self.n_shards <= MAX_SHARDS:
            raise BadInput(
                f"'divide_and_conquer_shards' must be 1 to {MAX_SHARDS}, got {int(self.n_shards)}."
            )

    def make_period(self) -> dict[str, int]:
        """Return the query parameters of the period."""
        return {
            "from": int(self.from_),
            "to": int(time.time()) if self.to is None else int(self.to),
        }


class DatasourceListing:
    """One listing of a datasource.

    Args:
        transport: Calls the server.
        path: The list operation.
        filters: Query parameters that choose files, sent with each request.
        options: Which files to list, and how.
        page_path: The operation that gives the pages, if it is another one.
        page_filters: More query parameters of that.
    """

    def __init__(
        self,
        transport: Transport,
        path: str,
        filters: Parameters,
        options: ListingOptions,
        *,
        page_path: str | None = None,
        page_filters: Parameters | None = None,
    ) -> None:
        self._transport = transport
        self._path = path
        self._page_path = page_path or path
        self._page_filters = page_filters or {}
        self._filters = filters
        self._options = options
        self._n_refused = 0
        self._refused = ""

    def read_all(self) -> list[Row]:
        """Return file name and read URL of all files, part after part."""
        shards = run_in_parallel(
            lambda first: list(self._walk(first)), self._open_shards(), max_workers=MAX_SHARDS
        )
        rows = self._sift(page for pages in shards for page in pages)
        return [row for page in rows for row in page]

    def iterate(self) -> Iterator[list[Row]]:
        """Yield file name and read URL of all files, page by page, as they come."""
        yield from self._sift(self._open_pages())

    def iterate_files(self) -> Iterator[list[ListedFile]]:
        """Yield all files, page by page, as they come.

        Memory is bounded: a file that the server gives twice comes twice. Names are those that the
        server gives: whoever makes paths of them looks at them first.
        """
        yield from self._open_pages()

    def _open_pages(self) -> Iterator[list[ListedFile]]:
        shards = self._open_shards()
        return self._walk(shards[0]) if len(shards) == 1 else self._walk_together(shards)

    def _open_shards(self) -> list[Parameters]:
        """Return for each part the parameters of its first page."""
        period = self._options.make_period()
        parameters = {**self._filters, **period, "dncShards": self._options.n_shards}
        try:
            answer = self._transport.get(f"{self._path}/dnc", parameters)
        except ApiException as error:
            if error.status not in _OPERATION_UNKNOWN or error.code not in _PATH_CODES:
                raise
            return [period]
        cursors = read_texts(answer.get("cursors") if isinstance(answer, dict) else None)
        shards: list[Parameters] = [{"cursor": cursor} for cursor in cursors if cursor]
        if not shards:
            raise UnexpectedAnswer("The server gave no cursor to list files with.")
        return shards

    def _walk(self, first: Parameters) -> Iterator[list[ListedFile]]:
        """Yield the pages of one part."""
        parameters = first
        while True:
            redirect = {"useRedirectedReadUrl": self._options.use_redirected_read_url}
            wanted = {**self._filters, **self._page_filters, **parameters, **redirect}
            answer = self._transport.get(self._page_path, wanted)
            content = answer if isinstance(answer, dict) else {}
            yield [
                ListedFile(
                    read_id(row, "fileName"),
                    read_id(row, "readUrl"),
                    str(row.get("version", "")),
                    row.get("expiresAt"),
                )
                for row in read_list(content.get("data"))
            ]
            cursor = content.get("cursor")
            if not content.get("hasMore") or not cursor:
                return
            if parameters.get("cursor") == cursor:
                raise UnexpectedAnswer("The server gives the same page of files again and again.")
            parameters = {"cursor": cursor}

    def _walk_together(self, shards: list[Parameters]) -> Iterator[list[ListedFile]]:
        """Yield the pages of all parts as they come."""
        pages: queue.Queue[list[ListedFile] | Exception | None] = queue.Queue(_QUEUED_PAGES)
        stopping = threading.Event()
        threads = [
            threading.Thread(
                target=_fill, args=(pages, self._walk(shard), stopping), name="list", daemon=True
            )
            for shard in shards
        ]
        for thread in threads:
            thread.start()
        n_running = len(threads)
        try:
            while n_running:
                page = pages.get()
                if isinstance(page, Exception):
                    raise page
                if page is None:
                    n_running -= 1
                else:
                    yield page
        finally:
            stopping.set()

    def _sift(self, pages: Iterator[list[ListedFile]]) -> Iterator[list[Row]]:
        """Yield pages without what came before and names that are no relative paths."""
        seen: set[str] = set()
        for page in pages:
            kept: list[Row] = []
            for name, url, *_ in page:
                if name not in seen and self._is_relative(name):
                    seen.add(name)
                    kept.append((name, url))
            yield kept
        self._warn_of_refused()

    def _warn_of_refused(self) -> None:
        if self._n_refused:
            warnings.warn(
                f"{self._n_refused} listed files are left out: their names are no relative paths, "
                f"such as {self._refused}.",
                IncompleteListingWarning,
                stacklevel=3,
            )

    def _is_relative(self, name: str) -> bool:
        try:
            check_relative_name(name)
        except BadInput:
            self._n_refused += 1
            self._refused = self._refused or ascii(name)[:80]
            return False
        return True


def _fill(
    pages: queue.Queue[list[ListedFile] | Exception | None],
    walk: Iterator[list[ListedFile]],
    stopping: threading.Event,
) -> None:
    """Put the pages of one part into a queue, then None, or the error that ended it."""
    last: Exception | None = None
    try:
        for page in walk:
            _put(pages, page, stopping)
            if stopping.is_set():
                return
    except Exception as error:  # noqa: BLE001  raised again by the thread that reads
        last = error
    _put(pages, last, stopping)


def _put(
    pages: queue.Queue[list[ListedFile] | Exception | None], item: Any, stopping: threading.Event
) -> None:
    """Wait for room as long as there is a reader."""
    while not stopping.is_set():
        try:
            pages.put(item, timeout=_LOOK_INTERVAL_S)
        except queue.Full:
            continue
        return
