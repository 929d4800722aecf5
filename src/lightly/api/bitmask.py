"""Bit masks of tags: which samples of a dataset a tag holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from lightly._kit.bitmask import iterate_indices
from lightly._kit.errors import BadInput

ItemT = TypeVar("ItemT")


class BitMask:
    """Which samples are in a tag: bit i, counted from the lowest, stands for sample i.

    Args:
        x: The bits as one number.

    Attributes:
        x: The bits as one number.

    Example:
        >>> tag = BitMask.from_hex("0x59")
        >>> tag.to_indices()
        [0, 3, 4, 6]
        >>> tag.masked_select_from_list(["a", "b", "c", "d", "e", "f", "g"])
        ['a', 'd', 'e', 'g']
    """

    def __init__(self, x: int) -> None:
        if x < 0:
            raise BadInput("A bit mask is a number from 0 on.")
        self.x = x

    @classmethod
    def from_hex(cls, hexstring: str) -> BitMask:
        """Return the mask that hex digits such as `0x59` stand for."""
        return cls(int(hexstring, 16))

    @classmethod
    def from_bin(cls, binstring: str) -> BitMask:
        """Return the mask that binary digits such as `0b1011001` stand for."""
        return cls(int(binstring, 2))

    @classmethod
    def from_length(cls, length: int) -> BitMask:
        """Return the mask of all of `length` samples."""
        return cls((1 << length) - 1)

    def to_hex(self) -> str:
        """Return the mask as hex digits, in the form of `bit_mask_data` of a tag."""
        return hex(self.x)

    def to_bin(self) -> str:
        """Return the mask as binary digits, beginning with `0b`."""
        return bin(self.x)

    def to_indices(self) -> list[int]:
        """Return the indices of the samples in the mask, in growing order."""
        return list(iterate_indices(self.x.to_bytes((self.x.bit_length() + 7) // 8, "little")))

    def invert(self, total_size: int) -> None:
        """Take the samples out that are in the mask, and the others of `total_size` in."""
        self.x = ~self.x & ((1 << total_size) - 1)

    def complement(self) -> None:
        """Invert the mask up to its highest sample."""
        self.invert(self.x.bit_length())

    def union(self, other: BitMask) -> None:
        """Add the samples of another mask."""
        self.x |= other.x

    def intersection(self, other: BitMask) -> None:
        """Keep only the samples that are in another mask too."""
        self.x &= other.x

    def difference(self, other: BitMask) -> None:
        """Take the samples of another mask out."""
        self.x &= ~other.x

    def __sub__(self, other: BitMask) -> BitMask:
        """Return the mask of what is in this one and not in the other."""
        return BitMask(self.x & ~other.x)

    def masked_select_from_list(self, list_: Sequence[ItemT]) -> list[ItemT]:
        """Return the items whose place in the list is in the mask."""
        return [list_[index] for index in self.to_indices()]

    def get_kth_bit(self, k: int) -> bool:
        """Tell whether sample `k` is in the mask."""
        return bool(self.x >> k & 1)

    def set_kth_bit(self, k: int) -> None:
        """Put sample `k` in."""
        self.x |= 1 << k

    def unset_kth_bit(self, k: int) -> None:
        """Take sample `k` out."""
        self.x &= ~(1 << k)

    def __eq__(self, other: object) -> bool:
        return self.x == other.x if isinstance(other, BitMask) else NotImplemented

    #: A mask can change, so it cannot be a key.
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"BitMask({self.to_hex()})"
