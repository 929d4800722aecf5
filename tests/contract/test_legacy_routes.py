"""Routes that only published clients before 1.2 call."""

from __future__ import annotations

import time

import pytest

from tests.support.contract import ContractClient
from tests.support.platforms import TOKEN

ENTRY = {
    "name": "People",
    "path": "people",
    "defaultValue": 0,
    "valueDataType": "NUMERIC_INT",
}
NAMES = ["a.jpg", "b/c.jpg", "d.jpg"]
WITH_TOKEN = {"token": TOKEN}


@pytest.fixture
def client(server):
    return ContractClient(server.client)


@pytest.fixture
def anonymous(server):
    return server.anonymous_client()


@pytest.fixture
def dataset_id(client):
    """A dataset with three samples and its initial tag."""
    dataset_id = client.post("/v1/datasets", json={"name": "legacy"}).json()["id"]
    for name in NAMES:
        client.post(f"/v1/datasets/{dataset_id}/samples", json={"fileName": name})
    client.post(f"/v1/datasets/{dataset_id}/tags/initial", json={"imgType": "meta"})
    return dataset_id


def make_rows(names, *values):
    return [
        {"fileName": name, "value": list(value), "label": 0}
        for name, value in zip(names, values, strict=True)
    ]


def post_rows(client, dataset_id, name, rows, *, append):
    body = {"embeddingName": name, "embeddings": rows, "append": append, **WITH_TOKEN}
    return client.post(f"/users/datasets/{dataset_id}/embeddings", json=body)


def wait_for_embedding(client, dataset_id, name):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for found in client.get(f"/v1/datasets/{dataset_id}/embeddings").json():
            if found["name"] == name and found["isProcessed"]:
                return found["id"]
        time.sleep(0.05)
    raise AssertionError("the rows were not read")


@pytest.mark.parametrize("path", ["/pip/version", "/ping"])
def test_some_routes_need_no_token(anonymous, path):
    assert anonymous.get(path).status_code == 200


def test_the_newest_version_is_the_item_of_a_list(anonymous):
    [newest] = anonymous.get("/pip/version?version=1.0.8").json()

    assert [int(part) for part in newest.split(".")] > [1, 0, 8]


@pytest.mark.parametrize("slash", ["", "/"])
def test_both_spellings_of_a_path_are_served_directly(anonymous, dataset_id, slash):
    base = f"/users/datasets/{dataset_id}"
    sample = {"fileName": "e.jpg", "meta": {}}

    answers = [
        anonymous.get(f"{base}/tags{slash}", params=WITH_TOKEN, follow_redirects=False),
        anonymous.get(f"{base}/embeddings{slash}", params=WITH_TOKEN, follow_redirects=False),
        anonymous.get(f"/users/quota{slash}", params=WITH_TOKEN, follow_redirects=False),
        anonymous.post(f"{base}/samples{slash}", json={"sample": sample, **WITH_TOKEN}),
    ]

    assert [answer.status_code for answer in answers] == [200] * 4


def test_the_quota_is_a_number_in_an_object(anonymous):
    quota = anonymous.get("/users/quota", params=WITH_TOKEN).json()

    assert quota["maxDatasetSize"] > 25_000


def test_tags_have_ids_with_an_underscore(anonymous, dataset_id):
    [tag] = anonymous.get(f"/users/datasets/{dataset_id}/tags/", params=WITH_TOKEN).json()

    assert (tag["name"], len(tag["_id"])) == ("initial-tag", 24)


def test_the_names_of_a_tag_are_lines_of_text(anonymous, dataset_id):
    base = f"/users/datasets/{dataset_id}/tags"
    [tag] = anonymous.get(f"{base}/", params=WITH_TOKEN).json()

    answer = anonymous.get(f"{base}/{tag['_id']}/download", params=WITH_TOKEN)

    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text.splitlines() == NAMES


def test_the_file_name_decides_which_object_is_written(client, anonymous, dataset_id):
    base = f"/users/datasets/{dataset_id}/samples"
    sample = {"fileName": "x/y.png", "meta": {}, "thumbName": "x/y_thumb.webp"}
    made = anonymous.post(f"{base}/", json={"sample": sample, **WITH_TOKEN}).json()["sampleId"]

    for name, content in (("x/y.png", b"\x89PNG\r\n\x1a\nfull"), ("x/y_thumb.webp", b"thumb")):
        url = anonymous.get(f"{base}/{made}/writeurl", params={"fileName": name, **WITH_TOKEN})
        assert anonymous.put(url.json()["signedWriteUrl"], content=content).status_code == 200

    read = [
        client.get(f"/v1/datasets/{dataset_id}/samples/{made}/readurl", params={"type": type_})
        for type_ in ("full", "thumbnail")
    ]
    contents = [anonymous.get(answer.json()).content for answer in read]
    assert contents == [b"\x89PNG\r\n\x1a\nfull", b"thumb"]


def test_a_name_of_neither_object_is_refused(client, anonymous, dataset_id):
    sample = client.get(f"/v1/datasets/{dataset_id}/samples").json()[0]
    url = f"/users/datasets/{dataset_id}/samples/{sample['id']}/writeurl"

    answer = anonymous.get(url, params={"fileName": "other.jpg", **WITH_TOKEN})

    assert answer.status_code == 400


def test_the_initial_tag_is_made_once(client, anonymous):
    dataset_id = client.post("/v1/datasets", json={"name": "no tag yet"}).json()["id"]
    url = f"/users/datasets/{dataset_id}"

    typed = anonymous.put(url, params=WITH_TOKEN, json={"dataset": {"imgType": "thumbnail"}})
    first = anonymous.post(f"{url}/tags", json=WITH_TOKEN)
    second = anonymous.post(f"{url}/tags", json=WITH_TOKEN)

    assert (typed.status_code, first.status_code, second.status_code) == (200, 200, 409)
    assert client.get(f"/v1/datasets/{dataset_id}").json()["imgType"] == "thumbnail"


def test_batches_of_rows_become_an_embedding_and_its_plot(client, anonymous, dataset_id):
    rows = make_rows(reversed(NAMES), (1.5, 2.0, 3.0), (4.0, 5.0, 6.0), (7.0, 8.0, 9.25))
    points = make_rows(reversed(NAMES), (1.0, 2.0), (3.0, 4.0), (5.0, 6.0))

    for number in range(2):
        batch = slice(2 * number, 2 * number + 2)
        for name, content in (("mine", rows), ("mine__2D", points)):
            answer = post_rows(anonymous, dataset_id, name, content[batch], append=number)
            assert answer.status_code == 200

    embedding_id = wait_for_embedding(client, dataset_id, "mine")
    url = f"/v1/datasets/{dataset_id}/embeddings/{embedding_id}"
    text = client.get(client.get(f"{url}/readCSVUrl").json()).text
    [plot] = [plot for plot in client.get(f"{url}/2d").json() if plot["name"] == "mine__2D"]
    assert text.splitlines()[1] == "d.jpg,1.5,2.0,3.0,0"
    assert plot["coordinatesDimension1"] == [5, 3, 1]
    assert plot["dimensionalityReductionMethod"] == "PCA"


def test_an_upload_that_broke_off_can_begin_again(client, anonymous, dataset_id):
    post_rows(anonymous, dataset_id, "mine", make_rows(NAMES[:1], (1.0,)), append=0)
    url = f"/users/datasets/{dataset_id}/embeddings/"

    listed = anonymous.get(url, params={"mode": "summaries", **WITH_TOKEN}).json()
    whole = make_rows(NAMES, (1.0, 2.0), (3.0, 4.0), (5.0, 6.0))
    again = post_rows(anonymous, dataset_id, "mine", whole, append=0)

    assert listed == []
    assert again.status_code == 200
    assert wait_for_embedding(client, dataset_id, "mine")


def test_a_repeated_batch_changes_nothing_and_another_one_is_refused(anonymous, dataset_id):
    rows = make_rows(NAMES, (1.0, 2.0), (3.0, 4.0), (5.0, 6.0))
    others = make_rows(NAMES, (1.0, 2.0), (3.0, 4.0), (5.0, 7.0))

    statuses = [
        post_rows(anonymous, dataset_id, "mine", batch, append=0).status_code
        for batch in (rows, rows, others)
    ]

    assert statuses == [200, 200, 409]


@pytest.mark.parametrize(
    ("rows", "append", "status"),
    [
        # a sample that the dataset does not have
        (make_rows(["none.jpg"], (1.0,)), 0, 400),
        # the same sample twice
        (make_rows(["a.jpg", "a.jpg"], (1.0,), (2.0,)), 0, 400),
        # vectors of different lengths
        (make_rows(["a.jpg", "d.jpg"], (1.0,), (2.0, 3.0)), 0, 400),
        # more rows of what was not begun
        (make_rows(["a.jpg"], (1.0,)), 1, 404),
        # no vector at all
        (make_rows(["a.jpg"], ()), 0, 400),
    ],
)
def test_rows_that_break_a_rule_are_refused(anonymous, dataset_id, rows, append, status):
    answer = post_rows(anonymous, dataset_id, "mine", rows, append=append)

    assert answer.status_code == status
    assert answer.json()["code"]


def test_a_container_may_always_run(anonymous):
    soft = anonymous.get("/users/docker/soft_authorization", params=WITH_TOKEN)
    body = {"timestamp": "1", "task_description": {"name": "x"}, **WITH_TOKEN}
    hard = anonymous.post("/users/docker/authorization", params=WITH_TOKEN, json=body)
    report = {"runId": "r", "action": "a", "data": {}, "timestamp": "1", **WITH_TOKEN}
    diagnostics = anonymous.post("/users/docker", json=report)

    assert [soft.json(), hard.json()] == [{"authorized": True}] * 2
    assert diagnostics.status_code == 200


def test_a_configuration_without_a_dataset_can_be_chosen_for_one(client, dataset_id):
    url = "/v1/configuration/metadata"
    made = client.post(url, json={"name": "people", "configs": [ENTRY]}).json()["id"]
    client.put(f"{url}/{made}", json={"name": "crowd", "configs": [ENTRY]})

    client.put(f"/v1/datasets/{dataset_id}/setMetaDataConfiguration", json={"id": made})

    chosen = client.get(f"/v1/datasets/{dataset_id}").json()["metaDataConfigurationId"]
    found = client.get(f"/v1/datasets/{dataset_id}/configuration/metadata/{chosen}").json()
    assert [one["name"] for one in client.get(url).json()] == ["crowd"]
    assert client.get(f"{url}/{made}").json()["name"] == found["name"] == "crowd"


def test_somebody_elses_configuration_is_not_there(server, client, dataset_id):
    url = "/v1/configuration/metadata"
    made = client.post(url, json={"name": "people", "configs": [ENTRY]}).json()["id"]
    other = ContractClient(server.add_user("other@example.com"))

    assert other.get(url).json() == []
    assert other.get(f"{url}/{made}").status_code == 404
    assert other.put(f"{url}/{made}", json={"name": "x", "configs": []}).status_code == 404


def test_two_slashes_at_the_beginning_are_one(anonymous, dataset_id):
    answer = anonymous.get(f"http://testserver//v1/datasets/{dataset_id}", params=WITH_TOKEN)

    assert answer.json()["id"] == dataset_id


def test_a_dataset_is_created_with_a_slash_at_the_end(client):
    assert client.post("/v1/datasets/", json={"name": "by 1-1-0"}).status_code == 201
