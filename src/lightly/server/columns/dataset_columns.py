"""All columns of a dataset in one state of it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lightly.server.columns.blocks import NAMES, NUMBER, TEXT
from lightly.server.errors import MalformedRequest

#: Bars of a histogram.
N_BINS = 40
#: More different texts are names, not categories.
MAX_CATEGORIES = 1_000
#: Arrays that are kept in memory per dataset.
MAX_KEPT_BYTES = 256 * 1024 * 1024
_MISSING_BIN = 255
#: Of a number and its bin.
_BYTES_PER_SAMPLE = 9

FloatArray = NDArray[np.float64]
CodeArray = NDArray[np.uint16]
BoolArray = NDArray[np.bool_]
ValueT = TypeVar("ValueT")


class ColumnInvalid(MalformedRequest):
    """A column is named that the dataset does not have, or that is of another kind."""


@dataclass(frozen=True)
class ColumnInfo:
    """What a column is like.

    Attributes:
        key: Of the metadata, with dots between names of nested objects.
        kind: Numbers, categories, or texts that are too many to be categories.
        n_present: How many samples have a value.
        minimum: Of numbers.
        maximum: Likewise.
        categories: Of categories: each with how many samples have it, the most frequent first.
    """

    key: str
    kind: Literal["number", "category", "text"]
    n_present: int
    minimum: float | None = None
    maximum: float | None = None
    categories: tuple[tuple[str, int], ...] = ()


class DatasetColumns:
    """Columns of a dataset; arrays are made when they are first asked for.

    Args:
        revision: Of the samples.
        n_samples: How many there are.
        blocks: Their tables, see `blocks.load_block`.
        scores: What reads a number per sample, by key; see `score_values`.
    """

    def __init__(
        self,
        revision: int,
        n_samples: int,
        blocks: Sequence[pa.Table],
        scores: Mapping[str, Callable[[], FloatArray]] | None = None,
    ) -> None:
        self.revision = revision
        self.n_samples = n_samples
        self._blocks = blocks
        self._scores = scores or {}
        self._lock = threading.RLock()
        self._kept: OrderedDict[tuple[str, str], tuple[Any, int]] = OrderedDict()
        self._kept_bytes = 0
        self._infos: dict[str, ColumnInfo] | None = None

    @property
    def kept_bytes(self) -> int:
        """How much memory the arrays take."""
        return self._kept_bytes

    @property
    def infos(self) -> dict[str, ColumnInfo]:
        """All columns by key, in the order in which samples have them."""
        with self._lock:
            if self._infos is None:
                described = [self._describe(key) for key in self._list_keys()]
                self._infos = {info.key: info for info in described if info.n_present}
            return self._infos

    def find(self, key: str) -> ColumnInfo:
        """Return what a column is like. Raises `ColumnInvalid` when there is none."""
        info = self.infos.get(key)
        if info is None:
            raise ColumnInvalid(f"No sample has a value under {ascii(key)[:80]}.")
        return info

    def read_numbers(self, key: str) -> FloatArray:
        """Return a number per sample, NaN where there is none."""
        return self._keep("numbers", key, lambda: self._join_numbers(key))

    def read_codes(self, key: str) -> CodeArray:
        """Return the place of each sample's category in `ColumnInfo.categories`, 65535 for none."""
        return self._keep("codes", key, lambda: self._join_codes(key))

    def read_bins(self, key: str) -> NDArray[np.uint8]:
        """Return which of `N_BINS` equal parts between minimum and maximum each number is in."""
        return self._keep("bins", key, lambda: self._make_bins(key))

    def read_names(self) -> pa.ChunkedArray:
        """Return the file names."""
        if not self._blocks:
            return pa.chunked_array([pa.array([], pa.large_string())])
        return pa.chunked_array([chunk for b in self._blocks for chunk in b.column(NAMES).chunks])

    def sort(self, key: str | None, *, descending: bool) -> NDArray[np.uint32]:
        """Return the indices of all samples in the order of file names, or of a column.

        Samples without a value come last, equal ones in the order of their indices.
        """
        if key is None:
            order = pc.sort_indices(
                self.read_names(), sort_keys=[("", "descending" if descending else "ascending")]
            )
            indices: NDArray[np.uint32] = order.to_numpy().astype(np.uint32)
            return indices
        values = self._read_sortable(key)
        if descending:
            values = -values
        return np.argsort(values, kind="stable").astype(np.uint32)

    def _read_sortable(self, key: str) -> FloatArray:
        info = self.find(key)
        if info.kind == "number":
            return self.read_numbers(key)
        if info.kind == "text":
            raise ColumnInvalid("Samples cannot be sorted by long texts.")
        by_name = sorted(range(len(info.categories)), key=lambda code: info.categories[code][0])
        ranks = np.full(65_536, np.nan)
        ranks[by_name] = np.arange(len(by_name), dtype=float)
        return ranks[self.read_codes(key)]

    def warm(self) -> None:
        """Make what histograms and filters read, as far as it is kept, before anybody asks."""
        for key, info in self.infos.items():
            if self._kept_bytes + _BYTES_PER_SAMPLE * self.n_samples > MAX_KEPT_BYTES:
                return
            if info.kind == "number":
                self.read_bins(key)
            elif info.kind == "category":
                self.read_codes(key)

    def _list_keys(self) -> list[str]:
        names = (name for block in self._blocks for name in block.column_names if name != NAMES)
        return list(dict.fromkeys([*(name.partition(":")[2] for name in names), *self._scores]))

    def _describe(self, key: str) -> ColumnInfo:
        if not any(TEXT + key in block.column_names for block in self._blocks):
            numbers = self.read_numbers(key)
            present = numbers[~np.isnan(numbers)]
            if not len(present):
                return ColumnInfo(key, "number", 0)
            return ColumnInfo(
                key, "number", len(present), float(present.min()), float(present.max())
            )
        counts: dict[str, int] = {}
        for block in self._blocks:
            for name, count in _count_texts(block, key):
                counts[name] = counts.get(name, 0) + count
        total = sum(counts.values())
        if len(counts) > MAX_CATEGORIES:
            return ColumnInfo(key, "text", total)
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return ColumnInfo(key, "category", total, categories=tuple(ordered))

    def _join_numbers(self, key: str) -> FloatArray:
        if key in self._scores:
            return self._scores[key]()
        return self._join(key, NUMBER, np.float64, np.nan, lambda column: column.to_numpy())

    def _join_codes(self, key: str) -> CodeArray:
        info = self.find(key)
        codes = {name: code for code, (name, _count) in enumerate(info.categories)}
        missing = np.iinfo(np.uint16).max

        def translate(column: pa.ChunkedArray) -> CodeArray:
            encoded = column.combine_chunks()
            words = encoded.dictionary.to_pylist()
            table = np.array([codes.get(word, missing) for word in words] + [missing], np.uint16)
            places = encoded.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)
            found: CodeArray = table[places]
            return found

        return self._join(key, TEXT, np.uint16, missing, translate)

    def _join(
        self,
        key: str,
        prefix: str,
        dtype: type[np.generic],
        missing: float,
        read: Callable[[pa.ChunkedArray], NDArray[Any]],
    ) -> NDArray[Any]:
        whole = np.full(self.n_samples, missing, dtype)
        start = 0
        for block in self._blocks:
            if prefix + key in block.column_names:
                whole[start : start + block.num_rows] = read(block.column(prefix + key))
            start += block.num_rows
        return whole

    def _make_bins(self, key: str) -> NDArray[np.uint8]:
        info = self.find(key)
        low, high = info.minimum or 0.0, info.maximum or 0.0
        numbers = self.read_numbers(key)
        is_missing = np.isnan(numbers)
        away = np.where(is_missing, 0.0, numbers - low)
        # Divided first: the quotient of the bins and a tiny range would be infinite.
        shares = away / (high - low) if high > low else away
        places = np.minimum(shares * N_BINS, N_BINS - 1)
        bins = places.astype(np.uint8)
        bins[is_missing] = _MISSING_BIN
        return bins

    def _keep(self, kind: str, key: str, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        with self._lock:
            known = self._kept.get((kind, key))
            if known is not None:
                self._kept.move_to_end((kind, key))
                array: NDArray[Any] = known[0]
                return array
            made = make()
            self._kept[kind, key] = (made, made.nbytes)
            self._kept_bytes += made.nbytes
            while self._kept_bytes > MAX_KEPT_BYTES and len(self._kept) > 1:
                _, (_, size_bytes) = self._kept.popitem(last=False)
                self._kept_bytes -= size_bytes
            return made


def _count_texts(block: pa.Table, key: str) -> list[tuple[str, int]]:
    """Return the texts of a block, each with how many samples have it."""
    found: list[tuple[str, int]] = []
    if TEXT + key in block.column_names:
        counted = pc.value_counts(block.column(TEXT + key).combine_chunks().drop_null())
        texts = counted.field("values").dictionary_decode().to_pylist()
        found += zip(texts, counted.field("counts").to_pylist(), strict=True)
    return found
