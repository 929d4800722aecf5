"""Which samples are in a tag, as bits: bit i stands for sample i.

In memory and at rest a mask is `bytes`, little-endian (bit i is bit `i % 8` of byte `i // 8`).
On the wire it is `0x` and lower-case hex of the same number, most significant digit first.
Source: wire contract, semantics section 7. Everything here is linear in the number of digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lightly._kit.errors import BadInput

_WIRE_FORM = re.compile(r"0x[0-9a-f]+")


def count_bytes(n_bits: int) -> int:
    """Return how many bytes hold `n_bits` bits.

    >>> count_bytes(0), count_bytes(8), count_bytes(9)
    (0, 1, 2)
    """
    return (n_bits + 7) // 8


def is_bitmask(text: str) -> bool:
    """Tell whether `text` has the wire form of a mask.

    >>> is_bitmask("0x59"), is_bitmask("0xF"), is_bitmask("59")
    (True, False, False)
    """
    return _WIRE_FORM.fullmatch(text) is not None


def parse_bitmask(text: str, n_bits: int) -> bytes:
    r"""Return the mask that `text` stands for, `count_bytes(n_bits)` long.

    Leading zeros are accepted. The error never repeats the digits: there may be millions.

    Raises:
        BadInput: If `text` is not `0x` and hex digits, or a bit at or above `n_bits` is set.

    >>> parse_bitmask("0x59", 10)
    b'Y\x00'
    """
    if not is_bitmask(text):
        raise BadInput("A bit mask must be '0x' followed by lower-case hex digits.")
    digits = text[2:].lstrip("0")
    highest = 4 * len(digits) - _leading_zero_bits(digits)
    if highest > n_bits:
        raise BadInput(
            f"The bit mask names sample {highest - 1}, but the dataset has {n_bits} samples."
        )
    big_endian = bytes.fromhex(digits.rjust(2 * count_bytes(n_bits), "0"))
    return big_endian[::-1]


def _leading_zero_bits(digits: str) -> int:
    return 4 - int(digits[0], 16).bit_length() if digits else 0


def format_bitmask(mask: bytes) -> str:
    r"""Return the wire form of a mask, without leading zeros.

    >>> format_bitmask(b"Y\x00"), format_bitmask(b"")
    ('0x59', '0x0')
    """
    return "0x" + (mask[::-1].hex().lstrip("0") or "0")


def fill_bitmask(n_bits: int) -> bytes:
    """Return a mask with the first `n_bits` bits set.

    >>> format_bitmask(fill_bitmask(10))
    '0x3ff'
    """
    return ((1 << n_bits) - 1).to_bytes(count_bytes(n_bits), "little")


def build_bitmask(indices: Iterable[int], n_bits: int) -> bytes:
    """Return a mask with the bits at `indices` set.

    >>> format_bitmask(build_bitmask([0, 3, 4, 6], 10))
    '0x59'
    """
    mask = bytearray(count_bytes(n_bits))
    for index in indices:
        if not 0 <= index < n_bits:
            raise BadInput(f"Sample {index} is not in [0, {n_bits}).")
        mask[index >> 3] |= 1 << (index & 7)
    return bytes(mask)


def iterate_indices(mask: bytes) -> Iterator[int]:
    """Yield the positions of the set bits in growing order.

    >>> list(iterate_indices(b"Y"))
    [0, 3, 4, 6]
    """
    for byte_index, byte in enumerate(mask):
        while byte:
            lowest = byte & -byte
            yield 8 * byte_index + lowest.bit_length() - 1
            byte ^= lowest  # noqa: PLW2901  the loop peels off one bit at a time


def count_bits(mask: bytes) -> int:
    """Return how many bits are set.

    >>> count_bits(b"Y")
    4
    """
    return int.from_bytes(mask, "little").bit_count()


def resize_bitmask(mask: bytes, n_bits: int) -> bytes:
    """Return the same bits in a mask for `n_bits` samples; it only ever grows."""
    return mask.ljust(count_bytes(n_bits), b"\0")


def fits_bitmask(mask: bytes, n_bits: int) -> bool:
    r"""Tell whether no bit at or above `n_bits` is set.

    >>> fits_bitmask(b"\x01\x00", 1), fits_bitmask(b"\x02", 1)
    (True, False)
    """
    return int.from_bytes(mask, "little").bit_length() <= n_bits


def combine_bitmasks(first: bytes, second: bytes, operation: str) -> bytes:
    r"""Return `UNION`, `INTERSECTION` or `DIFFERENCE` (in first, not in second) of two masks.

    >>> combine_bitmasks(b"\x03", b"\x01", "DIFFERENCE")
    b'\x02'
    """
    length = max(len(first), len(second))
    left, right = int.from_bytes(first, "little"), int.from_bytes(second, "little")
    if operation == "UNION":
        result = left | right
    elif operation == "INTERSECTION":
        result = left & right
    elif operation == "DIFFERENCE":
        result = left & ~right
    else:
        raise BadInput(
            f"The operation must be UNION, INTERSECTION or DIFFERENCE, got {operation[:40]!r}."
        )
    return result.to_bytes(length, "little")


def is_subset(inner: bytes, outer: bytes) -> bool:
    r"""Tell whether every bit of `inner` is set in `outer`.

    >>> is_subset(b"\x01", b"\x03"), is_subset(b"\x04", b"\x03")
    (True, False)
    """
    return int.from_bytes(inner, "little") & ~int.from_bytes(outer, "little") == 0
