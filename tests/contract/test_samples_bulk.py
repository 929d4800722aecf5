"""Our own operations on many samples, and the document that describes them."""

from __future__ import annotations

import concurrent.futures
import json
import random
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from tests.support.platforms import run_in_process
from tests.support.routes import list_routes
from tests.support.samples import make_dataset

OPENAPI = Path(__file__).parents[2] / "openapi"
PREFIX = "/ext/v1/datasets/{datasetId}/samples"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
UNKNOWN_ID = "65f0c0ffee65f0c0ffee1234"


@pytest.fixture
def dataset(server):
    return make_dataset(server)


@pytest.fixture(scope="module")
def document():
    return json.loads((OPENAPI / "ext-v1.json").read_text())


@pytest.fixture(scope="module")
def check(document):
    """A function that holds an answer against the document."""
    files = {name: json.loads((OPENAPI / name).read_text()) for name in ("openapi.json",)}
    files["ext-v1.json"] = document
    registry = Registry().with_resources(
        (name, Resource.from_contents(content, default_specification=_draft()))
        for name, content in files.items()
    )

    def check_answer(response, template):
        method = response.request.method.lower()
        declared = document["paths"][template][method]["responses"][str(response.status_code)]
        if "$ref" in declared:
            declared = document["components"]["responses"][declared["$ref"].rpartition("/")[2]]
        if "content" not in declared:
            assert response.content == b""
            return
        schema = {"$id": "ext-v1.json", "components": document["components"]}
        schema |= declared["content"]["application/json"]["schema"]
        Draft202012Validator(schema, registry=registry).validate(response.json())

    return check_answer


def _draft():
    from referencing.jsonschema import DRAFT202012

    return DRAFT202012


def post_bulk(dataset, samples):
    return dataset.client.post(f"{dataset.ext_path}/bulk", json={"samples": samples})


def name_samples(count, prefix=""):
    return [{"fileName": f"{prefix}{number}.jpg"} for number in range(count)]


def test_the_document_describes_exactly_the_operations_served(document):
    served = {(method, path) for method, path in list_routes() if path.startswith(PREFIX)}

    described = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        if path.startswith(PREFIX)
        for method in operations
    }

    assert described == served


def test_every_reference_of_the_document_leads_somewhere(document):
    contract = json.loads((OPENAPI / "openapi.json").read_text())
    references = re.findall(r'"\$ref": "([^"]+)"', json.dumps(document))

    for reference in references:
        file_name, _, pointer = reference.partition("#/")
        target = contract if file_name == "openapi.json" else document
        for part in pointer.split("/"):
            target = target[part]


def test_samples_get_ids_in_the_order_of_the_request(dataset, check):
    response = post_bulk(dataset, name_samples(25))

    ids = response.json()["ids"]
    assert response.status_code == 201
    check(response, f"{PREFIX}/bulk")
    assert dataset.client.get(f"{dataset.path}/mappings?field=_id").json() == ids
    assert dataset.list_names() == [f"{number}.jpg" for number in range(25)]


def test_a_sample_of_a_batch_is_the_same_as_a_single_one(dataset):
    fields = {
        "thumbName": "t.webp",
        "metaData": {"mean": [1.0000001], "shape": [4, 6], "is_corrupted": False, "corruption": ""},
        "customMetaData": {"a": [None]},
        "exif": {"b": 1},
        "videoFrameData": {"sourceVideo": "v.mp4", "sourceVideoFrameIndex": None},
    }
    single = dataset.get_sample(dataset.add("single.jpg", **fields))

    batch_id = post_bulk(dataset, [{"fileName": "batch.jpg"} | fields]).json()["ids"][0]

    batch = dataset.get_sample(batch_id)
    differing = {key for key in single if single[key] != batch[key]}
    assert set(batch) == set(single)
    assert differing <= {"id", "fileName", "index", "createdAt", "lastModifiedAt"}


def test_the_same_batch_again_gets_the_same_ids(dataset):
    first = post_bulk(dataset, name_samples(10)).json()["ids"]

    again = post_bulk(dataset, name_samples(10)).json()["ids"]

    assert again == first
    assert dataset.get_data()["nSamples"] == 10


def test_a_name_twice_in_a_batch_is_one_sample(dataset):
    samples = [
        {"fileName": "a.jpg", "customMetaData": {"first": True}},
        {"fileName": "b.jpg"},
        {"fileName": "a.jpg", "customMetaData": {"first": False}},
    ]

    ids = post_bulk(dataset, samples).json()["ids"]

    assert ids[0] == ids[2] != ids[1]
    assert dataset.list_names() == ["a.jpg", "b.jpg"]
    assert dataset.get_sample(ids[0])["customMetaData"] == {"first": True}


def test_existing_samples_are_left_as_they_are(dataset):
    existing = dataset.add("b.jpg", customMetaData={"kept": True}, metaData={"sizeInBytes": 5})
    samples = [
        {"fileName": name, "customMetaData": {}, "metaData": {"sizeInBytes": 100}}
        for name in ("a.jpg", "b.jpg", "c.jpg")
    ]

    ids = post_bulk(dataset, samples).json()["ids"]

    assert ids[1] == existing
    assert dataset.get_sample(existing)["customMetaData"] == {"kept": True}
    assert dataset.list_names() == ["b.jpg", "a.jpg", "c.jpg"]
    assert dataset.get_data()["sizeInBytes"] == 205


def test_names_that_look_alike_are_different_names(dataset):
    names = ["\u00e9.jpg", "e\u0301.jpg", "É.jpg", "%.jpg", "_.jpg", "'.jpg", '"\\.jpg', "😀.jpg"]

    ids = dataset.add_many(names)

    assert len(set(ids)) == len(names)
    assert dataset.add_many(names[::-1]) == ids[::-1]
    assert dataset.list_names() == names


def test_an_empty_batch_is_fine(dataset, check):
    response = post_bulk(dataset, [])

    assert (response.status_code, response.json()) == (201, {"ids": []})
    check(response, f"{PREFIX}/bulk")


def test_a_batch_has_a_ceiling(dataset, check):
    assert len(post_bulk(dataset, name_samples(10_000)).json()["ids"]) == 10_000

    response = post_bulk(dataset, name_samples(10_001, prefix="new "))

    assert (response.status_code, response.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")
    check(response, f"{PREFIX}/bulk")
    assert dataset.get_data()["nSamples"] == 10_000


@pytest.mark.parametrize(
    ("bad", "status", "reason"),
    [
        ({"fileName": "../a.jpg"}, 400, "samples.2.fileName"),
        ({"fileName": "a.jpg", "metaData": {"snr": -1}}, 400, "samples.2.metaData.snr"),
        ({"fileName": "a.jpg", "metaData": {"sizeInBytes": 2**53}}, 400, "samples.2.metaData"),
        ({"fileName": "a.jpg", "thumbName": "/t"}, 400, "samples.2.thumbName"),
        ({"fileName": "a.jpg", "customMetaData": {"a": "x" * 70_000}}, 413, "samples.2.custom"),
        ({"fileName": "a.jpg", "colour": "red"}, 400, "samples.2.colour"),
        ({}, 400, "samples.2.fileName"),
        (None, 400, "samples.2"),
        ("a.jpg", 400, "samples.2"),
    ],
)
def test_one_bad_sample_keeps_out_the_whole_batch(dataset, check, bad, status, reason):
    response = post_bulk(dataset, [{"fileName": "x.jpg"}, {"fileName": "y.jpg"}, bad])

    assert response.status_code == status
    assert reason in response.json()["error"]
    check(response, f"{PREFIX}/bulk")
    assert dataset.get_data()["nSamples"] == 0


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        None,
        {"samples": None},
        {"samples": {}},
        {"samples": [], "more": 1},
        {"samples": [{"fileName": "a.jpg"}], "Samples": []},
    ],
)
def test_a_body_of_another_form_is_refused(dataset, check, body):
    response = dataset.client.post(f"{dataset.ext_path}/bulk", json=body)

    assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST")
    check(response, f"{PREFIX}/bulk")


def test_a_batch_that_does_not_fit_adds_nothing(tmp_path, check):
    with run_in_process(tmp_path / "data", max_dataset_size=5) as server:
        dataset = make_dataset(server)
        ids = dataset.add_many(["a.jpg", "b.jpg", "c.jpg"])

        response = post_bulk(dataset, name_samples(3))

        assert (response.status_code, response.json()["code"]) == (402, "DATASET_AT_MAX_CAPACITY")
        check(response, f"{PREFIX}/bulk")
        assert dataset.get_data()["nSamples"] == 3
        # what is there already needs no room
        assert (
            post_bulk(dataset, [*name_samples(2), {"fileName": "b.jpg"}]).json()["ids"][2]
            == (ids[1])
        )


def test_no_tag_is_touched(dataset):
    dataset.add_many(["a.jpg"])
    dataset.client.post(f"{dataset.path}/tags/initial", json={"imgType": "full"})
    before = dataset.client.get(f"{dataset.path}/tags").json()
    assert [tag["bitMaskData"] for tag in before] == ["0x1"]

    dataset.add_many(["b.jpg"])

    assert dataset.client.get(f"{dataset.path}/tags").json() == before


def test_overlapping_batches_at_once_make_one_dense_order(dataset):
    names = [f"{number}.jpg" for number in range(600)]
    shuffle = random.Random(7)
    batches = [shuffle.sample(names, 200) for _ in range(12)]

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(dataset.add_many, batches))

    pages = dataset.client.get(f"{dataset.ext_path}/names").json()
    id_by_name = {name: sample_id for _, sample_id, name in pages}
    assert [idx for idx, _, _ in pages] == list(range(len(pages)))
    assert set(id_by_name) == {name for batch in batches for name in batch}
    for batch, ids in zip(batches, answers, strict=True):
        assert [id_by_name[name] for name in batch] == ids


def test_upload_urls_come_for_many_samples_at_once(dataset, check):
    ids = dataset.add_many([f"{number}.jpg" for number in range(5)])
    body = {"sampleIds": [ids[3], ids[1], ids[3]], "kinds": ["thumb", "full"]}

    response = dataset.client.post(f"{dataset.ext_path}/writeUrls", json=body)

    assert response.status_code == 200
    check(response, f"{PREFIX}/writeUrls")
    for sample_id, pair in zip(body["sampleIds"], response.json()["urls"], strict=True):
        single = dataset.client.get(f"{dataset.path}/samples/{sample_id}/writeurls").json()
        assert {kind: urlsplit(url).path for kind, url in pair.items()} == {
            kind: urlsplit(url).path for kind, url in single.items()
        }
    url = response.json()["urls"][1]["full"]
    assert dataset.server.anonymous_client().put(url, content=PNG).status_code == 200
    assert dataset.client.get(f"{dataset.path}/samples/{ids[1]}/readurl").status_code == 200


def test_upload_urls_come_for_the_kinds_asked_for(dataset, check):
    ids = dataset.add_many(["a.jpg"])
    body = {"sampleIds": ids, "kinds": ["thumb"]}

    response = dataset.client.post(f"{dataset.ext_path}/writeUrls", json=body)

    check(response, f"{PREFIX}/writeUrls")
    assert [sorted(pair) for pair in response.json()["urls"]] == [["thumb"]]


@pytest.mark.parametrize(
    "body",
    [
        {"sampleIds": ["x"], "kinds": ["full"]},
        {"sampleIds": [], "kinds": []},
        {"sampleIds": [], "kinds": ["meta"]},
        {"sampleIds": [], "kinds": ["full", "thumb", "full"]},
        {"sampleIds": []},
        {"kinds": ["full"]},
        [],
    ],
)
def test_malformed_requests_for_urls_are_refused(dataset, check, body):
    response = dataset.client.post(f"{dataset.ext_path}/writeUrls", json=body)

    assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST")
    check(response, f"{PREFIX}/writeUrls")


def test_requests_for_urls_have_a_ceiling(dataset, check):
    ids = dataset.add_many([f"{number}.jpg" for number in range(10_000)])
    path = f"{dataset.ext_path}/writeUrls"

    most = dataset.client.post(path, json={"sampleIds": ids, "kinds": ["thumb"]})
    more = dataset.client.post(path, json={"sampleIds": [*ids, ids[0]], "kinds": ["thumb"]})

    assert (most.status_code, len(most.json()["urls"])) == (200, 10_000)
    assert (more.status_code, more.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")
    check(more, f"{PREFIX}/writeUrls")


def test_there_are_no_urls_for_a_sample_of_another_dataset(server, dataset, check):
    own = dataset.add("a.jpg")
    foreign = make_dataset(server, "other").add("a.jpg")

    for sample_id in (foreign, UNKNOWN_ID):
        body = {"sampleIds": [own, sample_id], "kinds": ["full"]}
        response = dataset.client.post(f"{dataset.ext_path}/writeUrls", json=body)
        assert (response.status_code, response.json()["code"]) == (404, "SAMPLE_UNKNOWN")
        assert "sampleIds.1" in response.json()["error"]
        check(response, f"{PREFIX}/writeUrls")


def test_custom_metadata_of_many_samples_is_replaced_at_once(dataset):
    ids = dataset.add_many([f"{number}.jpg" for number in range(4)])
    for sample_id in ids:
        dataset.client.put(
            f"{dataset.path}/samples/{sample_id}", json={"customMetaData": {"old": True}}
        )
    items = [
        {"id": ids[0], "customMetaData": {"new": [1, None]}},
        {"fileName": "1.jpg", "customMetaData": {"by": "name"}},
        {"id": ids[2], "customMetaData": None},
    ]

    response = dataset.client.put(f"{dataset.ext_path}/customMetadata", json={"items": items})

    assert (response.status_code, response.content) == (204, b"")
    found = [dataset.get_sample(sample_id).get("customMetaData") for sample_id in ids]
    assert found == [{"new": [1, None]}, {"by": "name"}, None, {"old": True}]


def test_of_two_values_for_a_sample_the_later_stays(dataset):
    sample_id = dataset.add("a.jpg")
    items = [
        {"fileName": "a.jpg", "customMetaData": {"number": 1}},
        {"id": sample_id, "customMetaData": {"number": 2}},
    ]

    dataset.client.put(f"{dataset.ext_path}/customMetadata", json={"items": items})

    assert dataset.get_sample(sample_id)["customMetaData"] == {"number": 2}


@pytest.mark.parametrize(
    ("bad", "status", "reason"),
    [
        ({"id": UNKNOWN_ID, "customMetaData": {}}, 404, "items.1"),
        ({"fileName": "b.jpg", "customMetaData": {}}, 404, "items.1"),
        ({"fileName": "\0", "customMetaData": {}}, 404, "items.1"),
        ({"fileName": "", "customMetaData": {}}, 404, "items.1"),
        ({"fileName": "a.jpg", "customMetaData": {"a": "x" * 70_000}}, 413, "items.1.custom"),
        ({"fileName": "a.jpg", "customMetaData": 5}, 400, "items.1.customMetaData"),
        ({"fileName": "a.jpg"}, 400, "items.1.customMetaData"),
        ({"customMetaData": {}}, 400, "either 'id' or 'fileName'"),
        ({"id": UNKNOWN_ID, "fileName": "a.jpg", "customMetaData": {}}, 400, "either 'id' or"),
        ({"id": "x", "customMetaData": {}}, 400, "items.1.id"),
    ],
)
def test_one_bad_item_leaves_all_custom_metadata_alone(dataset, check, bad, status, reason):
    sample_id = dataset.add("a.jpg", customMetaData={"old": True})
    items = [{"id": sample_id, "customMetaData": {"old": False}}, bad]

    response = dataset.client.put(f"{dataset.ext_path}/customMetadata", json={"items": items})

    assert response.status_code == status
    assert reason in response.json()["error"]
    check(response, f"{PREFIX}/customMetadata")
    assert dataset.get_sample(sample_id)["customMetaData"] == {"old": True}


def test_no_custom_metadata_is_fine(dataset):
    response = dataset.client.put(f"{dataset.ext_path}/customMetadata", json={"items": []})

    assert response.status_code == 204


def test_custom_metadata_in_bulk_has_a_ceiling(dataset, check):
    dataset.add("a.jpg")
    items = [{"fileName": "a.jpg", "customMetaData": {"number": n}} for n in range(10_001)]
    path = f"{dataset.ext_path}/customMetadata"

    more = dataset.client.put(path, json={"items": items})
    most = dataset.client.put(path, json={"items": items[:-1]})

    assert (more.status_code, most.status_code) == (413, 204)
    check(more, f"{PREFIX}/customMetadata")


def test_names_come_with_index_and_id(dataset, check):
    ids = dataset.add_many(["b.jpg", "a.jpg"])

    response = dataset.client.get(f"{dataset.ext_path}/names")

    assert response.json() == [[0, ids[0], "b.jpg"], [1, ids[1], "a.jpg"]]
    check(response, f"{PREFIX}/names")


def test_names_go_on_behind_any_index(dataset):
    dataset.add_many([f"{number}.jpg" for number in range(50)])
    whole = dataset.client.get(f"{dataset.ext_path}/names").json()

    for after in (-1, 0, 13, 48, 49, 50, 2**53):
        for limit in (1, 7, 50, 25_000):
            page = dataset.client.get(f"{dataset.ext_path}/names?after={after}&limit={limit}")
            assert page.json() == whole[after + 1 : after + 1 + limit]


def test_a_page_of_names_has_a_ceiling(dataset, check):
    for start in range(3):
        dataset.add_many([f"{start}/{number}.jpg" for number in range(9_000)])

    page = dataset.client.get(f"{dataset.ext_path}/names").json()

    assert len(page) == 25_000
    rest = dataset.client.get(f"{dataset.ext_path}/names?after={page[-1][0]}").json()
    assert [idx for idx, _, _ in page + rest] == list(range(27_000))
    refused = dataset.client.get(f"{dataset.ext_path}/names?limit=25001")
    assert (refused.status_code, refused.json()["code"]) == (400, "MALFORMED_REQUEST")
    check(refused, f"{PREFIX}/names")


@pytest.mark.parametrize("query", ["after=-2", "after=x", "limit=0", "limit=x", f"after={2**70}"])
def test_malformed_requests_for_names_are_refused(dataset, query):
    response = dataset.client.get(f"{dataset.ext_path}/names?{query}")

    assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST")


def test_what_is_stored_is_a_bit_per_sample(dataset, check):
    ids = dataset.add_many([f"{number}.jpg" for number in range(11)])
    for index in (0, 3, 10):
        dataset.upload(ids[index], "thumb", PNG)
    dataset.upload(ids[2], "full", PNG)

    masks = {}
    for kind in ("thumb", "full"):
        response = dataset.client.get(f"{dataset.ext_path}/stored?kind={kind}")
        check(response, f"{PREFIX}/stored")
        assert response.json()["totSize"] == 11
        masks[kind] = int(response.json()["bitMaskData"], 16)

    assert masks == {"thumb": 1 << 0 | 1 << 3 | 1 << 10, "full": 1 << 2}


def test_nothing_is_stored_at_first(dataset, check):
    response = dataset.client.get(f"{dataset.ext_path}/stored?kind=full")

    assert response.json() == {"bitMaskData": "0x0", "totSize": 0}
    check(response, f"{PREFIX}/stored")


def test_objects_of_no_sample_do_not_count_as_stored(server, dataset):
    sample_id = dataset.add("a.jpg")
    dataset.upload(sample_id, "full", PNG)
    other = make_dataset(server, "other")
    other.upload(other.add("a.jpg"), "full", PNG)
    server.platform.blobs.put(f"datasets/{dataset.id}/samples/full/fff/{UNKNOWN_ID}", [PNG])

    response = dataset.client.get(f"{dataset.ext_path}/stored?kind=full")

    assert response.json() == {"bitMaskData": "0x1", "totSize": 1}


def test_an_unknown_kind_is_refused(dataset, check):
    for query in ("?kind=meta", ""):
        response = dataset.client.get(f"{dataset.ext_path}/stored{query}")
        assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST")
        check(response, f"{PREFIX}/stored")


def test_another_user_finds_no_such_dataset(server, dataset, check):
    sample_id = dataset.add("a.jpg")
    other = server.add_user("other@example.com")
    operations = [
        ("POST", "/bulk", {"samples": [{"fileName": "b.jpg"}]}),
        ("POST", "/writeUrls", {"sampleIds": [sample_id], "kinds": ["full"]}),
        ("PUT", "/customMetadata", {"items": [{"id": sample_id, "customMetaData": {}}]}),
        ("GET", "/names", None),
        ("GET", "/stored?kind=full", None),
    ]

    for method, end, body in operations:
        response = other.request(method, f"{dataset.ext_path}{end}", json=body)
        assert (response.status_code, response.json()["code"]) == (404, "DATASET_UNKNOWN"), end
        check(response, f"{PREFIX}{end.partition('?')[0]}")
    assert dataset.list_names() == ["a.jpg"]
    assert "customMetaData" not in dataset.get_sample(sample_id)
