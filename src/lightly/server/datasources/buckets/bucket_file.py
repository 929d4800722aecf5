"""What a listing of a bucket came by."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # The library has this name for type checkers only.
    from obstore import ObjectMeta


class BucketFile:
    """An object of a bucket; see `FoundFile`.

    Made by the million: what only some listings ask for is found out when it is asked for.

    Attributes:
        name: Relative to the datasource.
        position: Where the listing goes on behind it.
    """

    __slots__ = ("_meta", "name", "position")

    def __init__(self, name: str, position: str, meta: ObjectMeta) -> None:
        self.name = name
        self.position = position
        self._meta = meta

    @property
    def size_bytes(self) -> int:
        """How long it is."""
        return self._meta["size"]

    def find_modified_at_s(self) -> int:
        """Return when it was last written: listings of buckets say so."""
        return int(self._meta["last_modified"].timestamp())

    def find_state(self) -> str | None:
        """Return what changes whenever its bytes do: the tag that the store gives them."""
        moment_s = self._meta["last_modified"].timestamp()
        return make_state(self._meta["e_tag"], self.size_bytes, moment_s)


def make_state(etag: str | None, size_bytes: int, modified_at_s: float) -> str | None:
    """Return what stands for the bytes of an object; None where its tag does not.

    >>> make_state('"9a0364"', 12, 1.5), make_state('W/"9a0364"', 12, 1.5)
    ('9a0364 12 1.5', None)
    """
    if not etag or etag.startswith("W/"):
        return None
    return f"{etag.strip(chr(34))} {size_bytes} {modified_at_s}"
