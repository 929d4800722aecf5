"""Listings of raw files, of predictions and of metadata, page by page.

Clients walk them to the end with the cursor of the page before. A page ends when it is full or
when it took long, whichever is first: behind a filter that keeps little there may be empty pages.
"""

from __future__ import annotations

import itertools
import math
import posixpath
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from lightly.data.datasource_files.relevant_names import RelevantNames
from lightly.server.auth.users import User
from lightly.server.datasets.access import load_dataset
from lightly.server.datasets.models import Action, Dataset
from lightly.server.datasources.cursors import Cursor, read_cursor, write_cursor
from lightly.server.datasources.extensions import find_extensions, has_extension
from lightly.server.datasources.file_versions import VersionMaker
from lightly.server.datasources.models import LIGHTLY_FOLDER, Datasource, Side
from lightly.server.datasources.opening import open_store
from lightly.server.datasources.read_urls import RedirectSigner
from lightly.server.datasources.relevant_files import RelevantFile, load_relevant_names
from lightly.server.datasources.service import find_for_side
from lightly.server.datasources.stores import FileStore, FoundFile, Span, never_expires
from lightly.server.platform import PlatformState

#: Files of one page: some 2 MB of JSON.
PAGE_FILES = 5_000
#: How long a page goes on looking for files. Clients wait up to three minutes.
PAGE_S = 10.0
#: Files that are looked at together. Stores give as many at once, and a page ends where what the
#: store gave ends: so nothing is asked for twice.
BLOCK_FILES = 1_000
#: More parts than any client has threads.
MAX_SHARDS = 256

_SCHEMA = "schema.json"
#: Makes a URL for each name.
SignNames = Callable[[list[str]], list[str]]
#: Says more of a file than its name and its URL.
DescribeFile = Callable[[FoundFile], dict[str, Any]]


@dataclass(frozen=True)
class Subject:
    """What a listing is of.

    Attributes:
        kind: `samples`, `predictions` or `metadata`.
        prefix: The folder that it lies in, with a slash at the end; empty for raw files.
    """

    kind: str
    prefix: str

    @property
    def side(self) -> Side:
        """Where the files lie."""
        return Side.LIGHTLY if self.prefix else Side.INPUT

    def make_filter(self, extensions: frozenset[str]) -> Callable[[str], bool]:
        """Return what tells by its name whether a file is what the listing is of."""
        if not self.prefix:
            return lambda name: (
                has_extension(name, extensions) and not name.startswith(LIGHTLY_FOLDER)
            )
        schema = self.prefix + _SCHEMA
        return lambda name: name.endswith(".json") and name != schema

    def is_relevant(self, name: str, relevant: RelevantNames) -> bool:
        """Tell whether a file belongs to one of the relevant ones."""
        if not self.prefix:
            return relevant.has(name)
        return relevant.has_stem(posixpath.splitext(name[len(self.prefix) :])[0])


SAMPLES = Subject("samples", "")
METADATA = Subject("metadata", f"{LIGHTLY_FOLDER}metadata/")


def make_predictions_subject(task_name: str) -> Subject:
    """Return the listing of one task's predictions."""
    return Subject("predictions", f"{LIGHTLY_FOLDER}predictions/{task_name}/")


@dataclass(frozen=True)
class ListingQuery:
    """What was asked for.

    Attributes:
        subject: What the listing is of.
        from_s: See `Cursor`; of no account when there is a cursor.
        to_s: See `Cursor`.
        cursor: Of the page before, or of one part; None for the beginning.
        is_redirected: URLs never expire and check access at each use.
        has_versions: Say of each file what stands for its bytes.
        has_expiry: Say of each file when the store removes it.
        relevant: Restricts the listing; None for all files.
    """

    subject: Subject
    from_s: int = 0
    to_s: int | None = None
    cursor: str | None = None
    is_redirected: bool = False
    has_versions: bool = False
    has_expiry: bool = False
    relevant: RelevantFile | None = None


@dataclass(frozen=True)
class _Listing:
    """A listing that is about to be read."""

    dataset: Dataset
    datasource: Datasource
    store: FileStore
    relevant: RelevantNames | None

    def make_filter(self, subject: Subject) -> Callable[[str], bool]:
        """Return what tells by its name whether a file belongs on the list."""
        is_one_of = subject.make_filter(find_extensions(self.dataset.type))
        relevant = self.relevant
        if relevant is None:
            return is_one_of
        return lambda name: is_one_of(name) and subject.is_relevant(name, relevant)


@dataclass
class _Page:
    rows: list[dict[str, Any]] = field(default_factory=list)
    position: str = ""
    has_more: bool = False


def list_page(
    platform: PlatformState, caller: User, dataset_id: str, query: ListingQuery
) -> dict[str, Any]:
    """Return one page: `hasMore`, `cursor` and `data` of the contract.

    Raises:
        DatasourceUnknown: If no datasource serves this.
        CursorInvalid: If the cursor is not one of this listing.
    """
    listing = _open_listing(platform, caller, dataset_id, query)
    name = _name_listing(dataset_id, query.subject)
    if query.cursor is None:
        cursor = Cursor(Span(), query.from_s, query.to_s)
    else:
        cursor = read_cursor(platform.keys, name, query.cursor)
    sign = _make_signer(platform, caller, listing, is_redirected=query.is_redirected)
    describe = _make_describer(platform, listing, query)
    page = _read_page(listing, query.subject, cursor, sign, describe)
    rest = Cursor(Span(page.position, cursor.span.last), cursor.from_s, cursor.to_s)
    return {
        "hasMore": page.has_more,
        "cursor": write_cursor(platform.keys, name, rest),
        "data": page.rows,
    }


def _make_describer(
    platform: PlatformState, listing: _Listing, query: ListingQuery
) -> DescribeFile | None:
    """Return what says more of a file than its name and its URL; None for nothing."""
    if not (query.has_versions or query.has_expiry):
        return None
    maker = VersionMaker.open(platform, listing.datasource) if query.has_versions else None
    find_expiry = listing.store.open_expiry() if query.has_expiry else never_expires

    def describe(file: FoundFile) -> dict[str, Any]:
        extra: dict[str, Any] = {}
        if maker is not None and (version := maker.make(file)) is not None:
            extra["version"] = version
        if (expires_at_s := find_expiry(file)) is not None:
            extra["expiresAt"] = int(expires_at_s * 1000)
        return extra

    return describe


def split_listing(
    platform: PlatformState, caller: User, dataset_id: str, query: ListingQuery, count: int
) -> list[str]:
    """Return a cursor for each of at most `count` parts that share nothing and are all of it."""
    listing = _open_listing(platform, caller, dataset_id, query)
    parts = min(count, MAX_SHARDS)
    bounds = ["", *listing.store.split(query.subject.prefix, parts), ""]
    name = _name_listing(dataset_id, query.subject)
    return [
        write_cursor(platform.keys, name, Cursor(Span(after, last), query.from_s, query.to_s))
        for after, last in itertools.pairwise(bounds)
    ]


def _open_listing(
    platform: PlatformState, caller: User, dataset_id: str, query: ListingQuery
) -> _Listing:
    with platform.database.read() as connection:
        dataset = load_dataset(connection, caller, dataset_id, Action.READ)
        datasource = find_for_side(connection, dataset, query.subject.side)
    store = open_store(platform, dataset, datasource, query.subject.side)
    relevant = None
    if query.relevant is not None:
        relevant = load_relevant_names(platform, caller, dataset, query.relevant)
    return _Listing(dataset, datasource, store, relevant)


def _name_listing(dataset_id: str, subject: Subject) -> str:
    return f"{dataset_id}/{subject.kind}/{subject.prefix}"


def _read_page(
    listing: _Listing,
    subject: Subject,
    cursor: Cursor,
    sign: SignNames,
    describe: DescribeFile | None,
) -> _Page:
    page = _Page(position=cursor.span.after)
    is_listed = listing.make_filter(subject)
    deadline = time.monotonic() + PAGE_S
    found = iter(listing.store.iterate(subject.prefix, cursor.span))
    block_files = min(BLOCK_FILES, PAGE_FILES)

    def take_block() -> list[FoundFile]:
        return list(itertools.islice(found, block_files))

    # A block is fetched while the one before it is signed: one waits, the other one computes.
    with ThreadPoolExecutor(1, "listing") as executor:
        pending = executor.submit(take_block)
        while block := pending.result():
            page.position = block[-1].position
            kept = _keep_in_time([file for file in block if is_listed(file.name)], cursor)
            is_last = len(block) < block_files
            # Whether there is more is not looked at, which would cost a request: a page may be
            # empty.
            page.has_more = not is_last and (
                len(page.rows) + len(kept) + block_files > PAGE_FILES or time.monotonic() > deadline
            )
            if not is_last and not page.has_more:
                pending = executor.submit(take_block)
            page.rows += _make_rows(kept, sign, describe)
            if is_last or page.has_more:
                break
    return page


def _keep_in_time(files: list[FoundFile], cursor: Cursor) -> list[FoundFile]:
    """Return the files written in time. What vanished while it was listed was not."""
    first_s, last_s = cursor.from_s, math.inf if cursor.to_s is None else cursor.to_s
    return [
        file
        for file in files
        if (moment_s := file.find_modified_at_s()) is not None and first_s <= moment_s <= last_s
    ]


def _make_rows(
    files: list[FoundFile], sign: SignNames, describe: DescribeFile | None
) -> list[dict[str, Any]]:
    names = [file.name for file in files]
    urls = sign(names) if names else []
    rows = [{"fileName": name, "readUrl": url} for name, url in zip(names, urls, strict=True)]
    if describe is not None:
        for row, file in zip(rows, files, strict=True):
            row.update(describe(file))
    return rows


def _make_signer(
    platform: PlatformState, caller: User, listing: _Listing, *, is_redirected: bool
) -> SignNames:
    """Return what makes the URLs of files."""
    if is_redirected or listing.store.is_redirected:
        signer = RedirectSigner.open(platform, caller, listing.dataset.id)
        return lambda names: [signer.make_url(name) for name in names]
    now_s = platform.clock.now_ms() / 1000
    ttl_s = platform.settings.signed_url_ttl_s
    return lambda names: listing.store.sign_urls(names, "GET", ttl_s=ttl_s, now_s=now_s)
