"""Embeddings as the contract wants them."""

from __future__ import annotations

import concurrent.futures
import time

import numpy as np
import pytest

from tests.conftest import DATABASES
from tests.support.contract import ContractClient
from tests.support.embedded_datasets import (
    EmbeddedDataset,
    make_embedded_dataset,
    run_shared_server,
    write_csv,
)
from tests.support.samples import make_dataset

METHODS = ["PCA", "TSNE", "UMAP"]
VECTORS = np.arange(24, dtype=np.float32).reshape(6, 4)


@pytest.fixture(scope="module", params=DATABASES)
def server(request, tmp_path_factory):
    with run_shared_server(request, tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def dataset(server):
    return make_embedded_dataset(server)


def get_error(response):
    return response.status_code, response.json()["code"]


def trigger(dataset, embedding_id, method="PCA"):
    path = f"{dataset.embedding_path(embedding_id)}/trigger2dEmbeddingsJob"
    return dataset.client.post(path, json={"dimensionalityReductionMethod": method})


def post_projection(dataset, embedding_id, first, second, name="mine", method="UMAP"):
    body = {
        "name": name,
        "dimensionalityReductionMethod": method,
        "coordinatesDimension1": first,
        "coordinatesDimension2": second,
    }
    return dataset.client.post(f"{dataset.embedding_path(embedding_id)}/2d", json=body)


def test_a_write_url_makes_an_embedding_that_is_not_processed(dataset):
    _, embedding_id = dataset.begin_upload("mine")

    [embedding] = dataset.list_embeddings()

    assert embedding["id"] == embedding_id
    assert (embedding["name"], embedding["isProcessed"]) == ("mine", False)
    assert (embedding["is2d"], abs(embedding["createdAt"] / 1000 - time.time()) < 60) == (
        False,
        True,
    )


def test_the_csv_reads_back_byte_for_byte(dataset):
    content = write_csv(dataset.names, VECTORS, end="\r\n").replace(b"4.0", b"4.000000")
    embedding_id = dataset.upload_csv(content)

    url = dataset.client.get(f"{dataset.embedding_path(embedding_id)}/readCSVUrl").json()

    assert dataset.client.get(url).content == content


def test_an_embedding_is_processed_and_projected_after_its_upload(dataset):
    dataset.upload(VECTORS)
    dataset.wait_for_jobs("EMBEDDINGS2D")

    [embedding] = dataset.list_embeddings()

    assert (embedding["isProcessed"], embedding["is2d"]) == (True, True)


@pytest.mark.parametrize(
    ("agent", "names"),
    [
        ("Swagger-Codegen/1.0.0/python", ["first", "second", "third"]),
        ("Lightly/1.3.3 (Linux) python/3.9", ["third", "second", "first"]),
        ("Lightly/1.5.26 (Linux) python/3.11", ["third", "second", "first"]),
        ("curl/8", ["third", "second", "first"]),
    ],
)
def test_old_clients_get_the_oldest_first_and_others_the_newest(dataset, agent, names):
    for name in ("first", "second", "third"):
        dataset.begin_upload(name)

    listed = dataset.list_embeddings(**{"User-Agent": agent})

    assert [embedding["name"] for embedding in listed] == names


def test_the_name_of_an_uploaded_embedding_is_taken(dataset):
    dataset.upload_csv(write_csv(dataset.names, VECTORS), "mine")

    response = dataset.client.get(f"{dataset.path}/embeddings/writeCSVUrl?name=mine")

    assert get_error(response) == (409, "EMBEDDING_NAME_EXISTS")


def test_a_name_whose_csv_never_arrived_is_given_out_again(dataset):
    _, first = dataset.begin_upload("mine")

    _, second = dataset.begin_upload("mine")

    assert (first == second, len(dataset.list_embeddings())) == (True, 1)


def test_a_name_whose_csv_was_refused_takes_a_corrected_one(dataset):
    embedding_id = dataset.upload_csv(b"no header\n", "mine")
    assert dataset.wait_for_jobs("EMBEDDING")[0]["status"] == "FAILED"

    again = dataset.upload_csv(write_csv(dataset.names, VECTORS), "mine")
    dataset.wait_for_jobs("EMBEDDING")

    assert again == embedding_id
    assert [embedding["isProcessed"] for embedding in dataset.list_embeddings()] == [True]


def test_the_same_url_takes_another_csv_which_is_read_anew(dataset):
    url, embedding_id = dataset.begin_upload()
    for vectors in (VECTORS, VECTORS[:, ::-1]):
        dataset.put(url, write_csv(dataset.names, vectors))
        dataset.wait_for_jobs("EMBEDDING")

    tag = dataset.select(embedding_id, nSamples=2)

    assert (len(dataset.list_jobs("EMBEDDING")), tag["totSize"]) == (2, 6)


def test_of_many_who_ask_for_one_name_at_once_all_get_the_same_embedding(dataset):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: dataset.begin_upload("race")[1], range(16)))

    assert (len(ids), len(dataset.list_embeddings())) == (1, 1)


def test_a_write_url_without_a_name_makes_default_ones(dataset):
    path = f"{dataset.path}/embeddings/writeCSVUrl"

    for _ in range(2):
        assert dataset.client.get(path).status_code == 200

    names = [embedding["name"] for embedding in dataset.list_embeddings()]
    assert names[1] == "default"
    assert names[0].startswith("default_")


@pytest.mark.parametrize("name", ["", "x" * 256, "a\nb", "\x00"])
def test_an_impossible_name_is_refused(dataset, name):
    response = dataset.client.get(f"{dataset.path}/embeddings/writeCSVUrl", params={"name": name})

    assert get_error(response) == (400, "MALFORMED_REQUEST")


def test_there_is_no_read_url_before_there_is_a_csv(dataset):
    _, embedding_id = dataset.begin_upload()

    response = dataset.client.get(f"{dataset.embedding_path(embedding_id)}/readCSVUrl")

    assert get_error(response) == (400, "EMBEDDING_NOT_READY")


def test_projections_can_be_asked_for_right_after_the_upload_and_again(dataset):
    embedding_id = dataset.upload_csv(write_csv(dataset.names, VECTORS))

    statuses = [trigger(dataset, embedding_id, method).status_code for method in METHODS * 2]

    assert set(statuses) == {204}
    ended = dataset.wait_for_jobs("EMBEDDINGS2D")
    assert [job["status"] for job in ended] == ["FINISHED"] * 3
    listed = dataset.client.get(f"{dataset.embedding_path(embedding_id)}/2d").json()
    assert sorted(item["dimensionalityReductionMethod"] for item in listed) == METHODS


def test_no_projection_can_be_asked_for_before_there_is_a_csv(dataset):
    _, embedding_id = dataset.begin_upload()

    assert get_error(trigger(dataset, embedding_id)) == (400, "EMBEDDING_NOT_READY")


def test_a_refused_csv_says_why_when_a_projection_is_asked_for(dataset):
    embedding_id = dataset.upload_csv(write_csv(dataset.names[:-1], VECTORS[:-1]))
    dataset.wait_for_jobs("EMBEDDING")

    response = trigger(dataset, embedding_id)

    assert get_error(response) == (400, "EMBEDDING_INVALID")
    assert "no row for 1 of the 6 samples" in response.json()["error"]


def test_projections_that_waited_for_a_refused_csv_fail_with_its_reason(dataset):
    _, embedding_id = dataset.begin_upload()
    # Behind the server's back, as in an object store that tells nobody.
    key = f"datasets/{dataset.id}/embeddings/{embedding_id}/embeddings.csv"
    dataset.client.app.state.platform.blobs.put(key, [b"no header\n"])

    assert trigger(dataset, embedding_id, "UMAP").status_code == 204

    [job] = dataset.wait_for_jobs("EMBEDDINGS2D")
    assert (job["status"], "first column" in job["error"]) == ("FAILED", True)


def test_coordinates_are_in_sample_order_under_the_default_name(dataset):
    vectors = np.array([[0, 0], [5, 0], [1, 0], [4, 0], [2, 0], [3, 0]], dtype=np.float32)
    embedding_id = dataset.upload(vectors, "mine")
    dataset.wait_for_jobs("EMBEDDINGS2D")

    [projection] = dataset.client.get(f"{dataset.embedding_path(embedding_id)}/2d").json()

    assert (projection["name"], projection["datasetId"]) == ("mine__2d", dataset.id)
    assert projection["coordinatesDimension1"] == [-2.5, 2.5, -1.5, 1.5, -0.5, 0.5]
    assert projection["coordinatesDimension2"] == [0.0] * 6


def test_a_projection_is_read_in_full_or_as_a_summary(dataset):
    _, embedding_id = dataset.begin_upload()
    made = post_projection(dataset, embedding_id, [1, 2, 3, 4, 5, 6], [0.5] * 6)
    path = f"{dataset.embedding_path(embedding_id)}/2d"
    projection_id = made.json()["id"]

    full = dataset.client.get(f"{path}/{projection_id}").json()
    summary = dataset.client.get(f"{path}/{projection_id}?mode=summaries").json()

    assert (full["coordinatesDimension1"][-1], full["coordinatesDimension2"][0]) == (6.0, 0.5)
    assert summary == {key: full[key] for key in full if not key.startswith("coordinates")}
    assert dataset.client.get(path, params={"mode": "summaries"}).json() == [summary]
    assert dataset.client.get(path, params={"mode": "full"}).json() == [full]


def test_the_same_projection_twice_is_one(dataset):
    _, embedding_id = dataset.begin_upload()
    first = post_projection(dataset, embedding_id, [0.0] * 6, [0.0] * 6)

    second = post_projection(dataset, embedding_id, [1.0] * 6, [2.0] * 6)

    assert (first.status_code, first.json()) == (201, second.json())
    [stored] = dataset.client.get(f"{dataset.embedding_path(embedding_id)}/2d").json()
    assert stored["coordinatesDimension1"] == [1.0] * 6


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        # one list is shorter
        ([0.0] * 6, [0.0] * 5, "MALFORMED_REQUEST"),
        # not one point per sample
        ([0.0] * 5, [0.0] * 5, "EMBEDDING_ROW_COUNT_INVALID"),
        # no points
        ([], [], "MALFORMED_REQUEST"),
        # beyond 32-bit numbers
        ([1e39] * 6, [0.0] * 6, "BAD_REQUEST"),
        # no number
        (["1"] * 6, [0.0] * 6, "MALFORMED_REQUEST"),
    ],
)
def test_coordinates_must_be_one_finite_point_per_sample(dataset, first, second, code):
    _, embedding_id = dataset.begin_upload()

    response = post_projection(dataset, embedding_id, first, second)

    assert get_error(response) == (400, code)


def test_a_client_may_say_that_the_csv_is_complete(dataset):
    embedding_id = dataset.upload_csv(write_csv(dataset.names, VECTORS))
    path = f"{dataset.embedding_path(embedding_id)}/isProcessed"

    assert dataset.client.put(path, json={"rowCount": 6}).status_code == 204

    dataset.wait_for_jobs("EMBEDDING")
    assert dataset.client.put(path, json={"rowCount": 6}).status_code == 204
    response = dataset.client.put(path, json={"rowCount": 5})
    assert get_error(response) == (400, "EMBEDDING_ROW_COUNT_INVALID")


def test_the_word_of_a_client_does_not_replace_the_csv(dataset):
    _, embedding_id = dataset.begin_upload()

    response = dataset.client.put(
        f"{dataset.embedding_path(embedding_id)}/isProcessed", json={"rowCount": 6}
    )

    assert get_error(response) == (400, "EMBEDDING_NOT_READY")
    assert dataset.list_embeddings()[0]["isProcessed"] is False


def test_a_deleted_embedding_is_gone_with_its_csv(dataset):
    embedding_id = dataset.upload(VECTORS)
    path = dataset.embedding_path(embedding_id)
    url = dataset.client.get(f"{path}/readCSVUrl").json()

    assert dataset.client.delete(path).status_code == 204

    assert dataset.list_embeddings() == []
    assert dataset.client.get(url).status_code == 404
    assert get_error(dataset.client.delete(path)) == (404, "EMBEDDING_UNKNOWN")


def test_a_sample_names_the_embeddings_that_have_a_vector_for_it(dataset):
    ready = dataset.upload(VECTORS, "ready")
    dataset.begin_upload("waiting")
    sample_id = dataset.client.get(f"{dataset.path}/mappings?field=_id").json()[0]

    response = dataset.client.get(f"/users/datasets/{dataset.id}/samples/{sample_id}/embeddings")

    assert response.json() == [{"id": ready, "dataset": dataset.id, "name": "ready"}]


def list_operations(dataset, embedding_id):
    path = dataset.embedding_path(embedding_id)
    method = {"dimensionalityReductionMethod": "PCA"}
    points = {"name": "x", "coordinatesDimension1": [0.0], "coordinatesDimension2": [0.0], **method}
    sampling = {"newTagName": "abc", "method": "RANDOM", "config": {}}
    return [
        ("GET", f"{path}/readCSVUrl", None),
        ("PUT", f"{path}/isProcessed", {"rowCount": 6}),
        ("POST", f"{path}/trigger2dEmbeddingsJob", method),
        ("GET", f"{path}/2d", None),
        ("POST", f"{path}/2d", points),
        ("GET", f"{path}/2d/{embedding_id}", None),
        ("POST", f"{path}/sampling", sampling),
        ("DELETE", path, None),
    ]


def test_another_user_sees_none_of_it(server, dataset):
    embedding_id = dataset.upload_csv(write_csv(dataset.names, VECTORS))
    other = ContractClient(server.add_user(f"{dataset.id}@example.com"))
    operations = [
        *list_operations(dataset, embedding_id),
        ("GET", f"{dataset.path}/embeddings", None),
        ("GET", f"{dataset.path}/embeddings/writeCSVUrl?name=mine", None),
    ]

    errors = {get_error(other.request(method, url, json=body)) for method, url, body in operations}

    assert errors == {(404, "DATASET_UNKNOWN")}


def test_an_embedding_of_another_dataset_is_unknown(server, dataset):
    elsewhere = make_embedded_dataset(server)
    embedding_id = elsewhere.upload_csv(write_csv(elsewhere.names, VECTORS))

    errors = {
        get_error(dataset.client.request(method, url, json=body))
        for method, url, body in list_operations(dataset, embedding_id)
    }

    assert errors == {(404, "EMBEDDING_UNKNOWN")}


def test_a_projection_of_another_embedding_is_unknown(dataset):
    _, first = dataset.begin_upload("first")
    _, second = dataset.begin_upload("second")
    projection_id = post_projection(dataset, first, [0.0] * 6, [0.0] * 6).json()["id"]

    response = dataset.client.get(f"{dataset.embedding_path(second)}/2d/{projection_id}")

    assert get_error(response) == (404, "EMBEDDING_2D_UNKNOWN")


def test_a_dataset_without_samples_has_nothing_to_embed(server):
    empty = make_dataset(server, f"empty {time.time_ns()}")

    def put(url, content):
        return server.client.put(url, content=content).status_code

    dataset = EmbeddedDataset(empty.client, empty.id, [], "", put)

    dataset.upload_csv(b"filenames,embedding_0,labels\n")

    [job] = dataset.wait_for_jobs("EMBEDDING")
    assert (job["status"], "no samples" in job["error"]) == ("FAILED", True)
