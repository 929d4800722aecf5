"""The one interface to where the files of a dataset lie.

A store lists names in an order of its own that never changes. A position in it is a text that
compares with the other positions of the store; the empty text is before all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Method = Literal["GET", "HEAD", "PUT"]


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a listing.

    Attributes:
        after: Only what lies behind this position.
        last: Only what lies at this position or before; empty for all.
    """

    after: str = ""
    last: str = ""


class FoundFile(Protocol):
    """A file that a listing came by."""

    @property
    def name(self) -> str:
        """Its name, relative to the datasource."""

    @property
    def position(self) -> str:
        """Where the listing goes on behind it."""

    def find_modified_at_s(self) -> int | None:
        """Return when it was last written, in whole seconds; None if it is gone or no file."""

    def find_state(self) -> str | None:
        """Return what changes whenever its bytes may have; None if nothing tells that."""


#: Returns when a found file is removed, in seconds since 1970; None if that is not planned.
FindExpiry = Callable[[FoundFile], float | None]


def never_expires(_file: FoundFile) -> None:
    """Say of a file that it stays until somebody removes it."""


class FileStore(Protocol):
    """One side of a dataset's files. Names are data: a store makes sure that they lead nowhere."""

    @property
    def is_redirected(self) -> bool:
        """Whether read URLs are redirected ones in any case: those of the store end too soon, or
        would carry too much.
        """

    @property
    def is_relayed(self) -> bool:
        """Whether its own URLs are for the target of redirects alone, and the server writes."""

    @property
    def write_headers(self) -> Mapping[str, str]:
        """What whoever writes by a URL of the store has to send."""

    def iterate(self, prefix: str, span: Span) -> Iterator[FoundFile]:
        """Yield the files whose names begin with `prefix`, a folder with a slash or nothing.

        Memory is bounded, whatever the number of files.

        Raises:
            DatasourceUnreachable: If the store does not answer.
        """

    def split(self, prefix: str, count: int) -> list[str]:
        """Return at most `count` - 1 positions, growing, that part the files about evenly."""

    def read(self, name: str, limit_bytes: int) -> tuple[str, bytes]:
        """Return a file's version and its first `limit_bytes` bytes.

        Raises:
            FileUnknown: If there is no such file.
        """

    def find_version(self, name: str) -> str | None:
        """Return what changes whenever the bytes of a file do; None when there is no such file."""

    def sign_urls(
        self, names: Sequence[str], method: Method, *, ttl_s: int, now_s: float
    ) -> list[str]:
        """Return a URL for each name, good for one method until `now_s + ttl_s`.

        Whether there are such files is not looked at.

        Raises:
            DatasourceNotWritable: If `method` is PUT and the store is only read.
        """

    def open_expiry(self) -> FindExpiry:
        """Return what tells when a found file is removed by the store itself, by its rules now.

        Raises:
            DatasourceUnreachable: If the store does not tell its rules.
        """

    def verify(self, *, is_written: bool) -> dict[str, str]:
        """Try what the store is for, and leave nothing behind.

        Args:
            is_written: Try to write too.

        Returns:
            What does not work and what helps, by the contract's names: `canList`, `canRead`,
            `canWrite`, `canOverwrite`. What is missing here works.

        Raises:
            DatasourceUnreachable: If nothing works.
        """


def find_stop(prefix: str) -> str:
    """Return a text behind every name that begins with `prefix`.

    >>> find_stop("a/") > "a/zzz"
    True
    """
    return f"{prefix}\U0010ffff"
