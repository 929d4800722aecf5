"""Columns derived from metadata, and questions about them."""

from __future__ import annotations

import struct

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightly.server.columns import wire
from lightly.server.columns.blocks import build_block
from lightly.server.columns.dataset_columns import (
    MAX_CATEGORIES,
    N_BINS,
    ColumnInvalid,
    DatasetColumns,
)
from lightly.server.columns.polygons import find_inside


def make_columns(*blocks: list[dict[str, object] | None]) -> DatasetColumns:
    tables = []
    for number, block in enumerate(blocks):
        rows = [
            (f"{number}-{k}.jpg", None, None if value is None else orjson.dumps(value).decode())
            for k, value in enumerate(block)
        ]
        tables.append(build_block(rows, len(rows)))
    return DatasetColumns(1, sum(len(block) for block in blocks), tables)


def test_numbers_of_all_blocks_are_one_column_and_what_is_missing_is_nan():
    columns = make_columns([{"a": 1}, {}], [None, {"a": -2.5}], [{"b": 1}])

    assert columns.read_numbers("a").tolist() == pytest.approx(
        [1, np.nan, np.nan, -2.5, np.nan], nan_ok=True
    )
    info = columns.find("a")
    assert (info.kind, info.n_present, info.minimum, info.maximum) == ("number", 2, -2.5, 1)


def test_categories_are_ordered_by_how_many_have_them():
    columns = make_columns([{"c": "x"}, {"c": "y"}], [{"c": "y"}, {}, {"c": True}])

    assert columns.find("c").categories == (("y", 2), ("true", 1), ("x", 1))
    assert columns.read_codes("c").tolist() == [2, 0, 0, 65535, 1]


def test_nested_objects_have_dots_in_their_keys():
    columns = make_columns([{"a": {"b": {"c": 3}}, "list": [1, 2], "none": None}])

    assert list(columns.infos) == ["a.b.c"]


def test_what_was_measured_cannot_be_overwritten_by_custom_metadata():
    table = build_block([("a", '{"sharpness":1}', '{"lightly.sharpness":9,"lightly":{"x":1}}')], 1)
    columns = DatasetColumns(1, 1, [table])

    assert columns.read_numbers("lightly.sharpness").tolist() == [1]
    assert list(columns.infos) == ["lightly.sharpness"]


def test_many_different_texts_are_no_categories():
    columns = make_columns([{"c": str(k)} for k in range(MAX_CATEGORIES + 1)])

    assert columns.find("c").kind == "text"
    with pytest.raises(ColumnInvalid):
        columns.sort("c", descending=False)


def test_numbers_that_a_plot_has_no_room_for_count_as_missing():
    columns = make_columns([{"a": 1e308}, {"a": 2}])

    assert columns.find("a").n_present == 1


def test_an_unknown_key_is_refused():
    with pytest.raises(ColumnInvalid):
        make_columns([{"a": 1}]).find("b")


@pytest.mark.parametrize("descending", [False, True])
def test_samples_without_a_value_come_last_in_either_direction(descending):
    columns = make_columns([{"a": 2}, {}, {"a": 1}, {"a": 2}])

    order = columns.sort("a", descending=descending).tolist()

    assert order == ([0, 3, 2, 1] if descending else [2, 0, 3, 1])


def test_names_are_sorted_in_the_order_of_their_letters():
    columns = make_columns([{}] * 3, [{}])

    assert columns.sort(None, descending=False).tolist() == [0, 1, 2, 3]
    assert columns.sort(None, descending=True).tolist() == [3, 2, 1, 0]


@given(st.lists(st.floats(-1e6, 1e6) | st.none(), min_size=1, max_size=50))
def test_every_number_is_in_one_bin(values):
    columns = make_columns([{} if value is None else {"a": value} for value in values])
    present = [value for value in values if value is not None]
    if not present:
        return

    counts = np.bincount(columns.read_bins("a"), minlength=256)

    assert counts[:N_BINS].sum() == len(present)
    assert counts[255] == len(values) - len(present)


def test_bytes_have_the_layout_that_the_document_states():
    content = wire.write_values(np.array([1, 2, 3], dtype=np.uint16), {"k": 1})

    magic, version, kind, width, count, tail, flags = struct.unpack("<4sHBBQII8x", content[:32])
    assert (magic, version, kind, width, count, tail, flags) == (b"LPC1", 1, 2, 1, 3, 7, 0)
    assert content[32:] == b"\1\0\2\0\3\0" + b'{"k":1}'


def test_bits_begin_with_the_lowest():
    content = wire.write_bits(np.array([True, False, False, True] + [False] * 4 + [True]), {})

    assert content[32:34] == bytes([0b1001, 1])


def is_inside(x: float, y: float, polygon: list[list[float]]) -> bool:
    inside = False
    for (x1, y1), (x2, y2) in zip(polygon, [polygon[-1], *polygon[:-1]], strict=True):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside


@given(st.lists(st.tuples(st.floats(-2, 2), st.floats(-2, 2)), min_size=3, max_size=12))
def test_points_within_a_polygon_are_those_of_the_plain_rule(corners):
    polygon = [list(corner) for corner in corners]
    points = np.random.default_rng(0).uniform(-2, 2, (2, 200)).astype(np.float32)

    found = find_inside(points[0], points[1], polygon)

    expected = [is_inside(float(x), float(y), polygon) for x, y in points.T]
    assert found.tolist() == expected


def test_points_without_coordinates_are_outside():
    nan = np.array([np.nan, 0.5], dtype=np.float32)

    assert find_inside(nan, nan, [[0, 0], [1, 0], [1, 1], [0, 1]]).tolist() == [False, True]
