"""One side of a dataset in a bucket: listed, read, written and signed through one library."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from lightly._kit.ids import make_id
from lightly.server.datasources.buckets.bucket_file import BucketFile
from lightly.server.datasources.buckets.errors import (
    Attempt,
    explain_ended,
    explain_error,
    has_ended,
)
from lightly.server.datasources.buckets.lifecycle import find_expiry_s, parse_rules
from lightly.server.datasources.buckets.network import Network
from lightly.server.datasources.buckets.ordering import choose_order, is_split_safe
from lightly.server.datasources.buckets.raw_listing import RawListing
from lightly.server.datasources.buckets.raw_requests import RawRequests
from lightly.server.datasources.buckets.splitting import split_keys
from lightly.server.datasources.models import LIGHTLY_FOLDER
from lightly.server.datasources.stores import FindExpiry, Method, Span, never_expires
from lightly.server.errors import (
    ApiError,
    DatasourceUnavailable,
    DatasourceUnreachable,
    FileUnknown,
)

if TYPE_CHECKING:
    # The library has this name for type checkers only.
    from obstore import ObjectMeta

Client = S3Store | GCSStore | AzureStore
#: What stores sign: the server itself also removes what it has tried to write.
SignedMethod = Method | Literal["DELETE"]
#: What the library raises; the last two are for names that it cannot have.
STORE_ERRORS = (BaseError, OSError, ValueError, TypeError)

#: As many as stores give at once.
_CHUNK_FILES = 1_000
_PUT_TTL_S = 300
_PIECE_BYTES = 256 * 1024
#: Trials lie in a folder of their own, where what a killed trial left is found again.
_VERIFY_FOLDER = f"{LIGHTLY_FOLDER}verify/"
#: Stands between a name and the page that it is on. Before all characters of names.
_MARKER = "\0"
#: The one action that asks nobody.
_SIGN = "sign URLs"
#: How long it is taken for granted that the store may be connected to.
_CHECK_TTL_S = 30.0
#: A trial is over by then, however slow the store.
_LEFT_AFTER_S = 600
#: Answers that were cut off, in one listing, before it gives up.
_MAX_CUT_ANSWERS = 4
_READ_RULES = "read the lifecycle rules"
_WRITING = ("canWrite", "canOverwrite")
_DOTS = frozenset({".", ".."})
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class UrlSigner(Protocol):
    """Makes URLs of a store."""

    def sign(
        self, keys: Sequence[str], method: SignedMethod, *, ttl_s: int, now_s: float
    ) -> list[str]:
        """Return a URL for each key, good for one method until `now_s + ttl_s` at most."""


@dataclass(frozen=True)
class Place:
    """Where a side of a dataset lies.

    Attributes:
        store: How people call it, such as `the S3 bucket 'images'`.
        root: What all of its keys begin with: empty, or with a slash at the end.
        url: That requests go to.
        source: The setting that the URL comes from.
        rights: What each action takes, in the provider's words.
        is_sorted_by_bytes: Whether the store is known to list in the order of the keys' bytes, as
            those of the large providers do.
        write_headers: What whoever writes by a signed URL has to send.
        is_redirected: See `FileStore`.
        is_relayed: See `FileStore`.
        has_session: Whether the credentials are those of a session that can be made anew.
    """

    store: str
    root: str
    url: str
    source: str
    rights: Mapping[str, str]
    is_sorted_by_bytes: bool = True
    write_headers: Mapping[str, str] = field(default_factory=dict)
    is_redirected: bool = False
    is_relayed: bool = False
    has_session: bool = False


class BucketStore:
    """Files below a prefix of a bucket; see `FileStore`.

    Args:
        client: Of the library.
        place: What it leads to.
        signer: Makes URLs.
        raw: Lists what the library cannot.
        requests: Writes as clients do.
        network: The way there.
        prepare: Called before each use; raises what is known to be wrong. In errors that come out
            of the library the reason would be lost.
    """

    def __init__(
        self,
        client: Client,
        place: Place,
        signer: UrlSigner,
        raw: RawListing,
        requests: RawRequests,
        network: Network,
        prepare: Callable[[], object] = bool,
    ) -> None:
        self._client = client
        self._place = place
        self._signer = signer
        self._raw = raw
        self._requests = requests
        self._network = network
        self._prepare = prepare
        self._checked_until_s = 0.0
        self.is_stale = False

    @property
    def is_redirected(self) -> bool:
        """Whether read URLs are redirected ones in any case; see `FileStore`."""
        return self._place.is_redirected

    @property
    def is_relayed(self) -> bool:
        """Whether the server writes; see `FileStore`."""
        return self._place.is_relayed

    @property
    def write_headers(self) -> Mapping[str, str]:
        """What whoever writes by a signed URL has to send."""
        return self._place.write_headers

    def iterate(self, prefix: str, span: Span) -> Iterator[BucketFile]:
        """Yield the files whose names begin with `prefix`; see `FileStore`."""
        skipped = len(self._place.root)
        after, _, marker = span.after.partition(_MARKER)
        for meta, page in self._iterate_objects(prefix, after, marker):
            name = meta["path"][skipped:]
            if span.last and name > span.last:
                return
            yield BucketFile(name, f"{name}{_MARKER}{page}" if page else name, meta)

    def split(self, prefix: str, count: int) -> list[str]:
        """Return names that part the files about evenly; see `FileStore`."""
        root = self._place.root
        if not self._raw.is_seekable:
            return []
        with self._explained("list", ""):
            keys = split_keys(self._raw.find_next, root + prefix, count)
            if not is_split_safe(self._raw.find_next, root + prefix, keys, self._place):
                return []
        return [key[len(root) :] for key in keys]

    def read(self, name: str, limit_bytes: int) -> tuple[str, bytes]:
        """Return a file's version and its first bytes; see `FileStore`."""
        key = self._place.root + check_key_name(name)
        with self._explained("read", name):
            found = obstore.get(self._client, key)
            pieces, size_bytes = [], 0
            for piece in found.stream(min_chunk_size=_PIECE_BYTES):
                pieces.append(bytes(piece))
                size_bytes += len(pieces[-1])
                if size_bytes >= limit_bytes:
                    break
            return _make_version(found.meta), b"".join(pieces)[:limit_bytes]

    def find_version(self, name: str) -> str | None:
        """Return what changes with the bytes of a file; see `FileStore`."""
        try:
            return _make_version(self._head(name))
        except FileUnknown:
            return None

    def find_size_bytes(self, name: str) -> int:
        """Return how many bytes a file has.

        Raises:
            FileUnknown: If there is no such file.
        """
        return self._head(name)["size"]

    def sign_urls(
        self, names: Sequence[str], method: Method, *, ttl_s: int, now_s: float
    ) -> list[str]:
        """Return a URL of the store for each name; see `FileStore`."""
        root = self._place.root
        keys = [root + name for name in names]
        with self._explained(_SIGN, ""):
            return self._signer.sign(keys, method, ttl_s=ttl_s, now_s=now_s)

    def write(self, name: str, content: bytes) -> None:
        """Store a file, whole or not at all, in place of an older one."""
        self._put("write", name, content)

    def open_expiry(self) -> FindExpiry:
        """Return what tells when the bucket's rules remove a file; see `FileStore`."""
        try:
            with self._explained(_READ_RULES, ""):
                body = self._raw.fetch_lifecycle()
        except FileUnknown:
            return never_expires
        if body is None:
            raise DatasourceUnreachable(
                f"What the rules of {self._place.store} remove is not known: the store does not "
                "show them to the credentials of a datasource."
            )
        root, rules = self._place.root, parse_rules(body)
        return lambda file: (
            find_expiry_s(rules, root + file.name, file.size_bytes, file.find_modified_at_s())
            if isinstance(file, BucketFile)
            else None
        )

    def verify(self, *, is_written: bool) -> dict[str, str]:
        """Try everything; see `FileStore`."""
        errors: dict[str, str] = {}
        try:
            found = next(self.iterate("", Span()), None)
        except ApiError as error:
            found = None
            errors["canList"] = str(error)
        try:
            # Where nothing is, a store still says whether it would be read.
            self.find_version(found.name if found else f"{LIGHTLY_FOLDER}verify/none")
        except ApiError as error:
            errors["canRead"] = str(error)
        return errors | (self._try_writing() if is_written else {})

    def _head(self, name: str) -> ObjectMeta:
        key = self._place.root + check_key_name(name)
        with self._explained("read", name):
            return obstore.head(self._client, key)

    def _try_writing(self) -> dict[str, str]:
        """Try to write and overwrite, only where what was written can be removed again."""
        name = f"{_VERIFY_FOLDER}{make_id()}"
        try:
            self._delete(name)
        except ApiError as error:
            text = f"Nothing was written, because it could not be removed again. {error}"
            return dict.fromkeys(_WRITING, text)
        self._remove_left()
        try:
            self._put("write", name, b"1")
            self._put("overwrite", name, b"2")
        except ApiError as error:
            failed = _WRITING if str(error).startswith("Cannot write") else _WRITING[1:]
            return dict.fromkeys(failed, str(error))
        finally:
            # Also when the store did not say that it was written: it may have been.
            with suppress(ApiError):
                self._delete(name)
        return {}

    def _remove_left(self) -> None:
        """Remove what a trial that was killed has left."""
        with suppress(ApiError):
            before_s = time.time() - _LEFT_AFTER_S
            for file in self.iterate(_VERIFY_FOLDER, Span()):
                if file.find_modified_at_s() < before_s:
                    self._delete(file.name)

    def _put(self, action: str, name: str, content: bytes) -> None:
        """Write by a signed URL: so what `verify` tries is what clients do."""
        key = self._place.root + check_key_name(name)

        def make_url() -> str:
            now_s = time.time()
            (url,) = self._signer.sign([key], "PUT", ttl_s=_PUT_TTL_S, now_s=now_s)
            return url

        with self._explained(action, name):
            self._requests.send("PUT", make_url, content, self._place.write_headers)

    def _delete(self, name: str) -> None:
        key = self._place.root + check_key_name(name)

        def make_url() -> str:
            now_s = time.time()
            (url,) = self._signer.sign([key], "DELETE", ttl_s=_PUT_TTL_S, now_s=now_s)
            return url

        with self._explained("delete", name), suppress(FileNotFoundError):
            self._requests.send("DELETE", make_url)

    def _iterate_objects(
        self, prefix: str, after: str, marker: str
    ) -> Iterator[tuple[ObjectMeta, str]]:
        """Yield objects and the markers of their pages, by the library while it can."""
        root = self._place.root
        prefix, position = root + prefix, root + after if after else ""
        if self._raw.is_seekable:
            n_left = _MAX_CUT_ANSWERS
            while True:
                try:
                    for chunk in self._iterate_known(prefix, position):
                        for meta in chunk:
                            yield meta, ""
                        position = chunk[-1]["path"]
                    return
                except _KeyRefused:
                    break
                except DatasourceUnavailable as error:
                    # The library asks again in other cases; of this one it makes nothing.
                    if not error.context.get("is_cut") or n_left == 0:
                        raise
                n_left -= 1
        with self._explained("list", ""):
            for one in self._raw.iterate(prefix, position, marker):
                # Whoever asks for a path with dots for folders asks for a shorter one.
                if _DOTS.isdisjoint(one.key.split("/")):
                    yield one

    def _iterate_known(self, prefix: str, after: str) -> Iterator[Sequence[ObjectMeta]]:
        """Yield objects as the library lists them, some at a time and never none.

        Raises:
            _KeyRefused: If it cannot have one of them.
        """
        is_behind: Callable[[str, str], bool] | None = None
        with self._explained("list", ""):
            for chunk in obstore.list(
                self._client, prefix or None, offset=after or None, chunk_size=_CHUNK_FILES
            ):
                if is_behind is None and chunk:
                    is_behind = choose_order(chunk[0]["path"], after, self._place)
                # Some stores begin anew instead: a listing would never end.
                behind = [meta for meta in chunk if is_behind and is_behind(meta["path"], after)]
                if behind:
                    yield behind

    def _check_reachable(self) -> None:
        """Look where the store's name leads, now and then: the proxy does it each time."""
        now_s = time.monotonic()
        if now_s >= self._checked_until_s:
            self._network.check_reachable(self._place.url, self._place.source)
            self._checked_until_s = now_s + _CHECK_TTL_S

    @contextmanager
    def _explained(self, action: str, name: str) -> Iterator[None]:
        """Turn errors of the library and the store into ours."""
        try:
            self._prepare()
            if action != _SIGN:
                self._check_reachable()
            yield
        except ApiError:
            raise
        except STORE_ERRORS as error:
            place = self._place
            if action == "list" and _is_about_key(error):
                raise _KeyRefused from error
            attempt = Attempt(place.store, action, name, place.rights.get(action, ""))
            refusal = self._network.proxy.find_refusal(str(urlsplit(place.url).hostname))
            # Not chained: the library's text has URLs, and some have credentials.
            if place.has_session and has_ended(error):
                # Its credentials are no good any more, so it is made anew.
                self.is_stale = True
                raise explain_ended(attempt) from None
            raise explain_error(error, attempt, refusal) from None


class _KeyRefused(Exception):
    """The library cannot have one of the keys."""


def check_key_name(name: str) -> str:
    """Return a name that the library can have.

    Raises:
        FileUnknown: If it cannot.
    """
    parts = name.split("/")
    if any(part in {"", ".", ".."} for part in parts) or _CONTROL.search(name):
        raise FileUnknown
    return name


def _is_about_key(error: Exception) -> bool:
    text = str(error)
    return "parsing Path" in text or "empty path segment" in text or "parse path" in text


def _make_version(meta: ObjectMeta) -> str:
    return str(meta["e_tag"] or meta["last_modified"].timestamp())
