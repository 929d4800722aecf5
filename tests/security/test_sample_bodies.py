"""Bodies that try to break the parser end with a 4xx and a reason, never a 5xx. T05, T33."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.platforms import run_in_process
from tests.support.samples import make_dataset

#: Refused as no JSON, wherever they stand.
NO_JSON = {
    "NaN": b"NaN",
    "Infinity": b"-Infinity",
    "beyond doubles": b"1e999",
    "an integer of 10,000 digits": b"9" * 10_000,
    "half a surrogate pair": rb'"\ud800"',
    "half a pair in UTF-8": b'"\xed\xa0\x80"',
    "no UTF-8": b'"\xff"',
    "100,000 brackets": b"[" * 100_000 + b"]" * 100_000,
    "100,000 open brackets": b"[" * 100_000,
    "100,000 braces": b'{"a":' * 100_000,
    "a comment": b"/**/1",
    "a trailing comma": b"[1,]",
    "nothing": b"",
}
#: JSON, but deeper than what can be written again.
TOO_DEEP = b"[" * 500 + b"]" * 500
#: JSON, and free-form fields keep it.
ODD_JSON = {
    "NUL": (rb'"a\u0000b"', "a\0b"),
    "a key with NUL": (rb'{"\u0000": 1}', {"\0": 1}),
    "the largest integer": (b"18446744073709551615", 18446744073709551615),
    "an integer beyond 64 bits": (b"1" + b"0" * 30, 1e30),
    "a tiny number": (b"1e-400", 0.0),
    "a key twice": (b'{"a": 1, "a": 2}', {"a": 2}),
    "200 levels": (b"[" * 200 + b"]" * 200, json.loads("[" * 200 + "]" * 200)),
    "markup": (b'"<script>\xe2\x80\xa8"', "<script>\u2028"),
}


@pytest.fixture
def dataset(server):
    return make_dataset(server)


def list_writes(dataset, sample_id):
    """Yield method, path and a template whose VALUE stands where anything may be."""
    free = b'"customMetaData": {"a": VALUE}'
    yield "POST", f"{dataset.path}/samples", b'{"fileName": "a.jpg", %s}' % free
    yield "POST", f"{dataset.path}/samples", b'{"fileName": "b.jpg", "exif": {"a": VALUE}}'
    yield (
        "POST",
        f"{dataset.path}/samples/withWriteUrls",
        b'{"fileName": "c.jpg", "metaData": {"custom": {"a": VALUE}}}',
    )
    yield "PUT", f"{dataset.path}/samples/{sample_id}", b"{%s}" % free
    yield (
        "POST",
        f"{dataset.ext_path}/bulk",
        b'{"samples": [{"fileName": "d.jpg", "metaData": {"dynamic": {"a": VALUE}}}]}',
    )
    item = b'{"id": "%s", %s}' % (sample_id.encode(), free)
    yield "PUT", f"{dataset.ext_path}/customMetadata", b'{"items": [%s]}' % item
    entry = b'{"name": "n", "path": "p", "valueDataType": "OTHER_STRING", "defaultValue": VALUE}'
    path = f"{dataset.path}/configuration/metadata"
    yield "POST", path, b'{"name": "n", "configs": [%s]}' % entry


def send(dataset, method, path, body):
    return dataset.client.request(method, path, content=body)


def test_what_is_no_json_is_refused_by_every_write(dataset):
    sample_id = dataset.add("existing.jpg")

    for method, path, template in list_writes(dataset, sample_id):
        for name, value in NO_JSON.items():
            for body in (template.replace(b"VALUE", value), value):
                response = send(dataset, method, path, body)
                found = (response.status_code, response.json()["code"])
                assert found == (400, "MALFORMED_REQUEST"), (path, name)
                assert len(response.content) < 1000
    assert dataset.list_names() == ["existing.jpg"]


def test_what_is_nested_too_deeply_is_refused_by_every_write(dataset):
    sample_id = dataset.add("existing.jpg")

    for method, path, template in list_writes(dataset, sample_id):
        response = send(dataset, method, path, template.replace(b"VALUE", TOO_DEEP))
        assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST"), path
        assert "nested too deeply" in response.json()["error"]
    assert dataset.list_names() == ["existing.jpg"]


@pytest.mark.parametrize(("text", "value"), ODD_JSON.values(), ids=ODD_JSON)
def test_odd_values_read_back_from_free_form_fields(dataset, text, value):
    sample_id = dataset.add("existing.jpg")

    for method, path, template in list_writes(dataset, sample_id):
        assert send(dataset, method, path, template.replace(b"VALUE", text)).status_code < 300

    samples = dataset.client.get(f"{dataset.path}/samples").json()
    found = [sample.get("customMetaData", {}).get("a") for sample in samples[:2]]
    assert found == [value, value]


@pytest.mark.parametrize("size", [-1, 0, 1])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_has_a_ceiling(tmp_path, size, is_chunked):
    limit = 20_000
    with run_in_process(tmp_path / "data", max_body_bytes=limit) as server:
        dataset = make_dataset(server)
        sample_id = dataset.add("existing.jpg")
        for method, path, template in list_writes(dataset, sample_id):
            frame = template.replace(b"VALUE", b'""')
            body = template.replace(b"VALUE", b'"%s"' % (b"x" * (limit - len(frame) + size)))
            content = iter([body[:9_000], body[9_000:]]) if is_chunked else body

            response = send(dataset, method, path, content)

            if size <= 0:
                assert response.status_code < 300, response.text
            else:
                found = (response.status_code, response.json()["code"])
                assert found == (413, "PAYLOAD_TOO_LARGE"), path


def test_fields_of_the_server_cannot_be_set(dataset):
    sample_id = dataset.add("a.jpg")
    server_fields = {
        "id": "65f0c0ffee65f0c0ffee1234",
        "datasetId": "65f0c0ffee65f0c0ffee1234",
        "index": 5,
        "type": "CROP",
        "createdAt": 0,
        "lastModifiedAt": 0,
        "userId": "x",
    }

    for field, value in server_fields.items():
        created = dataset.client.post(
            f"{dataset.path}/samples", json={"fileName": "b.jpg", field: value}
        )
        updated = dataset.client.put(f"{dataset.path}/samples/{sample_id}", json={field: value})
        batch = dataset.client.post(
            f"{dataset.ext_path}/bulk", json={"samples": [{"fileName": "b.jpg", field: value}]}
        )
        assert {created.status_code, updated.status_code, batch.status_code} == {400}
    assert dataset.list_names() == ["a.jpg"]


@pytest.fixture(scope="module")
def lasting_dataset(tmp_path_factory):
    with run_in_process(tmp_path_factory.mktemp("server") / "data") as running:
        yield make_dataset(running)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["fileName", "thumbName", "exif", "metaData", "customMetaData", "videoFrameData", "cropData"]
)
METADATA_FIELDS = st.sampled_from(
    ["mean", "std", "shape", "sumOfValues", "snr", "sizeInBytes", "is_corrupted", "custom"]
)
SAMPLES = st.fixed_dictionaries(
    {"fileName": st.text(max_size=20) | JSON_VALUES},
    optional={"metaData": st.dictionaries(METADATA_FIELDS, JSON_VALUES), "exif": JSON_VALUES},
) | st.dictionaries(FIELDS, JSON_VALUES)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=SAMPLES | JSON_VALUES)
def test_no_body_at_all_makes_the_server_fail(lasting_dataset, body):
    content = json.dumps(body)

    for path, text in (
        (f"{lasting_dataset.path}/samples", content),
        (f"{lasting_dataset.ext_path}/bulk", f'{{"samples": [{content}]}}'),
    ):
        response = lasting_dataset.client.post(path, content=text)
        assert response.status_code in {201, 400, 413}
    # whatever got in, the listing still fits the contract
    assert lasting_dataset.client.get(f"{lasting_dataset.path}/samples").status_code == 200
