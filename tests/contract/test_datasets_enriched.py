"""Datasets with a look inside."""

from __future__ import annotations

import pytest

from lightly.server.datasets import enriched
from lightly.server.datasets.enriched import MAX_SAMPLE_IDS
from tests.support.contents import record_statements
from tests.support.tagged_datasets import (
    DATABASES,
    TaggedDataset,
    add_dataset,
    add_stranger,
    run_for_module,
)

ROOT = "/v1/datasets/enriched"


@pytest.fixture(scope="module", params=DATABASES)
def server(request, tmp_path_factory):
    with run_for_module(request, tmp_path_factory) as running:
        yield running


@pytest.fixture
def dataset(server) -> TaggedDataset:
    """Three samples, two tags and an embedding that is not read yet."""
    made = add_dataset(server)
    made.add_samples([f"{number}.jpg" for number in range(3)])
    made.add_tag("first", "0x1", made.add_initial_tag(), 3)
    made.client.get(f"{made.url}/embeddings/writeCSVUrl?name=default")
    return made


def query_ids(dataset: TaggedDataset, *ids: str):
    return dataset.client.get(f"{ROOT}/query/ids", params={"datasetIds": ids}).json()


def test_an_enriched_dataset_is_the_dataset_with_what_is_in_it(dataset):
    plain = dataset.client.get(dataset.url).json()
    ids = dataset.client.get(f"{dataset.url}/mappings?field=_id").json()

    (found,) = query_ids(dataset, dataset.id)

    assert found == plain | {"samples": ids, "nTags": 2, "nEmbeddings": 1}


def test_an_empty_dataset_has_nothing_in_it(server):
    (found,) = query_ids(empty := add_dataset(server), empty.id)

    assert (found["samples"], found["nTags"], found["nEmbeddings"]) == ([], 0, 0)


def test_only_the_first_samples_come_with_a_dataset(server):
    big = add_dataset(server)
    ids = big.add_samples([f"{number}.jpg" for number in range(MAX_SAMPLE_IDS + 1)])

    (found,) = query_ids(big, big.id)

    assert found["samples"] == ids[:MAX_SAMPLE_IDS]
    assert found["nSamples"] == MAX_SAMPLE_IDS + 1


def test_datasets_come_in_the_order_of_the_ids_and_unknown_ones_are_left_out(server, dataset):
    other = add_dataset(server)

    found = query_ids(dataset, other.id, "0" * 24, "no id", dataset.id, other.id)

    assert [entry["id"] for entry in found] == [other.id, dataset.id]


def test_more_ids_than_one_query_takes_are_found(server, dataset, monkeypatch):
    monkeypatch.setattr(enriched, "DATASETS_PER_PIECE", 1)
    other = add_dataset(server)

    found = query_ids(dataset, dataset.id, other.id)

    assert [(entry["id"], entry["nTags"]) for entry in found] == [(dataset.id, 2), (other.id, 0)]


def test_names_are_found_by_their_begin_or_exactly(server):
    client = add_stranger(server)
    for name in ("birds", "birds 2", "Birds 3"):
        client.post("/v1/datasets", json={"name": name})

    def find(**query: object) -> list[str]:
        answer = client.get(f"{ROOT}/query/name/birds", params=query).json()
        return [entry["name"] for entry in answer]

    assert find() == ["birds", "birds 2"]
    assert find(exact="True") == ["birds"]
    assert find(pageSize=1, pageOffset=1) == ["birds 2"]
    assert find(shared=True) == []


def test_a_list_has_the_page_that_was_asked_for(server):
    client = add_stranger(server)
    names = [f"set {number}" for number in range(4)]
    for name in names:
        client.post("/v1/datasets", json={"name": name})

    def find(**query: object) -> list[str]:
        return [entry["name"] for entry in client.get(ROOT, params=query).json()]

    assert find() == names
    assert find(pageSize=2, pageOffset=1) == names[1:3]
    assert find(limit=3) == names[:3]
    assert find(limit=-1) == []
    assert find(getAssetsOfTeam=True) == find(shared=True) == []


def test_datasets_of_somebody_else_are_left_out(server, dataset):
    stranger = add_stranger(server)

    answer = stranger.get(f"{ROOT}/query/ids", params={"datasetIds": dataset.id})

    assert answer.json() == stranger.get(ROOT).json() == []


def test_more_datasets_take_no_more_queries(server):
    client = add_stranger(server)
    counts = []
    for number in range(3):
        client.post("/v1/datasets", json={"name": f"set {number}"})
        with record_statements(server.platform) as statements:
            assert len(client.get(ROOT).json()) == number + 1
        counts.append(len(statements))

    assert len(set(counts)) == 1


def test_the_clock_of_the_datasource_is_left_out(dataset):
    url = f"{dataset.url}/datasource/processedUntilTimestamp"
    moment = {"processedUntilTimestamp": 1_700_000_000}
    assert dataset.client.put(url, json=moment).status_code == 204

    (found,) = query_ids(dataset, dataset.id)

    assert (
        dataset.client.get(dataset.url).json()["datasourceProcessedUntilTimestamp"] == 1_700_000_000
    )
    assert "datasourceProcessedUntilTimestamp" not in found
