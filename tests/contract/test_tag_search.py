"""Samples are found by words for what they show."""

from __future__ import annotations

import numpy as np
import pytest

from lightly.data.made_tasks import AUTO_TAGS_TASK
from lightly.embedding.concepts import load_vocabulary
from lightly.server.predictions import tag_blocks, tag_search
from tests.support.sdk import make_client_of
from tests.support.tagged_datasets import (
    DATABASES,
    TaggedDataset,
    add_dataset,
    add_stranger,
    run_for_module,
)

NAMES = load_vocabulary().class_names
DOGS = {"beagle": 0.5, "basset": 0.25}
N_SAMPLES = 40


@pytest.fixture(scope="module", params=DATABASES)
def server(request, tmp_path_factory):
    with run_for_module(request, tmp_path_factory) as running:
        yield running


@pytest.fixture
def dataset(server, monkeypatch) -> TaggedDataset:
    """Samples in blocks of 8, of which every fifth shows a dog and every seventh an ambulance."""
    monkeypatch.setattr(tag_blocks, "SAMPLES_PER_BLOCK", 8)
    made = add_dataset(server)
    made.add_samples([f"{number}.jpg" for number in range(N_SAMPLES)])
    categories = [{"id": number, "name": name} for number, name in enumerate(NAMES)]
    schema = {"name": AUTO_TAGS_TASK, "type": "CLASSIFICATION", "categories": categories}
    made.created(made.client.post(f"{made.url}/predictions/tasks", json=schema))
    store(made, dict.fromkeys(range(0, N_SAMPLES, 5), DOGS))
    store(made, {number: {"ambulance": 0.9, "daisy": 0.1} for number in range(1, N_SAMPLES, 7)})
    return made


def store(dataset: TaggedDataset, tags: dict[int, dict[str, float]]) -> None:
    items = [
        {
            "fileName": f"{number}.jpg",
            "predictions": [
                {
                    "type": "CLASSIFICATION",
                    "taskName": AUTO_TAGS_TASK,
                    "categoryId": NAMES.index(name),
                    "score": score,
                }
                for name, score in of_sample.items()
            ],
        }
        for number, of_sample in tags.items()
    ]
    put = dataset.client.put(f"/ext{dataset.url}/predictions/samples", json={"items": items})
    assert put.status_code == 204, put.text


def search(dataset: TaggedDataset, word: str, **query: object):
    url = f"/ext{dataset.url}/predictions/tagSearch"
    answer = dataset.client.get(url, params={"word": word, **query})
    assert answer.status_code == 200, answer.text
    return answer.json()


def list_indices(answer) -> list[int]:
    return [match[0] for match in answer["matches"]]


def list_expected(step: int, first: int = 0) -> list[int]:
    """Later tags have replaced earlier ones of the same sample."""
    ambulances = set(range(1, N_SAMPLES, 7))
    return [n for n in range(first, N_SAMPLES, step) if first == 1 or n not in ambulances]


def test_a_word_finds_all_kinds_of_what_it_names_with_their_scores(dataset):
    answer = search(dataset, "Dogs")

    assert (answer["word"], answer["nClasses"], answer["next"]) == ("dog", 118, None)
    assert list_indices(answer) == list_expected(5)
    index, sample_id, name, score = answer["matches"][1]
    assert name == f"{index}.jpg"
    assert len(sample_id) == 24
    assert score == pytest.approx(0.75, abs=1e-3)


def test_new_tags_of_a_sample_take_the_place_of_its_old_ones(dataset):
    store(dataset, {0: {"ambulance": 1.0}})

    assert 0 not in list_indices(search(dataset, "dog"))
    assert 0 in list_indices(search(dataset, "motor vehicle"))


def test_unlikely_tags_are_left_out_on_request(dataset):
    assert list_indices(search(dataset, "daisy")) == []
    assert list_indices(search(dataset, "daisy", minScore=0.05)) == list_expected(7, 1)


@pytest.mark.parametrize("limit", [1, 3, 5])
@pytest.mark.parametrize("blocks_at_once", [1, 2])
@pytest.mark.parametrize("max_blocks", [1, 256])
def test_pages_make_up_the_whole(dataset, monkeypatch, limit, blocks_at_once, max_blocks):
    monkeypatch.setattr(tag_blocks, "_BLOCKS_AT_ONCE", blocks_at_once)
    monkeypatch.setattr(tag_search, "MAX_BLOCKS", max_blocks)
    found, after = [], -1
    while after is not None:
        answer = search(dataset, "dog", limit=limit, after=after)
        found += list_indices(answer)
        assert len(answer["matches"]) <= limit
        after = answer["next"]

    assert found == list_expected(5)


def test_an_unknown_word_has_words_like_it(dataset):
    answer = search(dataset, "ambulanse")

    assert (answer["word"], answer["matches"]) == (None, [])
    assert answer["suggestions"][0] == "ambulance"


def test_a_dataset_without_tags_has_no_matches(server):
    assert search(add_dataset(server), "dog")["matches"] == []


def test_strangers_find_nothing(dataset, server):
    stranger = add_stranger(server)
    answer = stranger.get(f"/ext{dataset.url}/predictions/tagSearch", params={"word": "dog"})

    assert answer.status_code == 404


def test_the_client_lists_the_likeliest_first(dataset, server):
    store(dataset, {3: {"beagle": 0.99}})
    client = make_client_of(server.client)
    client.dataset_id = dataset.id

    matches = client.search_tags("dog", n_samples=2)

    assert [match.file_name for match in matches] == ["3.jpg", "0.jpg"]
    with pytest.raises(ValueError, match="dog"):
        client.search_tags("dgo")


def test_blocks_hold_what_was_stored_last():
    generator = np.random.default_rng(0)
    tags = tag_blocks._make_tags({place: {place % 7: 0.5} for place in range(100)})
    wanted = np.zeros(65_536, np.bool_)
    wanted[generator.choice(7, 3, replace=False)] = True

    sums = tag_blocks.sum_scores(tags, wanted)

    assert np.flatnonzero(sums).tolist() == [p for p in range(100) if wanted[p % 7]]
