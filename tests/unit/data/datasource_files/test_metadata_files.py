"""Files with metadata keep their rules."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightly.data.datasource_files.errors import FileInvalid
from lightly.data.datasource_files.metadata_files import (
    MetadataEntry,
    encode_metadata,
    encode_metadata_schema,
    list_default_values,
    parse_metadata,
    parse_metadata_schema,
)

WEATHER = MetadataEntry("Weather", "scene.weather", "unknown", "CATEGORICAL_STRING")
SPEED = MetadataEntry("Speed", "wheels[1].speed", None, "NUMERIC_FLOAT")
SCHEMA = (WEATHER, SPEED)


def parse(metadata, schema=SCHEMA, **options):
    content = json.dumps({"metadata": metadata}).encode()
    return parse_metadata(content, schema, "a.json", **options)


def test_values_are_found_by_their_paths():
    read = parse({"scene": {"weather": "rain"}, "wheels": [{}, {"speed": 3.5}], "more": [1]})

    assert read.values == {"scene.weather": "rain", "wheels[1].speed": 3.5}
    assert read.content["more"] == [1]


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"scene": None},
        {"scene": {"weather": None}},
        {"scene": "x", "wheels": {}},
        {"scene": [], "wheels": [{"speed": 1}]},
        {"wheels": [1, 2]},
    ],
)
def test_what_is_missing_has_its_default(metadata):
    assert parse(metadata).values == list_default_values(SCHEMA)


@pytest.mark.parametrize(
    ("value_type", "valid", "invalid"),
    [
        ("NUMERIC_INT", [0, -5], [1.0, True, "1", []]),
        ("NUMERIC_FLOAT", [1, 0.5], [True, "1", {}]),
        ("CATEGORICAL_INT", [3], [3.5, False]),
        ("CATEGORICAL_STRING", ["", "a"], [1, True, ["a"]]),
        ("CATEGORICAL_BOOLEAN", [True, False], [0, "true"]),
        ("CATEGORICAL_DATETIME", ["2024-05-01", "2024-05-01T10:00:00Z"], ["May", 5]),
        ("CATEGORICAL_TIMESTAMP", [1700000000000], ["2024", 1.5]),
        ("OTHER_STRING", ["x"], [None.__class__.__name__.__len__()]),
    ],
)
def test_values_have_the_type_of_the_schema(value_type, valid, invalid):
    entry = MetadataEntry("X", "x", None, value_type)

    assert [parse({"x": value}, [entry]).values["x"] for value in valid] == valid
    for value in invalid:
        with pytest.raises(FileInvalid, match=rf"a\.json', metadata\.x: .*{value_type}"):
            parse({"x": value}, [entry])


@pytest.mark.parametrize("path", ["", ".", "a..b", "a[", "a[x]", "a[-1]", "[0]", "a]", "a[1]b"])
def test_paths_of_another_form_are_refused(path):
    content = json.dumps([{"name": "X", "path": path, "valueDataType": "NUMERIC_INT"}]).encode()

    with pytest.raises(FileInvalid, match=r"0\.path"):
        parse_metadata_schema(content)


def test_defaults_have_the_type_too():
    content = b'[{"name": "X", "path": "x", "defaultValue": "a", "valueDataType": "NUMERIC_INT"}]'

    with pytest.raises(FileInvalid, match=r"0\.defaultValue: must be a whole number"):
        parse_metadata_schema(content)


def test_a_schema_comes_back():
    assert parse_metadata_schema(encode_metadata_schema(SCHEMA)) == SCHEMA


def test_one_path_has_one_entry():
    with pytest.raises(FileInvalid, match=r"1\.path: is given twice"):
        encode_metadata_schema([WEATHER, WEATHER])


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b"{}",
        b'{"metadata": []}',
        b'{"metadata": {}, "type": "picture"}',
        b'{"metadata": {"x": NaN}}',
        b'{"metadata": {"x": -Infinity}}',
        b'{"metadata": ' + b'{"a":' * 50_000,
        b"\xff",
        b'{"metadata": {}, "file_name": "b.jpg"}',
    ],
)
def test_hostile_files_are_refused(content):
    with pytest.raises(FileInvalid):
        parse_metadata(content, SCHEMA, "a.json", stem="a")


def test_the_word_nan_in_a_text_is_harmless():
    assert parse({"scene": {"weather": "NaN"}}).values["scene.weather"] == "NaN"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(metadata=st.dictionaries(st.text(), VALUES, max_size=4))
def test_metadata_come_back_as_they_were(metadata):
    content = encode_metadata("a/b.jpg", "image", metadata, ())

    read = parse_metadata(content, (), "b.json", stem="a/b")
    assert (read.content, read.subject, read.file_name) == (metadata, "image", "a/b.jpg")


def test_what_is_no_json_is_not_written():
    with pytest.raises(FileInvalid, match="plain JSON"):
        encode_metadata("a.jpg", "image", {"x": object()}, ())
