"""LIGHTLY datasources: the server's own storage.

Its INPUT side is the images that were uploaded with the samples of the dataset, its LIGHTLY side
files that are known by their names.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from lightly._kit.ids import make_id
from lightly.server.datasets.models import Dataset
from lightly.server.datasets.repository import lock_dataset
from lightly.server.datasources import repository
from lightly.server.datasources.models import LIGHTLY_FOLDER
from lightly.server.datasources.mount_store import check_file_name, check_written_name
from lightly.server.datasources.stores import (
    FindExpiry,
    Method,
    Span,
    find_stop,
    never_expires,
)
from lightly.server.errors import DatasourceNotWritable, FileUnknown, StorageFull
from lightly.server.platform import PlatformState
from lightly.server.samples import repository as samples_repository
from lightly.server.storage.blobs import (
    make_file_key,
    make_sample_key,
    make_sample_prefix,
)

#: Names that are read from the database at once.
_PIECE_NAMES = 1_000
#: Samples that are looked at to part a listing: as many as there are folders of images.
_SPLIT_SAMPLES = 4_096
_CAN_WRITE = ("canWrite", "canOverwrite")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An object of the server's storage, met in a listing.

    Attributes:
        name: The file's name.
        position: In the listing.
        modified_at_s: When the object was last written; None when there is none (yet).
    """

    name: str
    position: str
    modified_at_s: int | None

    def find_modified_at_s(self) -> int | None:
        """Return when the object was last written; None when there is none (yet)."""
        return self.modified_at_s

    def find_state(self) -> str | None:
        """Return nothing: its listing does not tell one content from another."""
        return None


class _PlatformStore(ABC):
    """What both sides share: they only differ in how a name becomes a key."""

    is_redirected = False
    is_relayed = False
    write_headers: Mapping[str, str] = MappingProxyType({})

    def __init__(self, platform: PlatformState, dataset: Dataset) -> None:
        self._platform = platform
        self._dataset = dataset

    @abstractmethod
    def _find_keys(self, names: Sequence[str]) -> list[str]:
        """Return the key of each name's object."""

    def _look_up(self, files: Sequence[tuple[str, str, str]]) -> Iterator[StoredFile]:
        """Yield files, given as name, position and key, with what the store knows of them."""
        infos = self._platform.blobs.head_many([key for _, _, key in files])
        for (name, position, _), info in zip(files, infos, strict=True):
            yield StoredFile(name, position, None if info is None else int(info.modified_at_s))

    def read(self, name: str, limit_bytes: int) -> tuple[str, bytes]:
        """Return a file's version and its first bytes; see `FileStore`."""
        (key,) = self._find_keys([check_file_name(name)])
        info = self._platform.blobs.head(key)
        if info is None:
            raise FileUnknown
        try:
            with self._platform.blobs.open(key) as file:
                return info.etag, file.read(limit_bytes)
        except FileNotFoundError as error:
            raise FileUnknown from error

    def find_version(self, name: str) -> str | None:
        """Return what changes with the bytes of a file; see `FileStore`."""
        (key,) = self._find_keys([check_file_name(name)])
        info = self._platform.blobs.head(key)
        return None if info is None else info.etag

    def open_expiry(self) -> FindExpiry:
        """Return that files stay; see `FileStore`."""
        return never_expires

    def sign_urls(
        self, names: Sequence[str], method: Method, *, ttl_s: int, now_s: float
    ) -> list[str]:
        """Return a URL for each name; see `FileStore`."""
        sign = self._platform.blobs.sign_url
        keys = self._find_keys(names)
        return [sign(key, method, ttl_s=ttl_s, now_s=now_s) for key in keys]


class PlatformInputStore(_PlatformStore):
    """The images of a dataset's samples, in the order in which the storage lists them.

    The storage says for a thousand at once when they were written, if it is asked in its own order.
    """

    def iterate(self, prefix: str, span: Span) -> Iterator[StoredFile]:
        """Yield the samples' images; see `FileStore`."""
        place = make_sample_prefix(self._dataset.id, "full")
        listed = self._platform.blobs.list_dated(place, place + span.after)
        while piece := list(itertools.islice(listed, _PIECE_NAMES)):
            names = self._find_names([key.rpartition("/")[2] for key, _ in piece])
            for key, modified_at_s in piece:
                position = key[len(place) :]
                if span.last and position > span.last:
                    return
                name = names.get(key.rpartition("/")[2])
                # None for a sample that was deleted, whose image is about to be.
                if name is not None and name.startswith(prefix):
                    yield StoredFile(name, position, int(modified_at_s))

    def split(self, prefix: str, count: int) -> list[str]:  # noqa: ARG002  all lie in one list
        """Return positions that part the samples about evenly; see `FileStore`."""
        place = make_sample_prefix(self._dataset.id, "full")
        with self._platform.database.read() as connection:
            first = samples_repository.read_identities(
                connection, self._dataset.key, 0, _SPLIT_SAMPLES
            )
        # Ids count up, so the places of some samples are spread like those of all.
        places = sorted(make_sample_key(self._dataset.id, one[1], "full") for one in first)
        bounds = {len(places) * part // count for part in range(1, count)}
        # What comes at a bound belongs to the part before it.
        return [places[bound - 1][len(place) :] for bound in sorted(bounds) if bound]

    def _find_names(self, sample_ids: Sequence[str]) -> dict[str, str]:
        with self._platform.database.read() as connection:
            found = samples_repository.find_by_ids(connection, self._dataset.key, sample_ids)
        return {sample_id: name for _, sample_id, name in found}

    def sign_urls(
        self, names: Sequence[str], method: Method, *, ttl_s: int, now_s: float
    ) -> list[str]:
        """Return a URL for each name; see `FileStore`."""
        if method == "PUT":
            raise DatasourceNotWritable("Images are uploaded to the URLs of their samples.")
        return super().sign_urls(names, method, ttl_s=ttl_s, now_s=now_s)

    def verify(self, *, is_written: bool) -> dict[str, str]:  # noqa: ARG002  never written here
        """Return that the samples can be read; see `FileStore`."""
        return {}

    def _find_keys(self, names: Sequence[str]) -> list[str]:
        ids: dict[str, str] = {}
        with self._platform.database.read() as connection:
            found = samples_repository.find_by_file_names(connection, self._dataset.key, names)
            ids = {name: sample_id for _, sample_id, name in found}
        # For a name that nobody has registered, a place where nothing ever is.
        return [
            make_sample_key(self._dataset.id, ids.get(name, "0" * 24), "full") for name in names
        ]


class PlatformFileStore(_PlatformStore):
    """Files that are known by their names, in the order of these."""

    def iterate(self, prefix: str, span: Span) -> Iterator[StoredFile]:
        """Yield the files below a folder; see `FileStore`."""
        # The largest name that is not below the folder yet.
        after, stop = max(span.after, prefix), find_stop(prefix)
        while True:
            with self._platform.database.read() as connection:
                names = repository.read_file_names(
                    connection, self._dataset.key, after, stop, _PIECE_NAMES
                )
            wanted = [name for name in names if not span.last or name <= span.last]
            yield from self._look_up(
                [(name, name, make_file_key(self._dataset.id, name)) for name in wanted]
            )
            if len(wanted) < _PIECE_NAMES:
                return
            after = names[-1]

    def split(self, prefix: str, count: int) -> list[str]:
        """Return names that part the files; only as many as one read gives are looked at."""
        with self._platform.database.read() as connection:
            names = repository.read_file_names(
                connection, self._dataset.key, prefix, find_stop(prefix), _PIECE_NAMES
            )
        places = {len(names) * part // count for part in range(1, count)}
        return [names[place] for place in sorted(places) if 0 < place < len(names)]

    def sign_urls(
        self, names: Sequence[str], method: Method, *, ttl_s: int, now_s: float
    ) -> list[str]:
        """Return a URL for each name; names to be written are noted. See `FileStore`."""
        if method == "PUT":
            with self._platform.database.write() as connection:
                lock_dataset(connection, self._dataset.key)
                checked = [check_written_name(name) for name in names]
                now_ms = self._platform.clock.now_ms()
                repository.note_files(connection, self._dataset.key, checked, now_ms)
        return super().sign_urls(names, method, ttl_s=ttl_s, now_s=now_s)

    def verify(self, *, is_written: bool) -> dict[str, str]:
        """Write and remove an object; see `FileStore`."""
        if not is_written:
            return {}
        key = make_file_key(self._dataset.id, f"{LIGHTLY_FOLDER}verify-{make_id()}")
        try:
            for content in (b"1", b"2"):
                self._platform.blobs.put(key, [content])
        except StorageFull as error:
            return dict.fromkeys(_CAN_WRITE, str(error))
        finally:
            self._platform.blobs.delete(key)
        return {}

    def _find_keys(self, names: Sequence[str]) -> list[str]:
        return [make_file_key(self._dataset.id, name) for name in names]
