"""Listings that the library of object stores cannot make.

It gives up a whole listing for one key that has an empty or dotted part or a control character,
and it lists Azure from the beginning however far behind a listing goes on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol
from urllib.parse import unquote_plus
from xml.etree import ElementTree as ET

from lightly.server.datasources.buckets.ordering import SortedPlace, choose_order
from lightly.server.datasources.buckets.raw_requests import RawRequests, StoreAnswered

if TYPE_CHECKING:
    # The library has this name for type checkers only.
    from obstore import ObjectMeta

#: As many as the stores give at once.
_PAGE_FILES = 1_000
_AZURE_PAGE_FILES = 5_000
#: How stores begin their answer that have no such rules.
_UNKNOWN_OPERATION = "status 501"

#: Signs a request to a bucket itself: given its query, returns the URL.
SignQuery = Callable[[Mapping[str, str]], str]


class ListedKey(NamedTuple):
    """An object of a listing.

    Attributes:
        meta: What the store says of it, as the library would.
        marker: What has the store go on with the page that this one is on.
    """

    meta: ObjectMeta
    marker: str = ""

    @property
    def key(self) -> str:
        """Its name in the bucket."""
        return self.meta["path"]


class RawListing(Protocol):
    """Lists a bucket key by key, whatever the keys are."""

    @property
    def is_seekable(self) -> bool:
        """Whether the store goes on behind any text: then the library lists it as well."""

    def iterate(self, prefix: str, after: str, marker: str = "") -> Iterator[ListedKey]:
        """Yield the keys that begin with `prefix`, those behind `after`.

        Args:
            prefix: What they begin with.
            after: A text.
            marker: Of the page that a key behind `after` is on; empty when it is not known.
        """

    def find_next(self, prefix: str, after: str) -> str | None:
        """Return the first key with a prefix behind `after`; None when there is none."""

    def fetch_lifecycle(self) -> bytes | None:
        """Return the rules by which the store removes objects; None if it does not tell them.

        Raises:
            FileNotFoundError: If there are none.
        """


@dataclass(frozen=True)
class S3Listing:
    """Lists as S3 and its kin do, GCS among them.

    Attributes:
        requests: Asks the store.
        sign: Signs requests to the bucket.
        place: What is known of the store's order.
    """

    requests: RawRequests
    sign: SignQuery
    place: SortedPlace
    is_seekable: ClassVar[bool] = True

    def iterate(
        self,
        prefix: str,
        after: str,
        marker: str = "",  # noqa: ARG002  other stores need it
    ) -> Iterator[ListedKey]:
        """Yield keys; see `RawListing`."""
        token = ""
        is_behind: Callable[[str, str], bool] | None = None
        while True:
            place = {"continuation-token": token} if token else {"start-after": after}
            found, token = self._fetch(prefix, _PAGE_FILES, place)
            if is_behind is None and found:
                is_behind = choose_order(found[0].key, after, self.place)
            for one in found:
                # Markers of folders are no files.
                if is_behind is not None and is_behind(one.key, after) and one.key[-1:] != "/":
                    yield one
            if not token:
                return

    def fetch_lifecycle(self) -> bytes | None:
        """Return the rules of the bucket; see `RawListing`."""
        try:
            return self.requests.send("GET", lambda: self.sign({"lifecycle": ""}))
        except StoreAnswered as error:
            if str(error).startswith(_UNKNOWN_OPERATION):
                return None
            raise

    def find_next(self, prefix: str, after: str) -> str | None:
        """Return the first key behind another; see `RawListing`."""
        found, _ = self._fetch(prefix, 1, {"start-after": after})
        # Some stores begin anew instead.
        return next((one.key for one in found if one.key > after), None)

    def _fetch(
        self, prefix: str, limit: int, place: Mapping[str, str]
    ) -> tuple[list[ListedKey], str]:
        query = {
            "list-type": "2",
            "max-keys": str(limit),
            "encoding-type": "url",
            "prefix": prefix,
            **place,
        }
        wanted = {name: value for name, value in query.items() if value}
        root = parse_xml(self.requests.send("GET", lambda: self.sign(wanted)))
        is_encoded = find_text(root, "EncodingType") == "url"
        found = []
        for entry in root.findall("{*}Contents"):
            key = find_text(entry, "Key")
            moment = dt.datetime.fromisoformat(find_text(entry, "LastModified"))
            key = unquote_plus(key) if is_encoded else key
            etag, size_bytes = find_text(entry, "ETag"), int(find_text(entry, "Size") or 0)
            found.append(ListedKey(_make_meta(key, moment, size_bytes, etag)))
        is_cut = find_text(root, "IsTruncated") == "true"
        return found, find_text(root, "NextContinuationToken") if is_cut else ""


@dataclass(frozen=True)
class AzureListing:
    """Lists a container, going on at the page where a listing stopped.

    Azure has no way to go on behind a name, only markers of its own for pages. So each key comes
    with the marker of the page that it is on.

    Attributes:
        requests: Asks the store.
        sign: Signs requests to the container.
    """

    requests: RawRequests
    sign: SignQuery
    is_seekable: ClassVar[bool] = False

    def iterate(self, prefix: str, after: str, marker: str = "") -> Iterator[ListedKey]:
        """Yield keys; see `RawListing`."""
        while True:
            found, next_marker = self._fetch(prefix, _AZURE_PAGE_FILES, marker)
            for one in found:
                if one.key > after and not one.key.endswith("/"):
                    yield one
            if not next_marker:
                return
            marker = next_marker

    def fetch_lifecycle(self) -> None:
        """Return nothing: the rules are those of the account, not of the container."""

    def find_next(self, prefix: str, after: str) -> str | None:
        """Return the first key behind another; see `RawListing`."""
        return next((one.key for one in self.iterate(prefix, after)), None)

    def _fetch(self, prefix: str, limit: int, marker: str) -> tuple[list[ListedKey], str]:
        query = {
            "restype": "container",
            "comp": "list",
            "maxresults": str(limit),
            "prefix": prefix,
            "marker": marker,
        }
        wanted = {name: value for name, value in query.items() if value}
        root = parse_xml(self.requests.send("GET", lambda: self.sign(wanted)))
        found = []
        for entry in root.iterfind("Blobs/Blob"):
            moment = parsedate_to_datetime(find_text(entry, "Properties/Last-Modified"))
            name = entry.find("Name")
            key = find_text(entry, "Name")
            if name is not None and name.get("Encoded") == "true":
                key = unquote_plus(key)
            if entry.find("Properties/ResourceType[.='directory']") is None:
                size_bytes = int(find_text(entry, "Properties/Content-Length") or 0)
                etag = find_text(entry, "Properties/Etag")
                found.append(ListedKey(_make_meta(key, moment, size_bytes, etag), marker))
        return found, find_text(root, "NextMarker")


def _make_meta(key: str, moment: dt.datetime, size_bytes: int, etag: str) -> ObjectMeta:
    return {
        "path": key,
        "last_modified": moment,
        "size": size_bytes,
        "e_tag": etag or None,
        "version": None,
    }


def parse_xml(body: bytes) -> ET.Element:
    """Return the root of a store's answer.

    Raises:
        OSError: If it is cut off, or no XML.
    """
    try:
        # Entities that expand without end are refused by the parser itself since 2.4.1.
        return ET.fromstring(body)  # noqa: S314
    except ET.ParseError as error:
        raise OSError("incomplete: the answer is no whole XML") from error


def find_text(element: ET.Element, name: str) -> str:
    """Return the text of an element's child, whatever its namespace; empty when there is none."""
    path = "/".join(f"{{*}}{part}" for part in name.split("/"))
    return element.findtext(path) or ""
