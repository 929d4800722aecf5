"""Clients that do the same at once, repeat themselves, or lose their dataset in the middle."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, replace

import pytest
import requests

from lightly.api.errors import ApiException, IncompleteDownloadWarning
from lightly.server.datasets.purge import purge_deleted_datasets
from lightly.server.maintenance import Maintenance
from tests.conftest import DATABASES
from tests.support.contents import read_contents
from tests.support.fault_checks import (
    RemoteDataset,
    await_condition,
    call,
    check_log,
    find_dataset,
)
from tests.support.fault_kills import choose_seed, run_killable_server
from tests.support.fault_racers import Request, race, race_between
from tests.support.pictures import draw_folder
from tests.support.platforms import run_in_process
from tests.support.postgres import lend_databases
from tests.support.samples import make_dataset
from tests.support.sdk import BridgeAdapter, make_client, read_body

pytestmark = pytest.mark.xdist_group("fault-races")
ROUNDS = 12
FAR_FUTURE_MS = 10**15


@pytest.fixture(scope="module", params=DATABASES)
def process(request, tmp_path_factory):
    """A server process, once on SQLite and once on PostgreSQL."""
    folder = tmp_path_factory.mktemp("server") / "data"
    with (
        lend_databases(request) as make_url,
        run_killable_server(folder, make_url(request.param)) as running,
    ):
        yield running


@pytest.fixture
def dataset(process):
    name = f"dataset {random.SystemRandom().randrange(10**9)}"
    answer = call(process, "POST", "/v1/datasets", json={"name": name})
    return RemoteDataset(process, answer.json()["id"])


@pytest.fixture
def tagged(dataset):
    register(dataset, ["a.jpg", "b.jpg"])
    path = f"/v1/datasets/{dataset.id}/tags/initial"
    assert call(dataset.server, "POST", path, json={"imgType": "meta"}).status_code == 201
    return dataset


def register(dataset, names):
    path = f"/ext/v1/datasets/{dataset.id}/samples/bulk"
    body = {"samples": [{"fileName": name} for name in names]}
    answer = call(dataset.server, "POST", path, json=body)
    assert answer.status_code == 201
    return answer.json()["ids"]


def check_one_winner(outcomes, code):
    for of_round in outcomes:
        assert sorted(outcome.status for outcome in of_round) == [201, 409]
        assert [outcome.code for outcome in of_round if outcome.status == 409] == [code]


def test_one_of_two_makes_a_dataset(process):
    names = [f"same name {number}" for number in range(ROUNDS)]

    outcomes = race(process, [Request("POST", "/v1/datasets", {"name": name}) for name in names])

    check_one_winner(outcomes, "DATASET_NAME_EXISTS")
    winners = [one.content["id"] for of_round in outcomes for one in of_round if one.status == 201]
    assert [find_dataset(process, name).id for name in names] == winners
    check_log(process)


def test_one_of_two_makes_a_tag(tagged):
    (initial,) = tagged.get("/tags")
    path = f"/v1/datasets/{tagged.id}/tags"
    fields = {"prevTagId": initial["id"], "bitMaskData": "0x1", "totSize": 2}
    rounds = [Request("POST", path, fields | {"name": f"tag {n}"}) for n in range(ROUNDS)]

    outcomes = race(tagged.server, rounds)

    check_one_winner(outcomes, "TAG_NAME_EXISTS")
    made = Counter(tag["name"] for tag in tagged.get("/tags"))
    assert made == {"initial-tag": 1} | {f"tag {number}": 1 for number in range(ROUNDS)}
    check_log(tagged.server)


def test_one_of_two_makes_the_initial_tag(process, dataset):
    others = [
        call(process, "POST", "/v1/datasets", json={"name": f"first tag {number}"}).json()["id"]
        for number in range(ROUNDS)
    ]
    for dataset_id in others:
        register(RemoteDataset(process, dataset_id), ["a.jpg"])
    body = {"imgType": "meta"}

    outcomes = race(
        process,
        [Request("POST", f"/v1/datasets/{dataset_id}/tags/initial", body) for dataset_id in others],
    )

    check_one_winner(outcomes, "TAG_INITIAL_EXISTS")
    assert all(len(RemoteDataset(process, dataset_id).get("/tags")) == 1 for dataset_id in others)


def test_one_of_two_upsizes_the_tags(tagged):
    path = f"/v1/datasets/{tagged.id}/tags/upsize"
    register(tagged, ["c.jpg", "d.jpg"])
    body = {"upsizeTagName": "more", "upsizeTagCreator": "USER_PIP"}

    outcomes = race(tagged.server, [Request("POST", path, body)])

    check_one_winner(outcomes, "TAG_NAME_EXISTS")
    masks = {tag["name"]: (tag["bitMaskData"], tag["totSize"]) for tag in tagged.get("/tags")}
    assert masks == {"initial-tag": ("0xf", 4), "more": ("0xc", 4)}


def test_two_who_ask_for_one_embedding_share_it_until_its_csv_is_there(tagged):
    path = f"/v1/datasets/{tagged.id}/embeddings/writeCSVUrl"
    rounds = [Request("GET", f"{path}?name=embedding{number}") for number in range(ROUNDS)]

    outcomes = race(tagged.server, rounds)

    assert {outcome.status for of_round in outcomes for outcome in of_round} == {200}
    ids = [{outcome.content["embeddingId"] for outcome in of_round} for of_round in outcomes]
    assert all(len(of_round) == 1 for of_round in ids)
    assert len(tagged.get("/embeddings")) == ROUNDS
    contents = [
        f"filenames,embedding_0,labels\na.jpg,{first},0\nb.jpg,{first + 1},0\n".encode()
        for first in (0, 10)
    ]
    for outcome, content in zip(outcomes[0], contents, strict=True):
        url = outcome.content["signedWriteUrl"]
        assert requests.put(url, data=content, timeout=60).status_code == 200
    read_url = tagged.get(f"/embeddings/{ids[0].pop()}/readCSVUrl")
    assert requests.get(read_url, timeout=60).content == contents[1]
    refused = race(tagged.server, rounds[:1])
    assert [outcome.status for outcome in refused[0]] == [409, 409]
    assert [outcome.code for outcome in refused[0]] == ["EMBEDDING_NAME_EXISTS"] * 2


def test_overlapping_batches_of_several_clients_make_each_sample_once(dataset):
    path = f"/ext/v1/datasets/{dataset.id}/samples/bulk"
    generator = random.Random(choose_seed())
    everything = [f"{number:04d}.jpg" for number in range(300)]
    batches = [[generator.sample(everything, 100) for _ in range(6)] for _ in range(3)]
    scripts = [
        [Request("POST", path, {"samples": [{"fileName": n} for n in batch]}) for batch in mine]
        for mine in batches
    ]

    outcomes = race_between(dataset.server, scripts)

    ids = {}
    for number, of_round in enumerate(outcomes):
        for client, outcome in enumerate(of_round):
            assert outcome.status == 201
            for name, sample_id in zip(
                batches[client][number], outcome.content["ids"], strict=True
            ):
                assert ids.setdefault(name, sample_id) == sample_id
    listed = dict(zip(dataset.list_names(), dataset.get("/mappings", field="_id"), strict=True))
    assert listed == ids
    assert dataset.get("")["nSamples"] == len(ids)
    check_log(dataset.server)


def test_one_sample_of_several_clients_gets_one_id(dataset):
    path = f"/v1/datasets/{dataset.id}/samples"
    rounds = [Request("POST", path, {"fileName": f"{number}.jpg"}) for number in range(ROUNDS)]

    outcomes = race(dataset.server, rounds, n_clients=3)

    assert {outcome.status for of_round in outcomes for outcome in of_round} == {201}
    ids = [{outcome.content["id"] for outcome in of_round} for of_round in outcomes]
    assert [set(one) for one in ids] == [{i} for i in dataset.get("/mappings", field="_id")]


class Network(BridgeAdapter):
    """A network that keeps what it has delivered, and what was answered."""

    def __init__(self, client, hook=None):
        super().__init__(client, hook)
        self.delivered = []

    def forward(self, request):
        # With its bytes, since a file can be read once.
        request = request.copy()
        request.body = read_body(request)
        answer = super().forward(request)
        self.delivered.append((request, answer))
        return answer

    def list_statuses(self):
        return {answer.status_code for _, answer in self.delivered}


def list_stored(server):
    """Return everything that is stored, but for what changes by itself."""
    contents = read_contents(server.platform)
    # Changes are counted, also those that write what was there already.
    moving = {"jobs", "job_executors", "embeddings", "embeddings_2d", "sample_changes"}
    return {
        name: [drop_times(row) for row in rows]
        for name, rows in contents.items()
        if name not in moving and name != "blobs"
    } | {"blobs": [(key, info.size_bytes) for key, info in contents["blobs"]]}


def drop_times(row):
    # Milliseconds since the epoch: a repetition may touch when something was changed last.
    return tuple(value for value in row if not (isinstance(value, int) and value > 10**12))


def run_flow(server, folder, network):
    """Carry out the main job up to its second tag; return the client."""
    client = make_client(network)
    client.create_dataset("delivered twice")
    client.upload_dataset(str(folder), mode="full", max_workers=1)
    client.create_tag_from_filenames(client.get_filenames()[:3], "chosen")
    client.upload_scores({"uncertainty": [0.5] * len(client.get_filenames())})
    return client


def test_requests_that_arrive_again_and_in_another_order_change_nothing(server, tmp_path):
    draw_folder(tmp_path, 12)
    network = Network(server.client)
    client = run_flow(server, tmp_path, network)
    before = list_stored(server)
    writes = [pair for pair in network.delivered if pair[0].method in {"POST", "PUT"}]
    assert len(writes) > 10
    random.Random(choose_seed()).shuffle(writes)

    for request, first in writes:
        again = network.forward(request)

        assert again.status_code in {first.status_code, 409}, request.path_url
        if again.status_code == first.status_code == 201:
            assert again.json() == first.json()

    assert list_stored(server) == before
    assert len(client.get_datasets()) == 1


def test_a_client_whose_first_answers_are_all_lost_gets_the_same_result(server, tmp_path):
    names = draw_folder(tmp_path, 12)
    lost = set()

    def lose_first_answer(request):
        place = (request.method, request.url)
        if place not in lost:
            lost.add(place)
            network.forward(request)
            raise requests.ConnectionError("the answer got lost")

    network = Network(server.client, lose_first_answer)
    client = run_flow(server, tmp_path, network)

    assert sorted(client.get_filenames()) == names
    assert len(client.get_datasets()) == 1
    tags = {tag.name: tag.bit_mask_data for tag in client.get_all_tags()}
    assert tags == {"initial-tag": "0xfff", "chosen": "0x7"}
    assert len(list_stored(server)["tag_scores"]) == 1
    assert len(list_stored(server)["blobs"]) == 2 * len(names)
    assert network.list_statuses() <= {200, 201, 204, 409}


def test_an_embedding_that_arrives_twice_is_one_embedding(server):
    dataset = make_dataset(server)
    dataset.add_many(["a.jpg", "b.jpg"])
    url = f"{dataset.path}/embeddings/writeCSVUrl?name=default"
    answers = [dataset.client.get(url).json() for _ in range(2)]
    content = b"filenames,embedding_0,embedding_1,labels\na.jpg,1,2,0\nb.jpg,3,4,0\n"

    for answer in answers * 2:
        assert dataset.client.put(answer["signedWriteUrl"], content=content).status_code == 200

    def list_embeddings():
        return dataset.client.get(f"{dataset.path}/embeddings").json()

    await_condition(lambda: list_embeddings()[0]["isProcessed"] and list_embeddings()[0]["is2d"])
    (embedding,) = list_embeddings()
    projections = f"{dataset.path}/embeddings/{embedding['id']}/2d?mode=summaries"
    assert {answer["embeddingId"] for answer in answers} == {embedding["id"]}
    assert len(dataset.client.get(projections).json()) == 1
    await_condition(lambda: all_jobs_are_final(server))
    key_prefix = f"datasets/{dataset.id}/embeddings/{embedding['id']}/"
    keys = list(server.platform.blobs.list_keys(key_prefix))
    assert len([key for key in keys if key.endswith(".npy")]) == 1


def all_jobs_are_final(server):
    jobs = server.client.get("/v1/jobs").json()
    return all(job["status"] in {"FINISHED", "FAILED"} for job in jobs)


def purge(server):
    platform = server.platform
    return purge_deleted_datasets(platform.database, platform.blobs, FAR_FUTURE_MS)


def check_nothing_is_left(server):
    contents = read_contents(server.platform)
    owned = {"users", "tokens", "alembic_version"}
    assert {name: rows for name, rows in contents.items() if rows and name not in owned} == {}


@pytest.mark.parametrize(
    "place", ["registerDatasetUpload", "samples/bulk", "samples/writeUrls", "/blobs/", "/tags"]
)
def test_a_dataset_that_is_deleted_during_an_upload_is_missed_cleanly(server, tmp_path, place):
    draw_folder(tmp_path, 12)
    visits = []

    def delete_at_place(request):
        if place in request.url:
            visits.append(request.url)
            if len(visits) == 1:
                assert server.client.delete(f"/v1/datasets/{client.dataset_id}").status_code == 204

    network = Network(server.client, delete_at_place)
    client = make_client(network)
    client.create_dataset("deleted")

    with pytest.raises(ApiException) as caught:
        client.upload_dataset(str(tmp_path), mode="full", max_workers=1)

    assert (caught.value.status, caught.value.code) == (404, "DATASET_UNKNOWN")
    assert max(network.list_statuses()) < 500
    assert purge(server) == 1
    check_nothing_is_left(server)


@dataclass(frozen=True)
class LaterClock:
    """Tells the time as it will be."""

    later_s: float

    def now_ms(self):
        return int(1000 * (time.time() + self.later_s))


def test_a_file_that_arrives_after_the_deletion_is_purged_too(tmp_path):
    with run_in_process(tmp_path, deleted_dataset_ttl_s=0, signed_url_ttl_s=3600) as server:
        dataset = make_dataset(server)
        sample_id = dataset.add("a.png")
        url = dataset.client.get(f"{dataset.path}/samples/{sample_id}/writeurls").json()["full"]
        server.client.delete(dataset.path)
        platform = server.platform

        Maintenance(replace(platform, clock=LaterClock(3500))).tidy_up()
        assert server.client.put(url, content=b"\x89PNG\r\n\x1a\n").status_code == 200
        Maintenance(replace(platform, clock=LaterClock(4000))).tidy_up()

        check_nothing_is_left(server)


def test_a_dataset_that_is_deleted_during_a_download_is_missed_cleanly(server, tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    draw_folder(source, 12)
    visits = []

    def delete_in_the_middle(request):
        if "/readurl" in request.url:
            visits.append(request.url)
            if len(visits) == 5:
                assert server.client.delete(f"/v1/datasets/{client.dataset_id}").status_code == 204

    network = Network(server.client, delete_in_the_middle)
    client = make_client(network)
    client.create_dataset("deleted")
    client.upload_dataset(str(source), mode="full", max_workers=1)

    with pytest.warns(IncompleteDownloadWarning, match="8 of 12"):
        client.download_dataset(str(target), max_workers=1)

    found = [path.relative_to(target) for path in target.rglob("*") if path.is_file()]
    assert len(found) == 4
    assert all((target / name).read_bytes() == (source / name).read_bytes() for name in found)
    assert max(network.list_statuses()) < 500
    assert purge(server) == 1
    check_nothing_is_left(server)
