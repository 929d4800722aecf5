"""Samples as the contract wants them."""

from __future__ import annotations

import concurrent.futures
import json
import re
import uuid
from dataclasses import replace

import pytest

from lightly.openapi_generated.swagger_client.models.sample_create_request import (
    SampleCreateRequest,
)
from lightly.openapi_generated.swagger_client.models.sample_update_request import (
    SampleUpdateRequest,
)
from lightly.server.samples.contents import MAX_METADATA_BYTES
from tests.support.platforms import run_in_process
from tests.support.samples import make_dataset

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
METADATA = {
    "mean": [0.4, 0.5, 0.6],
    "std": [0.1, 0.2, 0.3],
    "sumOfValues": [1.5, 2.5, 3.5],
    "sumOfSquares": [1.0, 2.0, 3.0],
    "shape": [480, 640, 3],
    "snr": 2.5,
    "sharpness": 20.25,
    "sizeInBytes": 1000,
    "luminance": 50,
    "uniformRowRatio": 0,
    "custom": {"a": None},
    "dynamic": {"b": [1]},
}
CROP = {
    "parentId": "65f0c0ffee65f0c0ffee1234",
    "predictionUUIDTimestamp": 0,
    "predictionIndex": 1,
    "predictionTaskName": "cars",
    "predictionTaskCategoryId": 2,
    "predictionTaskScore": 0.5,
}


@pytest.fixture
def dataset(server):
    return make_dataset(server)


@pytest.fixture(scope="module")
def lasting_server(tmp_path_factory):
    with run_in_process(tmp_path_factory.mktemp("server") / "data") as running:
        yield running


@pytest.fixture
def sqlite_dataset(lasting_server):
    """A dataset for what no database can change; its server is started once for all."""
    return make_dataset(lasting_server, f"birds {uuid.uuid4().hex}")


class LaterClock:
    """A clock that runs ahead."""

    def __init__(self, clock, by_s):
        self._clock = clock
        self._by_ms = 1000 * by_s

    def now_ms(self):
        return self._clock.now_ms() + self._by_ms


def let_time_pass(server, seconds):
    state = server.client.app.state
    state.platform = replace(state.platform, clock=LaterClock(state.platform.clock, seconds))


def test_a_sample_reads_back_as_it_was_given(dataset):
    given = {
        "thumbName": "small/a.webp",
        "metaData": METADATA,
        "customMetaData": {"weather": {"temperature": 3.5}, "ü": None, "list": [1, "x", True]},
        "exif": {"Make": "NUL: \x00", "GPS": {"lat": 1e-300}},
        "videoFrameData": {
            "sourceVideo": "a.mp4",
            "sourceVideoFrameIndex": 3,
            "sourceVideoFrameTimestamp": 0.5,
        },
    }
    sample_id = dataset.add("folder/a b.jpg", **given)

    sample = dataset.get_sample(sample_id)

    moment = sample.pop("createdAt")
    assert sample == given | {
        "id": sample_id,
        "type": "VIDEO_FRAME",
        "datasetId": dataset.id,
        "fileName": "folder/a b.jpg",
        "index": 0,
        "lastModifiedAt": moment,
    }


def test_what_was_not_given_is_left_out(dataset):
    sample = dataset.get_sample(dataset.add("a.b/c.d.jpg"))

    assert sorted(sample) == [
        "createdAt",
        "datasetId",
        "fileName",
        "id",
        "index",
        "lastModifiedAt",
        "thumbName",
        "type",
    ]
    assert sample["thumbName"] == "a.b/c.d_thumb.webp"


def test_nulls_count_as_not_given(sqlite_dataset):
    fields = dict.fromkeys(set(SampleCreateRequest.model_fields) - {"file_name"})
    body = {SampleCreateRequest.model_fields[name].alias or name: None for name in fields}

    sample = sqlite_dataset.get_sample(sqlite_dataset.add("a.jpg", **body))

    assert (sample["type"], sample["thumbName"]) == ("IMAGE", "a_thumb.webp")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "IMAGE"),
        ({"videoFrameData": {}}, "VIDEO_FRAME"),
        ({"videoFrameData": {"sourceVideo": None}}, "VIDEO_FRAME"),
        ({"cropData": CROP}, "CROP"),
        # a crop of a frame is a crop
        ({"cropData": CROP, "videoFrameData": {}}, "CROP"),
    ],
)
def test_the_type_follows_from_what_is_given(sqlite_dataset, fields, expected):
    assert sqlite_dataset.get_sample(sqlite_dataset.add("a.jpg", **fields))["type"] == expected


def test_samples_are_numbered_in_the_order_of_creation(dataset):
    ids = [dataset.add(f"{name}.jpg") for name in "cab"]

    assert [dataset.get_sample(sample_id)["index"] for sample_id in ids] == [0, 1, 2]
    assert dataset.get_data()["nSamples"] == 3


def test_the_same_name_again_gets_the_same_id_and_changes_nothing(dataset):
    first = dataset.add("a.jpg", customMetaData={"kept": True}, metaData={"sizeInBytes": 10})
    dataset.add("b.jpg")

    again = dataset.add("a.jpg", customMetaData={"lost": True}, metaData={"sizeInBytes": 99})

    sample = dataset.get_sample(first)
    assert again == first
    assert (sample["index"], sample["customMetaData"]) == (0, {"kept": True})
    assert (dataset.get_data()["nSamples"], dataset.get_data()["sizeInBytes"]) == (2, 10)


def test_the_same_name_at_the_same_time_is_one_sample(dataset):
    names = [f"{number % 5}.jpg" for number in range(40)]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(dataset.add, names))

    listed = dataset.client.get(f"{dataset.path}/samples").json()
    assert {sample["fileName"]: sample["id"] for sample in listed} == dict(
        zip(names, ids, strict=True)
    )
    assert [sample["index"] for sample in listed] == [0, 1, 2, 3, 4]


def test_names_that_look_alike_are_different_names(dataset):
    composed, decomposed = "\u00e9.jpg", "e\u0301.jpg"

    ids = {dataset.add(name) for name in (composed, decomposed, "A.jpg", "a.jpg", "a.jpg ")}

    assert len(ids) == 5
    assert dataset.list_names() == [composed, decomposed, "A.jpg", "a.jpg", "a.jpg "]


def test_the_same_name_in_another_dataset_is_another_sample(server, dataset):
    other = make_dataset(server, "other")

    assert dataset.add("a.jpg") != other.add("a.jpg")


def test_sizes_add_up_in_the_dataset(dataset):
    dataset.add("a.jpg", metaData={"sizeInBytes": 10})
    dataset.add("b.jpg", metaData={"snr": 1.0})
    third = dataset.add("c.jpg", metaData={"sizeInBytes": 100})

    dataset.client.put(f"{dataset.path}/samples/{third}", json={"metaData": {"sizeInBytes": 7}})

    assert dataset.get_data()["sizeInBytes"] == 17


def test_sizes_that_cannot_be_added_up_are_capped(dataset):
    largest = 2**53 - 1
    for name in ("a.jpg", "b.jpg"):
        dataset.add(name, metaData={"sizeInBytes": largest})

    assert dataset.get_data()["sizeInBytes"] == largest


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        # clients up to 1.2 tell of corruption
        ({"is_corrupted": False, "corruption": "", "snr": 1}, {"snr": 1}),
        # of a corrupt image nothing else is known
        ({"is_corrupted": True, "corruption": "cut", "sizeInBytes": 5}, {"sizeInBytes": 5}),
        # nothing is left
        ({"is_corrupted": True, "corruption": "cut"}, None),
        # grey
        ({"mean": [0.5], "shape": [4, 6]}, {"mean": [0.5] * 3, "shape": [4, 6, 1]}),
        # grey with alpha
        ({"std": [0.5, 0.1], "shape": [4, 6, 2]}, {"std": [0.5] * 3, "shape": [4, 6, 2]}),
        # RGBA, CMYK
        ({"sumOfValues": [1, 2, 3, 4]}, {"sumOfValues": [1, 2, 3]}),
        # nothing to repeat
        ({"sumOfSquares": [], "snr": 1}, {"snr": 1}),
        # rounding
        ({"mean": [1.0000001, -1e-9, 0.5]}, {"mean": [1.0, 0.0, 0.5]}),
        # null is not given
        ({"snr": None, "sharpness": 1}, {"sharpness": 1}),
    ],
)
def test_metadata_of_old_clients_is_put_right(sqlite_dataset, given, stored):
    created = sqlite_dataset.get_sample(sqlite_dataset.add("a.jpg", metaData=given))
    updated_id = sqlite_dataset.add("b.jpg")
    sqlite_dataset.client.put(
        f"{sqlite_dataset.path}/samples/{updated_id}", json={"metaData": given}
    )

    assert created.get("metaData") == stored
    assert sqlite_dataset.get_sample(updated_id).get("metaData") == (stored or {})


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"metaData": {"mean": [1.1, 0, 0]}}, "metaData.mean.0"),
        ({"metaData": {"snr": -1}}, "metaData.snr"),
        ({"metaData": {"luminance": 101}}, "metaData.luminance"),
        ({"metaData": {"shape": [1.0, 2, 3]}}, "metaData.shape.0"),
        ({"metaData": {"shape": [1, 2, 3, 4]}}, "metaData.shape"),
        ({"metaData": {"sizeInBytes": 2**53}}, "metaData.sizeInBytes"),
        ({"metaData": {"sizeInBytes": True}}, "metaData.sizeInBytes"),
        ({"metaData": {"sharpnes": 1}}, "metaData.sharpnes"),
        ({"metaData": []}, "metaData"),
        ({"customMetaData": [1]}, "customMetaData"),
        ({"exif": "x"}, "exif"),
        ({"cropData": {}}, "cropData.parentId"),
        ({"videoFrameData": {"sourceVideoFrameIndex": "1"}}, "sourceVideoFrameIndex"),
        ({"index": 3}, "index"),
        ({"id": "65f0c0ffee65f0c0ffee1234"}, "id"),
        ({"file_name": "b.jpg"}, "file_name"),
        ({"fileName": None}, "fileName"),
        ({"fileName": 5}, "fileName"),
    ],
)
def test_what_breaks_the_contract_is_refused_and_named(sqlite_dataset, fields, reason):
    response = sqlite_dataset.client.post(
        f"{sqlite_dataset.path}/samples", json={"fileName": "a.jpg"} | fields
    )

    assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST")
    assert reason in response.json()["error"]
    assert sqlite_dataset.get_data()["nSamples"] == 0


def test_custom_metadata_has_a_ceiling(server, dataset):
    limit = server.platform.settings.max_custom_metadata_bytes
    fits = {"k": "x" * (limit - len('{"k":""}'))}
    too_large = {"k": fits["k"] + "x"}
    # counted in bytes, not in characters
    too_large_encoded = {"k": "ü" * (limit // 2)}

    sample_id = dataset.add("a.jpg", customMetaData=fits)

    for content in (too_large, too_large_encoded):
        for response in (
            dataset.client.post(
                f"{dataset.path}/samples", json={"fileName": "b.jpg", "customMetaData": content}
            ),
            dataset.client.put(
                f"{dataset.path}/samples/{sample_id}", json={"customMetaData": content}
            ),
        ):
            assert response.status_code == 413
            assert response.json()["code"] == "CUSTOM_METADATA_AT_MAX_SIZE"
    assert dataset.get_sample(sample_id)["customMetaData"] == fits


@pytest.mark.parametrize(("size", "status"), [(-1, 201), (0, 201), (1, 413)])
@pytest.mark.parametrize("field", ["exif", "metaData"])
def test_other_metadata_has_a_ceiling_too(sqlite_dataset, field, size, status):
    make_content = {
        "exif": lambda text: {"a": text},
        "metaData": lambda text: {"custom": {"a": text}},
    }[field]
    frame = len(json.dumps(make_content(""), separators=(",", ":")))
    content = make_content("x" * (MAX_METADATA_BYTES - frame + size))

    response = sqlite_dataset.client.post(
        f"{sqlite_dataset.path}/samples", json={"fileName": "a.jpg", field: content}
    )

    assert response.status_code == status
    assert status == 201 or response.json()["code"] == "PAYLOAD_TOO_LARGE"


def test_a_full_dataset_takes_no_more(tmp_path):
    with run_in_process(tmp_path / "data", max_dataset_size=2) as server:
        dataset = make_dataset(server)
        first = dataset.add("a.jpg")
        dataset.add("b.jpg")

        response = dataset.client.post(f"{dataset.path}/samples", json={"fileName": "c.jpg"})

        assert (response.status_code, response.json()["code"]) == (402, "DATASET_AT_MAX_CAPACITY")
        # what is there already needs no room
        assert dataset.add("a.jpg") == first
        assert dataset.get_data()["nSamples"] == 2


def test_an_update_changes_the_fields_given_and_no_others(dataset):
    sample_id = dataset.add(
        "a.jpg", metaData=METADATA, customMetaData={"a": 1}, exif={"b": 2}, videoFrameData={}
    )
    before = dataset.get_sample(sample_id)

    response = dataset.client.put(
        f"{dataset.path}/samples/{sample_id}", json={"customMetaData": {"image_id": 5, "c": []}}
    )

    assert (response.status_code, response.content) == (204, b"")
    after = dataset.get_sample(sample_id)
    assert after.pop("customMetaData") == {"image_id": 5, "c": []}
    assert after.pop("lastModifiedAt") >= before["lastModifiedAt"]
    assert after == {key: before[key] for key in after}


def test_every_field_of_an_update_is_stored(dataset):
    sample_id = dataset.add("a.jpg")
    body = {
        "fileName": "new/a.png",
        "thumbName": "t.webp",
        "exif": {"x": 1},
        "metaData": {"snr": 1.5},
        "customMetaData": {"y": 2},
    }
    assert len(body) == len(SampleUpdateRequest.model_fields)

    dataset.client.put(f"{dataset.path}/samples/{sample_id}", json=body)

    sample = dataset.get_sample(sample_id)
    assert {key: sample[key] for key in body} == body
    assert dataset.list_names() == ["new/a.png"]


def test_null_clears_custom_metadata_and_nothing_else(dataset):
    sample_id = dataset.add("a.jpg", customMetaData={"a": 1}, exif={"b": 2}, metaData={"snr": 1})

    dataset.client.put(
        f"{dataset.path}/samples/{sample_id}",
        json={"customMetaData": None, "exif": None, "metaData": None, "fileName": None},
    )

    sample = dataset.get_sample(sample_id)
    assert "customMetaData" not in sample
    assert (sample["exif"], sample["metaData"]) == ({"b": 2}, {"snr": 1})


def test_an_empty_update_is_fine(sqlite_dataset):
    sample_id = sqlite_dataset.add("a.jpg")

    assert (
        sqlite_dataset.client.put(f"{sqlite_dataset.path}/samples/{sample_id}", json={}).status_code
        == 204
    )


def test_a_sample_cannot_take_the_name_of_another(dataset):
    dataset.add("a.jpg")
    second = dataset.add("b.jpg", customMetaData={"a": 1})

    response = dataset.client.put(
        f"{dataset.path}/samples/{second}",
        json={"fileName": "a.jpg", "customMetaData": {"a": 2}},
    )

    assert (response.status_code, response.json()["code"]) == (409, "CONFLICT")
    assert dataset.get_sample(second)["fileName"] == "b.jpg"
    assert dataset.get_sample(second)["customMetaData"] == {"a": 1}


def test_a_sample_may_be_given_the_name_that_it_has(dataset):
    sample_id = dataset.add("a.jpg")

    response = dataset.client.put(f"{dataset.path}/samples/{sample_id}", json={"fileName": "a.jpg"})

    assert response.status_code == 204


def test_an_update_touches_the_dataset_unless_it_is_told_not_to(server, dataset):
    sample_id = dataset.add("a.jpg")
    created = dataset.get_data()["lastModifiedAt"]
    let_time_pass(server, 60)
    path = f"{dataset.path}/samples/{sample_id}"

    dataset.client.put(f"{path}?enableDatasetUpdate=False", json={"customMetaData": {}})
    untouched = dataset.get_data()["lastModifiedAt"]
    dataset.client.put(path, json={"customMetaData": {}})

    assert untouched == created
    assert dataset.get_data()["lastModifiedAt"] >= created + 60_000
    assert dataset.get_sample(sample_id)["lastModifiedAt"] >= created + 60_000


def test_many_updates_at_once_all_arrive(dataset):
    ids = dataset.add_many([f"{number}.jpg" for number in range(8)])

    def update(number: int) -> int:
        body = {"metaData": {"sizeInBytes": number}, "customMetaData": {"number": number}}
        path = f"{dataset.path}/samples/{ids[number % 8]}"
        return dataset.client.put(path, json=body).status_code

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = set(pool.map(update, range(48)))

    sizes = [dataset.get_sample(sample_id)["metaData"]["sizeInBytes"] for sample_id in ids]
    assert statuses == {204}
    assert dataset.get_data()["sizeInBytes"] == sum(sizes)


def test_a_listing_holds_whole_samples_in_order(dataset):
    names = ["c.jpg", "a.jpg", "b.jpg"]
    ids = [dataset.add(name, customMetaData={"name": name}) for name in names]

    listed = dataset.client.get(f"{dataset.path}/samples").json()

    assert listed == [dataset.get_sample(sample_id) for sample_id in ids]


def test_samples_can_be_listed_in_the_order_of_their_ids(dataset):
    ids = dataset.add_many([f"{number}.jpg" for number in range(7)])

    listed = dataset.client.get(f"{dataset.path}/samples?sortBy=_id").json()
    by_index = dataset.client.get(f"{dataset.path}/samples?sortBy=index").json()

    assert [sample["id"] for sample in listed] == sorted(ids)
    assert [sample["id"] for sample in by_index] == ids


@pytest.mark.parametrize("query", ["sortBy=_id", "sortBy=index", "mode=full", "mode=ids"])
def test_pages_of_any_size_make_up_the_list(dataset, query):
    dataset.add_many([f"{number}.jpg" for number in range(1203)])
    path = f"{dataset.path}/samples{'/partial' if 'mode' in query else ''}?{query}"
    whole = dataset.client.get(path).json()
    assert len(whole) == 1203

    for size in (1, 3, 500, 1200):
        for offset in (0, 1, 499, 1000, 1202, 1203, 5000):
            page = dataset.client.get(f"{path}&pageSize={size}&pageOffset={offset}").json()
            assert page == whole[offset : offset + size]


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("mode=ids", {"id"}),
        ("mode=fileNames", {"id", "fileName"}),
    ],
)
def test_a_partial_listing_holds_what_the_mode_says(dataset, query, keys):
    ids = dataset.add_many(["b.jpg", "a.jpg"])

    listed = dataset.client.get(f"{dataset.path}/samples/partial?{query}").json()

    assert [sample["id"] for sample in listed] == ids
    assert all(set(sample) == keys for sample in listed)


@pytest.mark.parametrize("query", ["", "?mode=full"])
def test_a_full_partial_listing_is_the_listing(dataset, query):
    dataset.add("b.jpg", exif={"a": 1})

    listed = dataset.client.get(f"{dataset.path}/samples/partial{query}").json()

    assert listed == dataset.client.get(f"{dataset.path}/samples").json()


#: How many samples each query finds.
NAME_QUERIES = {
    "fileName=a%2Fb+c.jpg": 1,
    # unescaped, as newer clients send it
    "fileName=a/b%20c.jpg": 1,
    # the whole name, case and all
    "fileName=A%2Fb+c.jpg": 0,
    "fileName=a": 0,
    "fileName=%25": 0,
    "fileName=": 0,
    # no sample can be called so
    "fileName=%00": 0,
    "fileName=..%2F..%2Fetc%2Fpasswd": 0,
    # behind the end of a list of one
    "fileName=a%2Fb+c.jpg&pageOffset=1": 0,
}


@pytest.mark.parametrize("path", ["samples?", "samples/partial?mode=ids&", "samples/partial?"])
def test_samples_are_found_by_their_whole_name(dataset, path):
    dataset.add("a/b c.jpg")
    dataset.add("b")

    counts = {
        query: len(dataset.client.get(f"{dataset.path}/{path}{query}").json())
        for query in NAME_QUERIES
    }

    assert counts == NAME_QUERIES


@pytest.mark.parametrize(
    "path",
    [
        "samples?sortBy=createdAt",
        "samples?sortBy=__class__",
        "samples/partial?mode=all",
        "samples?pageSize=0",
        "samples?pageOffset=-1",
        "samples?pageSize=x",
        "samples/0123456789abcdef01234567/readurl?type=meta",
        "samples/0123456789abcdef01234567/writeurl",
        "samples/0123456789abcdef01234567/writeurl?isThumbnail=maybe",
    ],
)
def test_parameters_outside_of_the_contract_are_refused(sqlite_dataset, path):
    response = sqlite_dataset.client.get(f"{sqlite_dataset.path}/{path}")

    assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST")


def test_an_offset_beyond_all_numbers_finds_nothing(dataset):
    dataset.add("a.jpg")

    for path in ("samples?", "samples?sortBy=_id&", "samples/partial?", "mappings?field=_id&"):
        offset = dataset.client.get(f"{dataset.path}/{path}pageOffset={10**30}")
        size = dataset.client.get(f"{dataset.path}/{path}pageSize={10**30}")
        assert (offset.json(), len(size.json())) == ([], 1)


@pytest.mark.parametrize("text", ["True", "true", "TRUE", "1"])
def test_a_flag_in_the_query_may_be_spelled_in_any_way(sqlite_dataset, text):
    sample_id = sqlite_dataset.add("a.jpg")

    url = sqlite_dataset.client.get(
        f"{sqlite_dataset.path}/samples/{sample_id}/writeurl?isThumbnail={text}"
    )

    assert "/thumb/" in url.json()


def test_an_image_goes_up_and_comes_down_again(dataset):
    sample_id = dataset.add("a.jpg")
    path = f"{dataset.path}/samples/{sample_id}"
    full = dataset.client.get(f"{path}/writeurl?isThumbnail=False").json()
    thumb = dataset.client.get(f"{path}/writeurl?isThumbnail=True").json()

    # raw bytes, no token, no content type; the answer is exactly 200
    anonymous = dataset.server.anonymous_client()
    assert anonymous.put(full, content=PNG + b"full").status_code == 200
    assert anonymous.put(thumb, content=PNG + b"thumb").status_code == 200

    for type_, end in (("full", b"full"), ("thumbnail", b"thumb")):
        url = dataset.client.get(f"{path}/readurl?type={type_}").json()
        assert anonymous.get(url).content == PNG + end
    assert dataset.client.get(f"{path}/readurl").json().split("?")[0] == full.split("?")[0]


def test_write_urls_come_in_pairs(sqlite_dataset):
    sample_id = sqlite_dataset.add("a.jpg")
    path = f"{sqlite_dataset.path}/samples/{sample_id}"

    pair = sqlite_dataset.client.get(f"{path}/writeurls").json()

    for kind, is_thumbnail in (("full", False), ("thumb", True)):
        single = sqlite_dataset.client.get(f"{path}/writeurl?isThumbnail={is_thumbnail}").json()
        assert pair[kind].split("?")[0] == single.split("?")[0]


def test_a_sample_can_be_created_together_with_its_urls(dataset):
    path = f"{dataset.path}/samples/withWriteUrls"

    first = dataset.client.post(path, json={"fileName": "a.jpg"})
    again = dataset.client.post(path, json={"fileName": "a.jpg"})

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    url = first.json()["sampleWriteUrls"]["full"]
    assert dataset.client.put(url, content=PNG).status_code == 200
    sample_id = first.json()["id"]
    assert dataset.client.get(f"{dataset.path}/samples/{sample_id}/readurl").status_code == 200


def test_without_a_thumbnail_the_image_itself_is_shown(dataset):
    sample_id = dataset.add("a.jpg")
    dataset.upload(sample_id, "full", PNG)

    url = dataset.client.get(f"{dataset.path}/samples/{sample_id}/readurl?type=thumbnail").json()

    assert dataset.client.get(url).content == PNG


def test_a_thumbnail_never_stands_in_for_the_image(sqlite_dataset):
    sample_id = sqlite_dataset.add("a.jpg")
    sqlite_dataset.upload(sample_id, "thumb", PNG)

    response = sqlite_dataset.client.get(
        f"{sqlite_dataset.path}/samples/{sample_id}/readurl?type=full"
    )

    assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("type_", "code"), [("full", "NOT_FOUND"), ("thumbnail", "SAMPLE_THUMBNAME_UNKNOWN")]
)
def test_what_was_never_stored_has_no_read_url(sqlite_dataset, type_, code):
    sample_id = sqlite_dataset.add("a.jpg")

    response = sqlite_dataset.client.get(
        f"{sqlite_dataset.path}/samples/{sample_id}/readurl?type={type_}"
    )

    assert (response.status_code, response.json()["code"]) == (404, code)


SAMPLE_OPERATIONS = [
    ("GET", "", None),
    ("PUT", "", {}),
    ("GET", "/writeurl?isThumbnail=True", None),
    ("GET", "/writeurls", None),
    ("GET", "/readurl", None),
]


@pytest.mark.parametrize(("method", "end", "body"), SAMPLE_OPERATIONS)
def test_a_sample_of_another_dataset_is_unknown_here(server, dataset, method, end, body):
    elsewhere = make_dataset(server, "other").add("a.jpg")

    for sample_id in (elsewhere, "65f0c0ffee65f0c0ffee1234"):
        path = f"{dataset.path}/samples/{sample_id}{end}"
        response = dataset.client.request(method, path, json=body)
        assert (response.status_code, response.json()["code"]) == (404, "SAMPLE_UNKNOWN")


DATASET_OPERATIONS = [
    ("GET", "/samples", None),
    ("GET", "/samples?fileName=a.jpg", None),
    ("GET", "/samples?sortBy=_id", None),
    ("POST", "/samples", {"fileName": "a.jpg"}),
    ("POST", "/samples/withWriteUrls", {"fileName": "a.jpg"}),
    ("GET", "/samples/partial", None),
    ("GET", "/mappings?field=_id", None),
]


def test_another_user_finds_no_such_dataset(server, dataset):
    sample_id = dataset.add("a.jpg")
    other = dataset.seen_by(server.add_user("other@example.com"))
    operations = DATASET_OPERATIONS + [
        (method, f"/samples/{sample_id}{end}", body) for method, end, body in SAMPLE_OPERATIONS
    ]

    for method, end, body in operations:
        response = other.client.request(method, f"{other.path}{end}", json=body)
        assert (response.status_code, response.json()["code"]) == (404, "DATASET_UNKNOWN"), end
    assert dataset.get_data()["nSamples"] == 1


def test_a_deleted_dataset_takes_no_samples(dataset):
    dataset.client.delete(dataset.path)

    response = dataset.client.post(f"{dataset.path}/samples", json={"fileName": "a.jpg"})

    assert (response.status_code, response.json()["code"]) == (404, "DATASET_UNKNOWN")


def test_ids_have_the_form_of_the_contract(dataset):
    assert re.fullmatch("[a-f0-9]{24}", dataset.add("a.jpg"))
