"""Mappings: the one order of a dataset's samples."""

from __future__ import annotations

import pytest

from tests.support.samples import make_dataset


@pytest.fixture
def dataset(server):
    return make_dataset(server)


def get_mapping(dataset, field, query=""):
    return dataset.client.get(f"{dataset.path}/mappings?field={field}{query}").json()


def test_an_empty_dataset_maps_nothing(dataset):
    assert (get_mapping(dataset, "_id"), get_mapping(dataset, "fileName")) == ([], [])


def test_ids_and_names_are_aligned_with_the_index(dataset):
    names = [f"{number * 7919 % 101}.jpg" for number in range(101)]
    ids = [dataset.add(name) for name in names[:3]] + dataset.add_many(names[3:])

    listed = dataset.client.get(f"{dataset.path}/samples").json()

    assert get_mapping(dataset, "fileName") == names
    assert get_mapping(dataset, "_id") == ids
    assert [(s["index"], s["id"], s["fileName"]) for s in listed] == [
        (index, id_, name) for index, (id_, name) in enumerate(zip(ids, names, strict=True))
    ]


def test_new_samples_come_last_and_old_ones_stay(dataset):
    dataset.add_many(["m.jpg", "z.jpg"])
    before = get_mapping(dataset, "_id")

    dataset.add_many(["z.jpg", "a.jpg", "m.jpg", "b.jpg"])

    assert get_mapping(dataset, "_id")[:2] == before
    assert get_mapping(dataset, "fileName") == ["m.jpg", "z.jpg", "a.jpg", "b.jpg"]


def test_a_renamed_sample_keeps_its_place(dataset):
    ids = dataset.add_many(["a.jpg", "b.jpg", "c.jpg"])

    dataset.client.put(f"{dataset.path}/samples/{ids[1]}", json={"fileName": "0.jpg"})

    assert get_mapping(dataset, "fileName") == ["a.jpg", "0.jpg", "c.jpg"]
    assert get_mapping(dataset, "_id") == ids


@pytest.mark.parametrize("field", ["_id", "fileName"])
def test_pages_of_any_size_make_up_the_mapping(dataset, field):
    for start in range(3):
        dataset.add_many([f"{start}/{number}.jpg" for number in range(9_001)])
    whole = get_mapping(dataset, field)
    assert len(whole) == 27_003

    for size in (1, 999, 10_000, 10_001, 25_000, 27_003, 10**9):
        for offset in (0, 1, 9_999, 10_000, 25_000, 27_002, 27_003, 30_000):
            page = get_mapping(dataset, field, f"&pageSize={size}&pageOffset={offset}")
            assert page == whole[offset : offset + size], (size, offset)


def test_walking_the_pages_as_clients_do_finds_everything_once(dataset):
    names = [f"{number}.jpg" for number in range(10)]
    dataset.add_many(names)
    size, walked = 5, []

    while page := get_mapping(dataset, "fileName", f"&pageSize={size}&pageOffset={len(walked)}"):
        walked += page
        if len(page) < size:
            break

    assert walked == names


@pytest.mark.parametrize("query", ["", "?field=", "?field=id", "?field=exif", "?field=_ID"])
def test_other_fields_are_refused(dataset, query):
    response = dataset.client.get(f"{dataset.path}/mappings{query}")

    assert (response.status_code, response.json()["code"]) == (400, "MALFORMED_REQUEST")


def test_another_user_sees_no_mapping(server, dataset):
    dataset.add("a.jpg")
    other = dataset.seen_by(server.add_user("other@example.com"))

    response = other.client.get(f"{dataset.path}/mappings?field=fileName")

    assert (response.status_code, response.json()["code"]) == (404, "DATASET_UNKNOWN")
