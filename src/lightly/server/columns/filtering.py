"""Filters over the samples of a dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from numpy.typing import NDArray

from lightly.server.columns.dataset_columns import N_BINS, BoolArray, ColumnInvalid, DatasetColumns
from lightly.server.columns.polygons import find_inside
from lightly.server.columns.projections import read_coordinates
from lightly.server.columns.requests import ColumnQueryRequest, SampleFilter
from lightly.server.datasets.models import Dataset
from lightly.server.tags.masks import read_mask
from lightly.server.tags.service import load_tag


@dataclass(frozen=True)
class PartCounts:
    """What one part of a question does: a filter, or the tag.

    Attributes:
        alone: How many of all samples meet it.
        without: How many samples the question would find without it.
    """

    alone: int
    without: int


@dataclass(frozen=True)
class FilterResult:
    """What a question about columns comes to.

    Attributes:
        mask: Shape `[n_samples]`: which samples meet all filters.
        tag: What the tag does; None without one.
        filters: What each filter does.
        histograms: By key: how many of the samples are in each bin or category. A filter on the
            same key is left out there, so that one sees what else could be chosen.
    """

    mask: BoolArray
    tag: PartCounts | None
    filters: list[PartCounts]
    histograms: dict[str, list[int]]


@dataclass(frozen=True)
class FilterMaterial:
    """What filters need of a dataset besides its columns.

    Attributes:
        tag_mask: Packed bits of the tag that the question is about; None for all samples.
        maps: Coordinates, shape `[2, n]`, by the id of their projection.
    """

    tag_mask: bytes | None
    maps: dict[str, NDArray[np.float32]]


def load_material(
    connection: sa.Connection, dataset: Dataset, body: ColumnQueryRequest
) -> FilterMaterial:
    """Return what the filters of a question need besides columns.

    Args:
        connection: An open transaction.
        dataset: Loaded for the caller.
        body: What is asked.

    Raises:
        TagUnknown: If the dataset has no such tag; likewise for embeddings.
    """
    tag_mask = None
    if body.tag_id is not None:
        tag_mask = read_mask(load_tag(connection, dataset, body.tag_id))
    maps = {
        each.embedding2d_id: read_coordinates(
            connection, dataset, each.embedding_id, each.embedding2d_id, dataset.n_samples
        )
        for each in body.filters
        if each.embedding_id is not None and each.embedding2d_id is not None
    }
    return FilterMaterial(tag_mask, maps)


def evaluate(
    columns: DatasetColumns, material: FilterMaterial, body: ColumnQueryRequest
) -> FilterResult:
    """Return which samples meet all filters and how their values are distributed.

    Raises:
        ColumnInvalid: If a filter names no column, or one of another kind.
    """
    within = np.ones(columns.n_samples, dtype=np.bool_)
    if material.tag_mask is not None:
        within = unpack_bits(material.tag_mask, columns.n_samples) ^ body.is_tag_negated
    masks = [(each.key, _apply(columns, material, each)) for each in body.filters]
    counted: dict[str, list[int]] = {}
    for key in body.histograms:
        if columns.find(key).kind != "text":
            met = _combine(within, [mask for of_key, mask in masks if of_key != key])
            counted[key] = _count(columns, key, met)
    found, (tag, *filters) = _count_parts([within, *(mask for _, mask in masks)])
    return FilterResult(found, tag if body.tag_id else None, filters, counted)


def _count_parts(masks: list[BoolArray]) -> tuple[BoolArray, list[PartCounts]]:
    """Return which samples meet all of some conditions, and what each of these does."""
    n_failed = np.zeros(len(masks[0]), dtype=np.uint8)
    for mask in masks:
        n_failed += ~mask
    met, nearly = n_failed == 0, n_failed == 1
    n_met = int(met.sum())
    # Without one condition, those are found too that fail nothing else.
    counts = [PartCounts(int(mask.sum()), n_met + int((nearly & ~mask).sum())) for mask in masks]
    return met, counts


def _combine(within: BoolArray, masks: list[BoolArray]) -> BoolArray:
    met = within.copy()
    for mask in masks:
        met &= mask
    return met


def _count(columns: DatasetColumns, key: str, met: BoolArray) -> list[int]:
    """Return how many of some samples are in each bin, or each category, of a column."""
    info = columns.find(key)
    if info.kind == "number":
        return _count_codes(columns.read_bins(key)[met], N_BINS)
    return _count_codes(columns.read_codes(key)[met], len(info.categories))


def _count_codes(codes: NDArray[np.unsignedinteger[Any]], size: int) -> list[int]:
    counts: list[int] = np.bincount(codes, minlength=size)[:size].tolist()
    return counts


def _apply(columns: DatasetColumns, material: FilterMaterial, wanted: SampleFilter) -> BoolArray:
    if wanted.kind == "range":
        mask = _find_in_range(columns, wanted)
    elif wanted.kind == "values":
        mask = _find_values(columns, wanted)
    elif wanted.kind == "name":
        mask = _find_names(columns, wanted)
    else:
        mask = _find_on_map(columns, material, wanted)
    return ~mask if wanted.is_negated else mask


def _find_on_map(
    columns: DatasetColumns, material: FilterMaterial, wanted: SampleFilter
) -> BoolArray:
    xs, ys = material.maps[wanted.embedding2d_id or ""]
    corners = [[float(x), float(y)] for x, y in wanted.polygon or []]
    found = find_inside(xs, ys, corners)
    # Samples may have been added since the map was read, or since the columns were.
    mask = np.zeros(columns.n_samples, dtype=np.bool_)
    count = min(len(mask), len(found))
    mask[:count] = found[:count]
    return mask


def unpack_bits(packed: bytes, n_samples: int) -> BoolArray:
    """Return a bit mask as one truth value per sample; samples beyond its end are not in it."""
    bits = np.unpackbits(np.frombuffer(packed, np.uint8), bitorder="little")
    mask = np.zeros(n_samples, dtype=np.bool_)
    count = min(n_samples, len(bits))
    mask[:count] = bits[:count]
    return mask


def _find_in_range(columns: DatasetColumns, wanted: SampleFilter) -> BoolArray:
    key = wanted.key or ""
    if columns.find(key).kind != "number":
        raise ColumnInvalid(f"{ascii(key)[:80]} holds texts, not numbers.")
    numbers = columns.read_numbers(key)
    mask = ~np.isnan(numbers)
    if wanted.minimum is not None:
        mask &= numbers >= wanted.minimum
    if wanted.maximum is not None:
        mask &= numbers <= wanted.maximum
    return mask


def _find_values(columns: DatasetColumns, wanted: SampleFilter) -> BoolArray:
    key = wanted.key or ""
    info = columns.find(key)
    if info.kind != "category":
        raise ColumnInvalid(f"{ascii(key)[:80]} holds no categories.")
    is_wanted = np.zeros(65_536, dtype=np.bool_)
    chosen = set(wanted.values or [])
    for code, (name, _count) in enumerate(info.categories):
        is_wanted[code] = name in chosen
    return is_wanted[columns.read_codes(key)]


def _find_names(columns: DatasetColumns, wanted: SampleFilter) -> BoolArray:
    options: dict[str, Any] = {"ignore_case": not wanted.is_case_sensitive}
    names, text = columns.read_names(), wanted.text or ""
    if not wanted.is_regex:
        found = pc.match_substring(names, text, **options)
    else:
        try:
            # Of RE2: its time grows with the text only, whatever the expression.
            found = pc.match_substring_regex(names, text, **options)
        except pa.ArrowInvalid as error:
            raise ColumnInvalid("The regular expression cannot be read.") from error
    mask: BoolArray = found.combine_chunks().to_numpy(zero_copy_only=False).astype(np.bool_)
    return mask
