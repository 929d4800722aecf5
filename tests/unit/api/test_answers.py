"""Reading the server's answers."""

import json

import pytest

from lightly.api.answers import iterate_pages, read_id, read_list, read_model, read_text
from lightly.api.errors import UnexpectedAnswer
from lightly.openapi_generated.swagger_client.models.dataset_embedding_data import (
    DatasetEmbeddingData,
)
from lightly.openapi_generated.swagger_client.models.tag_data import TagData
from tests.support.sdk import FunctionAdapter, make_json_response, make_transport

EMBEDDING = {"id": "0" * 24, "name": "mine", "isProcessed": True, "createdAt": 5}


def test_fields_of_a_newer_server_are_dropped():
    read = read_model(DatasetEmbeddingData, {**EMBEDDING, "colour": {"of": "tomorrow"}})

    assert read == DatasetEmbeddingData.from_dict(EMBEDDING)


def test_fields_of_a_newer_server_are_dropped_at_any_depth():
    tag = {
        "id": "0" * 24,
        "datasetId": "0" * 24,
        "prevTagId": None,
        "name": "tag",
        "bitMaskData": "0x1",
        "totSize": 1,
        "createdAt": 1,
        "changes": [
            {"userId": "u", "creator": "USER_PIP", "ts": 1, "changes": {"new": 1}, "newer": 2}
        ],
    }

    assert read_model(TagData, tag).changes is not None


@pytest.mark.parametrize("content", [None, [], "text", {}, {**EMBEDDING, "createdAt": "5"}])
def test_what_is_no_such_object_is_refused_without_repeating_it(content):
    with pytest.raises(UnexpectedAnswer, match="no DatasetEmbeddingData"):
        read_model(DatasetEmbeddingData, content)


@pytest.mark.parametrize(
    ("read", "content"),
    [
        (read_list, None),
        (read_list, {"a": 1}),
        (read_text, ["a"]),
        (read_text, None),
        (read_id, {}),
        (read_id, {"id": 3}),
        (read_id, []),
    ],
)
def test_answers_of_another_kind_are_refused(read, content):
    with pytest.raises(UnexpectedAnswer):
        read(content)


@pytest.mark.parametrize(
    ("count", "requests"),
    [
        # nothing, less than a page, exactly one, more
        (0, 1),
        (3, 1),
        (4, 2),
        (9, 3),
    ],
)
def test_pages_are_asked_for_until_one_is_not_full(count, requests):
    items = list(range(count))

    def answer(request):
        offset = int(request.path_url.rpartition("=")[2])
        return make_json_response(json.dumps(items[offset : offset + 4]))

    adapter = FunctionAdapter(answer)

    pages = list(iterate_pages(make_transport(adapter), "/v1/x", page_size=4))

    assert [item for page in pages for item in page] == items
    assert len(adapter.log) == requests
