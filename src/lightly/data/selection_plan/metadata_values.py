"""Metadata as the engine takes it: numbers, or classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightly._kit.errors import BadInput
from lightly.data.selection_plan.inputs import Column

_SHOWN_CHARACTERS = 60


@dataclass(frozen=True, eq=False)
class ClassColumn:
    """One class per sample.

    Attributes:
        names: Of the classes that occur, sorted.
        codes: Position in ``names`` of each sample's class, -1 where it has none.
    """

    names: tuple[str, ...]
    codes: NDArray[np.int64]


def read_numbers(values: Sequence[object], key: str) -> Column:
    """Return metadata as numbers.

    Raises:
        BadInput: If a value is no finite number, or none has a value.
    """
    missing = np.fromiter((value is None for value in values), dtype=np.bool_, count=len(values))
    _refuse_emptiness(missing, key)
    numbers = np.zeros(len(values))
    for sample, value in enumerate(values):
        if value is None:
            continue
        if not isinstance(value, int | float) or isinstance(value, bool) or not _is_finite(value):
            raise BadInput(
                f"Metadata {_show(key)} of sample {sample} is {_show(value)}, not a finite number. "
                "WEIGHTS and THRESHOLD need numbers; for classes use BALANCE."
            )
        numbers[sample] = value
    return Column(numbers, missing)


def read_classes(values: Sequence[object], key: str) -> ClassColumn:
    """Return metadata as classes: strings, whole numbers, true and false.

    Raises:
        BadInput: If a value is none of these, or none has a value.
    """
    names = [_name_class(value, sample, key) for sample, value in enumerate(values)]
    known = sorted({name for name in names if name is not None})
    if names and not known:
        _refuse_emptiness(np.ones(len(names), dtype=np.bool_), key)
    numbers = {name: number for number, name in enumerate(known)}
    codes = (-1 if name is None else numbers[name] for name in names)
    return ClassColumn(tuple(known), np.fromiter(codes, dtype=np.int64, count=len(names)))


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        # A whole number beyond the range of float64.
        return False


def _name_class(value: object, sample: int, key: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    raise BadInput(
        f"Metadata {_show(key)} of sample {sample} is {_show(value)}, not a class. BALANCE needs "
        "strings, whole numbers, or true and false; for numbers use WEIGHTS or THRESHOLD."
    )


def _refuse_emptiness(missing: NDArray[np.bool_], key: str) -> None:
    if missing.size and missing.all():
        raise BadInput(
            f"No sample has metadata {_show(key)}. Correct the key, nested ones are written with "
            "dots such as 'weather.temperature', or add the metadata."
        )


def _show(value: object) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return ascii(value)[:_SHOWN_CHARACTERS]
