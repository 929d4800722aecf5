"""Many file names in little memory: a tenth of what a list of texts takes."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import overload


class NameList(Sequence[str]):
    """Names in their order.

    Args:
        names: Taken in once.

    >>> NameList(["a.jpg", "b.jpg"])[1]
    'b.jpg'
    """

    def __init__(self, names: Iterable[str]) -> None:
        content, ends = bytearray(), array("q", [0])
        for name in names:
            content += name.encode("utf-8", "surrogateescape")
            ends.append(len(content))
        self._content = bytes(content)
        self._ends = ends

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._ends) - 1

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        """Return the name at a place, or those of a slice."""
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        number = range(len(self))[place]
        piece = self._content[self._ends[number] : self._ends[number + 1]]
        return piece.decode("utf-8", "surrogateescape")


class NamesByPosition(Mapping[int, str]):
    """The names behind a place, by their positions from there.

    Args:
        names: All names.
        start: The first one that counts.
    """

    def __init__(self, names: Sequence[str], start: int) -> None:
        self._names = names
        self._start = start

    def __len__(self) -> int:
        """Return how many count."""
        return len(self._names) - self._start

    def __iter__(self) -> Iterator[int]:
        """Yield all positions."""
        return iter(range(len(self)))

    def __getitem__(self, position: int) -> str:
        """Return the name at a position.

        Raises:
            KeyError: If there is none.
        """
        if not 0 <= position < len(self):
            raise KeyError(position)
        return self._names[self._start + position]
