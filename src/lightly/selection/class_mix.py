"""Class information of samples, merged to the classes that a target tells apart."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lightly.selection.embeddings import Float64Array, IndexArray
from lightly.selection.errors import InvalidSelectionInput
from lightly.selection.portable_math import PRECISE

TargetMix = Mapping[int, float] | Literal["UNIFORM", "INPUT"]

_CHUNK_ROWS = 16_384
# Shares such as 0.1 + 0.2 + 0.7 do not sum to 1 in binary; this is no class of its own.
_SUM_TOLERANCE = 1e-9


class ClassTable:
    """One row of class shares per sample: either class numbers or a matrix.

    Args:
        classes: Integers of shape ``[N]``, -1 for none, or shares >= 0 of shape ``[N, C]``.
        n_classes: C for integers; one more than the largest if None.
        missing: Flags of shape ``[N]``; a flagged sample's row is zero.

    Raises:
        InvalidSelectionInput: If a value is negative, not finite or not a class.
    """

    def __init__(
        self, classes: ArrayLike, *, n_classes: int | None = None, missing: ArrayLike | None = None
    ) -> None:
        given = np.asarray(classes)
        self.missing = _read_flags(missing, len(given) if given.ndim else 0)
        self.codes: IndexArray | None = None
        if given.ndim == 1 and given.dtype.kind in "iu":
            self.codes, self.n_classes = _check_codes(given, n_classes)
            self.missing = self.missing | (self.codes < 0)
            self.codes[self.missing] = -1
        elif given.ndim == 2 and given.dtype.kind in "fiub":
            self.n_classes = int(given.shape[1])
            self._shares = given
            self._check_shares()
        else:
            raise InvalidSelectionInput(
                "Classes must be integers, one per sample, or a matrix of shares >= 0 with one row "
                f"per sample. Got shape {given.shape} and dtype {given.dtype}."
            )

    def read(self, samples: IndexArray) -> Float64Array:
        """Return rows of shares, shape ``[len(samples), C]``."""
        if self.codes is None:
            rows = self._shares[samples].astype(np.float64)
            rows[self.missing[samples]] = 0.0
            return rows
        rows = np.zeros((len(samples), self.n_classes))
        known = np.flatnonzero(self.codes[samples] >= 0)
        rows[known, self.codes[samples[known]]] = 1.0
        return rows

    def total(self, samples: IndexArray) -> Float64Array:
        """Return the sum of rows, shape ``[C]``."""
        if self.codes is not None:
            codes = self.codes[samples]
            counts = np.bincount(codes[codes >= 0], minlength=self.n_classes)
            return counts.astype(np.float64)
        total = np.zeros(self.n_classes)
        for start in range(0, len(samples), _CHUNK_ROWS):
            total += self.read(samples[start : start + _CHUNK_ROWS]).sum(axis=0)
        return total

    def _check_shares(self) -> None:
        """Refuse unusable shares; take one-hot rows as class numbers, which is much faster."""
        codes = np.full(len(self._shares), -1)
        is_one_hot = True
        for start in range(0, len(self._shares), _CHUNK_ROWS):
            samples = np.arange(start, min(start + _CHUNK_ROWS, len(self._shares)))
            rows = self.read(samples)
            _refuse_bad_share(rows, start)
            is_one_hot = is_one_hot and bool(((rows == 0.0) | (rows == 1.0)).all())
            is_one_hot = is_one_hot and bool((rows.sum(axis=1) <= 1.0).all())
            if is_one_hot:
                named = np.flatnonzero(rows.any(axis=1))
                codes[samples[named]] = rows[named].argmax(axis=1)
        if is_one_hot:
            self.codes = codes


@dataclass(frozen=True, eq=False)
class MergedTarget:
    """A target over columns that each stand for one class or for several.

    Attributes:
        columns: Column of each class, shape ``[C]``. Classes of target 0 share a column.
        shares: Target per column, summing to 1, or all 0.
        exact_shares: The same to 60 digits.
        others: Share of all classes that the target does not name.
    """

    columns: IndexArray
    shares: Float64Array
    exact_shares: tuple[Decimal, ...]
    others: float

    def merge(self, rows: Float64Array) -> Float64Array:
        """Return rows of classes as rows of columns, summed over ascending classes."""
        merged = np.zeros((len(rows), len(self.shares)))
        for class_, column in enumerate(self.columns):
            merged[:, column] += rows[:, class_]
        return merged


def merge_target(
    target: TargetMix, table: ClassTable, samples: IndexArray, preselected: IndexArray
) -> tuple[Float64Array, MergedTarget]:
    """Return the target per class, and merged.

    Args:
        target: As given by the user.
        table: Class information of all samples.
        samples: Candidates.
        preselected: Samples selected from the start.

    Raises:
        InvalidSelectionInput: If the target names an unknown class or a share is not usable.
    """
    if target == "UNIFORM":
        occurs = table.total(np.concatenate([samples, preselected])) > 0
        return _merge(occurs.astype(np.float64), 0.0, table.n_classes)
    if target == "INPUT":
        return _merge(table.total(samples), 0.0, table.n_classes)
    if not isinstance(target, Mapping):
        raise InvalidSelectionInput(
            "The target of BALANCE must be {class: share}, 'UNIFORM' or 'INPUT'. "
            f"Got {str(target)[:40]!r}."
        )
    shares = _read_shares(target, table.n_classes)
    rest = 1.0 - math.fsum(target.values())
    unnamed = np.array([class_ not in target for class_ in range(table.n_classes)])
    return _merge(shares, max(rest, 0.0) if rest > _SUM_TOLERANCE else 0.0, unnamed)


def _merge(
    shares: Float64Array, others: float, unnamed: int | NDArray[np.bool_]
) -> tuple[Float64Array, MergedTarget]:
    columns = np.zeros(len(shares), dtype=np.int64)
    named = np.flatnonzero(shares > 0)
    columns[named] = np.arange(1, len(named) + 1)
    merged = [0.0, *shares[named].tolist()]
    if others > 0:
        columns[np.flatnonzero(unnamed)] = len(merged)
        merged.append(others)
    exact = [Decimal(share) for share in merged]
    total = sum(exact, start=Decimal(0))
    divisor = total or Decimal(1)
    normalised = tuple(PRECISE.divide(share, divisor) for share in exact)
    return shares / float(divisor), MergedTarget(
        columns=columns,
        shares=np.array([float(share) for share in normalised]),
        exact_shares=normalised,
        others=others / float(divisor),
    )


def _check_codes(given: NDArray[np.generic], n_classes: int | None) -> tuple[IndexArray, int]:
    codes = given.astype(np.int64)
    highest = int(codes.max(initial=-1))
    count = max(1, highest + 1) if n_classes is None else n_classes
    wrong = np.flatnonzero((codes < -1) | (codes >= count))
    if wrong.size:
        raise InvalidSelectionInput(
            f"The class of sample {wrong[0]} is {codes[wrong[0]]}. "
            f"It must be from 0 to {count - 1}, or -1 for none.",
            sample=int(wrong[0]),
        )
    return codes, count


def _refuse_bad_share(rows: Float64Array, first: int) -> None:
    wrong = np.flatnonzero(~(np.isfinite(rows) & (rows >= 0.0)).all(axis=1))
    if wrong.size:
        raise InvalidSelectionInput(
            f"The class shares of sample {first + wrong[0]} are not all finite and >= 0. "
            "Correct them or flag the sample as missing.",
            sample=int(first + wrong[0]),
        )


def _read_shares(target: Mapping[int, float], n_classes: int) -> Float64Array:
    shares = np.zeros(n_classes)
    for class_, share in target.items():
        if not 0 <= class_ < n_classes:
            raise InvalidSelectionInput(
                f"The target of BALANCE names class {class_}. "
                f"The known classes are 0 to {n_classes - 1}."
            )
        if not math.isfinite(share) or share < 0:
            raise InvalidSelectionInput(
                f"The target share of class {class_} must be a number >= 0. Got {share!r}."
            )
        shares[class_] = share
    if not shares.any() and math.fsum(target.values()) >= 1.0:
        raise InvalidSelectionInput("The target of BALANCE must name a share above 0.")
    return shares


def _read_flags(missing: ArrayLike | None, n_samples: int) -> NDArray[np.bool_]:
    if missing is None:
        return np.zeros(n_samples, dtype=np.bool_)
    flags = np.asarray(missing)
    if flags.dtype.kind != "b" or flags.shape != (n_samples,):
        raise InvalidSelectionInput(
            f"The missing flags of BALANCE must be one truth value per sample, shape "
            f"({n_samples},). Got shape {flags.shape} and dtype {flags.dtype}."
        )
    return flags
