"""Samples on the server: many at a time where it can, one by one where it cannot."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from lightly.api.dataset_samples import DatasetSamples, split
from lightly.api.errors import ApiException, UnexpectedAnswer
from tests.support.sdk import (
    FunctionAdapter,
    make_json_response,
    make_response,
    make_transport,
    read_body,
)

DATASET = "0123456789abcdef01234567"
UNKNOWN_PATH = '{"code": "NOT_FOUND", "error": "This path does not exist."}'


def make_samples(
    answer: Callable[[requests.PreparedRequest], requests.Response],
) -> tuple[DatasetSamples, FunctionAdapter]:
    adapter = FunctionAdapter(answer)
    return DatasetSamples(make_transport(adapter), DATASET, max_workers=2), adapter


def answer_as_foreign_server(request: requests.PreparedRequest) -> requests.Response:
    """Know the wire contract only."""
    path = str(request.path_url)
    if path.startswith("/ext/"):
        return make_json_response(UNKNOWN_PATH, 404)
    if request.method == "POST":
        return make_json_response(
            json.dumps({"id": json.loads(read_body(request))["fileName"]}), 201
        )
    if "writeurls" in path:
        sample_id = path.split("/")[5]
        return make_json_response(json.dumps({"full": f"f/{sample_id}", "thumb": f"t/{sample_id}"}))
    return make_response(204)


def answer_bulk(is_good: Callable[[Any], bool]) -> Callable[..., requests.Response]:
    """Register batches in which every sample is good, refuse the others as wholes."""

    def answer(request: requests.PreparedRequest) -> requests.Response:
        samples = json.loads(read_body(request))["samples"]
        if not all(is_good(sample["fileName"]) for sample in samples):
            return make_json_response('{"code": "MALFORMED_REQUEST", "error": "bad name"}', 400)
        return make_json_response(json.dumps({"ids": [one["fileName"] for one in samples]}), 201)

    return answer


def test_a_batch_is_registered_with_one_request():
    samples, adapter = make_samples(answer_bulk(lambda _: True))

    ids = samples.register([{"fileName": f"{number}.jpg"} for number in range(500)])

    assert ids[::499] == ["0.jpg", "499.jpg"]
    assert adapter.log == [("POST", f"/ext/v1/datasets/{DATASET}/samples/bulk")]


def test_more_than_the_server_takes_at_once_goes_in_several():
    samples, adapter = make_samples(answer_bulk(lambda _: True))

    ids = samples.register([{"fileName": f"{number}"} for number in range(10_001)])

    assert (len(ids), len(adapter.log)) == (10_001, 2)


def test_bad_samples_do_not_keep_good_ones_out():
    samples, _ = make_samples(answer_bulk(lambda name: "bad" not in name))

    results = samples.register(
        [{"fileName": name} for name in ("a", "bad1", "b", "c", "d", "bad2")]
    )

    refused = [isinstance(result, ApiException) for result in results]
    assert refused == [False, True, False, False, False, True]
    assert [result for result in results if isinstance(result, str)] == ["a", "b", "c", "d"]


def test_nothing_to_register_asks_nothing():
    samples, adapter = make_samples(answer_bulk(lambda _: True))

    assert (samples.register([]), adapter.log) == ([], [])


def test_a_refused_token_is_not_the_fault_of_a_sample():
    samples, adapter = make_samples(lambda _: make_response(401))

    with pytest.raises(ApiException):
        samples.register([{"fileName": "a"}, {"fileName": "b"}])

    assert len(adapter.log) == 1


def test_a_number_of_ids_that_does_not_fit_is_no_answer():
    samples, _ = make_samples(lambda _: make_json_response('{"ids": ["1"]}', 201))

    with pytest.raises(UnexpectedAnswer):
        samples.register([{"fileName": "a"}, {"fileName": "b"}])


def test_a_server_without_bulk_operations_gets_one_sample_at_a_time():
    samples, adapter = make_samples(answer_as_foreign_server)

    ids = samples.register([{"fileName": name} for name in "abc"])

    assert ids == ["a", "b", "c"]
    posts = [path for method, path in adapter.log if path.startswith("/v1/")]
    assert posts == [f"/v1/datasets/{DATASET}/samples"] * 3


def test_a_server_without_bulk_operations_is_asked_for_them_once():
    samples, adapter = make_samples(answer_as_foreign_server)

    samples.register([{"fileName": "a"}])
    samples.register([{"fileName": "b"}])
    samples.make_write_urls(["1"], ["thumb"])

    assert sum(path.startswith("/ext/") for _, path in adapter.log) == 1


def test_write_urls_come_from_the_contract_where_need_be():
    samples, _ = make_samples(answer_as_foreign_server)

    urls = samples.make_write_urls(["1", "2"], ["thumb", "full"])

    assert urls == [{"thumb": "t/1", "full": "f/1"}, {"thumb": "t/2", "full": "f/2"}]


def test_a_server_that_cannot_tell_what_is_stored_says_none():
    samples, _ = make_samples(answer_as_foreign_server)

    assert samples.read_stored("thumb") is None


def test_stored_samples_are_bits():
    samples, _ = make_samples(
        lambda _: make_json_response('{"bitMaskData": "0x201", "totSize": 12}')
    )

    assert samples.read_stored("full") == b"\x01\x02"


def test_metadata_goes_one_by_one_where_need_be():
    samples, adapter = make_samples(answer_as_foreign_server)

    done = list(samples.update_custom_metadata([("1", {"a": 1}), ("2", None)]))

    assert sum(done) == 2
    puts = sorted(path for method, path in adapter.log if path.startswith("/v1/"))
    assert puts == [f"/v1/datasets/{DATASET}/samples/{number}" for number in "12"]


def test_metadata_goes_in_bulk():
    bodies = []

    def answer(request):
        bodies.append(json.loads(read_body(request)))
        return make_response(204)

    samples, adapter = make_samples(answer)

    list(samples.update_custom_metadata([("1", {"a": 1}), ("2", {})]))

    assert adapter.log == [("PUT", f"/ext/v1/datasets/{DATASET}/samples/customMetadata")]
    assert bodies[0]["items"][0] == {"id": "1", "customMetaData": {"a": 1}}


def test_metadata_that_is_too_much_for_one_request_goes_in_several():
    sizes = []

    def answer(request):
        items = json.loads(read_body(request))["items"]
        sizes.append(len(items))
        if len(items) > 2:
            return make_json_response('{"code": "PAYLOAD_TOO_LARGE"}', 413)
        return make_response(204)

    samples, _ = make_samples(answer)

    assert list(samples.update_custom_metadata([(str(n), {}) for n in range(5)])) == [5]
    assert sizes == [5, 2, 3, 1, 2]


def test_metadata_of_one_sample_that_is_too_much_is_an_error():
    samples, adapter = make_samples(
        lambda _: make_json_response('{"code": "CUSTOM_METADATA_AT_MAX_SIZE"}', 413)
    )

    with pytest.raises(ApiException):
        list(samples.update_custom_metadata([("1", {}), ("2", {})]))

    assert len(adapter.log) == 1


@pytest.mark.parametrize("body", ["null", "{}", "[1]", '[{"id": "a"}]', '[{"fileName": 3}]'])
def test_lists_that_make_no_sense_are_clean_errors(body):
    samples, _ = make_samples(lambda _: make_json_response(body))

    with pytest.raises(UnexpectedAnswer):
        list(samples.iterate_identities())


@pytest.mark.parametrize("body", ["null", '{"urls": null}', '{"urls": [{}]}', '{"urls": [3]}'])
def test_urls_that_make_no_sense_are_clean_errors(body):
    samples, _ = make_samples(lambda _: make_json_response(body))

    with pytest.raises(UnexpectedAnswer):
        samples.make_write_urls(["1"], ["thumb"])


@pytest.mark.parametrize("code", ["DATASET_UNKNOWN", "SAMPLE_UNKNOWN"])
def test_an_unknown_dataset_is_no_unknown_operation(code):
    samples, adapter = make_samples(lambda _: make_json_response(f'{{"code": "{code}"}}', 404))

    with pytest.raises(ApiException):
        samples.make_write_urls(["1"], ["thumb"])

    assert len(adapter.log) == 1


def test_split_keeps_order_and_bounds():
    assert list(split(range(5), 2)) == [[0, 1], [2, 3], [4]]


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        # nothing
        (b"", []),
        # first and last
        (b"\x11", ["id0/n0", "id4/n4"]),
        # bits beyond what the server lists
        (b"\xff\xff", [f"id{number}/n{number}" for number in range(5)]),
    ],
)
def test_selected_samples_come_with_id_and_name(mask, expected):
    def answer(request):
        prefix = "id" if "_id" in request.path_url else "n"
        return make_json_response(json.dumps([f"{prefix}{number}" for number in range(5)]))

    samples, _ = make_samples(answer)

    assert [f"{id_}/{name}" for id_, name in samples.iterate_selected(mask)] == expected
