"""`tasks.json` and `schema.json` keep their rules."""

import pytest

from lightly.data.datasource_files.errors import FileInvalid
from lightly.data.datasource_files.prediction_tasks import (
    Category,
    TaskSchema,
    encode_schema,
    encode_tasks,
    parse_schema,
    parse_tasks,
)


def test_tasks_come_back_in_their_order():
    assert parse_tasks(encode_tasks(["b", "a/night", "c-1"])) == ["b", "a/night", "c-1"]


@pytest.mark.parametrize(
    "content",
    [
        b"{}",
        b'"a"',
        b"[1]",
        b'[""]',
        b'["a", "a"]',
        b'[".."]',
        b'["a/../b"]',
        b'["/a"]',
        b'["a/"]',
        b'["\xc3\xa4"]',
        b'["a b"]',
        b'["' + b"a" * 256 + b'"]',
    ],
)
def test_what_is_no_list_of_names_is_refused(content):
    with pytest.raises(FileInvalid, match=r"tasks\.json"):
        parse_tasks(content)


def test_a_schema_comes_back_with_keypoints():
    category = Category(
        id=3, name="hand", keypoint_names=["a", "b"], keypoint_skeleton=[[0, 1], [1, 0]]
    )
    schema = TaskSchema("keypoint-detection", (category,))

    read = parse_schema(encode_schema(schema, "hands"), "schema.json")
    assert read == schema
    assert read.n_keypoints == {3: 2}


@pytest.mark.parametrize(
    ("content", "key", "rule"),
    [
        (b'{"task_type": "detection", "categories": []}', "task_type", "'object-detection'"),
        (b'{"categories": []}', "task_type", "is missing"),
        (b'{"task_type": "classification"}', "categories", "is missing"),
        (
            b'{"task_type": "classification", "categories": [{"id": -1, "name": "a"}]}',
            "categories.0.id",
            "0 or more, got -1",
        ),
        (
            b'{"task_type": "classification", "categories": [{"id": 1, "name": ""}]}',
            "categories.0.name",
            "must not be empty",
        ),
        (
            (
                b'{"task_type": "classification", "categories": '
                b'[{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]}'
            ),
            "categories.1.id",
            "1 is given twice",
        ),
        (
            (
                b'{"task_type": "keypoint-detection", "categories": [{"id": 1, "name": "a", '
                b'"keypoint_names": ["x"], "keypoint_skeleton": [[0, 1]]}]}'
            ),
            "categories.0.keypoint_skeleton.0",
            "names keypoint 1 of 1",
        ),
    ],
)
def test_what_breaks_a_rule_is_named(content, key, rule):
    with pytest.raises(FileInvalid) as caught:
        parse_schema(content, "t/schema.json")

    assert caught.value.key == key
    assert rule in str(caught.value)
    assert (
        '"task_type": "object-detection"' in str(caught.value)
        or "another id" in str(caught.value)
        or "keypoint_names" in str(caught.value)
    )


def test_a_schema_with_repeated_ids_is_not_written():
    cat = Category(id=1, name="cat")

    with pytest.raises(FileInvalid, match="given twice"):
        encode_schema(TaskSchema("classification", (cat, cat)), "animals")
