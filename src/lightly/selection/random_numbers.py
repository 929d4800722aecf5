"""RANDOM: a number per sample that depends on nothing but the seed and the sample's name."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

import numpy as np

from lightly.selection.embeddings import Float64Array
from lightly.selection.errors import InvalidSelectionInput

_HASH_BYTES = 8
_LONGEST_SEED = 64
# A float64 holds 53 bits: the lowest 11 of the hash are dropped, so that no number rounds to 1.
_DROPPED_BITS = 11


@dataclass(frozen=True, eq=False)
class Random:
    """Random numbers in [0, 1), to be used as values of ``Weights`` or ``Threshold``.

    A sample's number is the keyed 64-bit BLAKE2b hash of its name over 2^64, with the decimal
    digits of the seed as key. It does not depend on the order of samples, on other samples, or on
    threads; the same name and seed give the same number in every run on every machine.

    Args:
        names: One stable name per sample, such as its file name.
        seed: Another seed gives other, unrelated numbers.
    """

    names: Sequence[str]
    _: KW_ONLY
    seed: int = 0

    def draw(self) -> Float64Array:
        """Return one number per sample."""
        key = str(int(self.seed)).encode()
        if len(key) > _LONGEST_SEED:
            raise InvalidSelectionInput(
                f"The random seed may have at most {_LONGEST_SEED} digits. Got {len(key)}."
            )
        hashed = (_hash_name(name, key) >> _DROPPED_BITS for name in self.names)
        numbers = np.fromiter(hashed, dtype=np.float64, count=len(self.names))
        return numbers * 2.0**-53


def _hash_name(name: str, key: bytes) -> int:
    # File names that are not valid Unicode arrive with lone surrogates; they hash as any other.
    encoded = name.encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(encoded, digest_size=_HASH_BYTES, key=key).digest()
    return int.from_bytes(digest, "little")
