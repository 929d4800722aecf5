"""Logarithms and exponentials that are the same on every machine.

A machine's ``log`` and ``exp`` may differ from another's in the last bit. Where that could change a
pick, these are used instead.
"""

from __future__ import annotations

import math
import sys
from decimal import Context, Decimal
from functools import lru_cache

import numpy as np

from lightly.selection.embeddings import Float64Array

# Objectives of zero or below rank last instead of producing an undefined logarithm.
SMALLEST_OBJECTIVE = sys.float_info.min
# A sum of strengths s times ln of float64 numbers, |ln| < 710, is off by less than sum|s| * 2**-38:
# each ln by 4 units in the last place (2**-41), each product and sum by as much again.
SCREEN_MARGIN = 2.0**-38

# Two different products of a few float64 numbers do not agree in that many digits.
PRECISE = Context(prec=60)
# Two sums this close are equal: they differ by rounding in the 60th digit only.
EQUAL_WITHIN = Decimal("1e-40")

# ln 2 in two parts: the first has 33 bits, so that multiples of it up to 2**20 are exact.
_LN2_HIGH = float.fromhex("0x1.62e42feep-1")
_LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
_LOWEST_EXPONENT = -746.0
# Twelve terms leave an error of 0.35**13 / 13!, below the last bit.
_TAYLOR_TERMS = 13


@lru_cache(maxsize=4096)
def take_log(value: float) -> Decimal:
    """Return ln of a float64 number to 60 digits; numbers of zero or below count as tiny."""
    return PRECISE.ln(Decimal(max(value, SMALLEST_OBJECTIVE)))


def take_exp(exponents: Float64Array) -> Float64Array:
    """Return e to the power of exponents <= 0, within two units in the last place.

    Made of additions, multiplications and powers of two only, each of which is rounded alike
    everywhere.
    """
    x = np.maximum(exponents, _LOWEST_EXPONENT)
    twos = np.rint(x * (1.0 / math.log(2.0)))
    rest = x - twos * _LN2_HIGH
    rest -= twos * _LN2_LOW
    total = np.ones_like(rest)
    for k in range(_TAYLOR_TERMS, 0, -1):
        total = 1.0 + total * rest / k
    return np.ldexp(total, twos.astype(np.int32))
