"""Lists of predictions cost what is in them: T36 of the threat list."""

from __future__ import annotations

import pytest

from lightly.server.predictions import listing
from tests.support.contents import record_statements
from tests.support.predictions import make_prediction, make_schema
from tests.support.tagged_datasets import DATABASES, TaggedDataset, add_dataset, run_for_module

TASK = "masks"
TYPE = "SEMANTIC_SEGMENTATION"
N_SAMPLES = 40


@pytest.fixture(scope="module", params=DATABASES)
def server(request, tmp_path_factory):
    with run_for_module(request, tmp_path_factory) as running:
        yield running


@pytest.fixture
def dataset(server) -> TaggedDataset:
    """Samples of which every fourth has none and the others one to three predictions."""
    made = add_dataset(server)
    names = [f"{number}.jpg" for number in range(N_SAMPLES)]
    made.add_samples(names)
    made.created(made.client.post(f"{made.url}/predictions/tasks", json=make_schema(TASK, TYPE)))
    items = [
        {"fileName": name, "predictions": make_predictions(number)}
        for number, name in enumerate(names)
    ]
    put = made.client.put(f"/ext{made.url}/predictions/samples", json={"items": items})
    assert put.status_code == 204, put.text
    return made


def make_predictions(number: int) -> list[dict[str, object]]:
    return [
        make_prediction(TASK, TYPE, segmentation=[number, count]) for count in range(number % 4)
    ]


EXPECTED = [make_predictions(number) for number in range(N_SAMPLES)]


def get(dataset: TaggedDataset, **query: object):
    return dataset.client.get(f"{dataset.url}/predictions/samples", params=query).json()


@pytest.mark.parametrize("piece_bytes", [1, 300, 10**6])
@pytest.mark.parametrize("block_samples", [1, 7, 10**4])
def test_pieces_of_any_size_make_up_the_list(dataset, monkeypatch, piece_bytes, block_samples):
    monkeypatch.setattr(listing, "BYTES_PER_PIECE", piece_bytes)
    monkeypatch.setattr(listing, "SAMPLES_PER_BLOCK", block_samples)

    assert get(dataset) == EXPECTED
    assert get(dataset, pageSize=9, pageOffset=5) == EXPECTED[5:14]
    assert get(dataset, pageOffset=N_SAMPLES - 3) == EXPECTED[-3:]


def test_a_list_costs_a_query_for_sizes_and_one_for_each_piece(dataset):
    with record_statements(dataset.server.platform) as whole:
        get(dataset)
    with record_statements(dataset.server.platform) as page:
        get(dataset, pageSize=2, pageOffset=N_SAMPLES - 2)

    # The dataset, its tasks, the sizes, the predictions.
    assert len(whole) == len(page) == 4


def test_pieces_end_where_their_bytes_do(dataset, monkeypatch):
    monkeypatch.setattr(listing, "BYTES_PER_PIECE", 1)

    with record_statements(dataset.server.platform) as statements:
        get(dataset)

    with_predictions = sum(1 for predictions in EXPECTED if predictions)
    assert len(statements) == 3 + with_predictions


def test_lists_without_run_lengths_do_not_read_them(dataset):
    with record_statements(dataset.server.platform) as statements:
        lean = get(dataset, lean=True)

    assert lean[3] == [one | {"segmentation": []} for one in EXPECTED[3]]
    assert not any("segmentations" in statement for statement in statements)


def test_many_samples_are_written_with_as_many_statements_as_few(dataset):
    counts = []
    for n_items in (2, N_SAMPLES):
        items = [
            {"fileName": f"{number}.jpg", "predictions": make_predictions(number)}
            for number in range(n_items)
        ]
        with record_statements(dataset.server.platform) as statements:
            dataset.client.put(f"/ext{dataset.url}/predictions/samples", json={"items": items})
        counts.append(len(statements))

    assert counts[0] == counts[1]


def test_predictions_go_when_their_dataset_is_purged(dataset):
    from lightly.server.datasets.purge import purge_deleted_datasets
    from tests.support.contents import read_contents

    url = f"{dataset.url}/predictions/scores?taskName={TASK}"
    scores = {"scoreType": "margin", "scores": [0] * N_SAMPLES}
    dataset.created(dataset.client.post(url, json=scores))
    platform = dataset.server.platform
    for listed in dataset.client.get("/v1/datasets").json():
        dataset.client.delete(f"/v1/datasets/{listed['id']}")

    purge_deleted_datasets(platform.database, platform.blobs, platform.clock.now_ms() + 1000)

    contents = read_contents(platform)
    for table in ("prediction_tasks", "sample_predictions", "prediction_scores"):
        assert contents[table] == []
