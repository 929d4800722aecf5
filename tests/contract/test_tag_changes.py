"""Tags that several people change: whoever has an older version is told so."""

from __future__ import annotations

import pytest

from tests.conftest import DATABASES
from tests.support.tagged_datasets import add_dataset, run_for_module


@pytest.fixture(scope="module", params=DATABASES)
def server(request, tmp_path_factory):
    with run_for_module(request, tmp_path_factory) as running:
        yield running


@pytest.fixture
def dataset(server):
    made = add_dataset(server)
    made.add_samples([f"{number}.jpg" for number in range(4)])
    return made


def change(dataset, tag, **values):
    body = {"name": tag["name"], "basedOn": tag["lastModifiedAt"], **values}
    url = f"/ext{dataset.url}/tags/{tag['id']}"
    return dataset.client.put(url, json=body)


def test_the_second_of_two_changes_is_refused_and_changes_nothing(dataset):
    initial = dataset.add_initial_tag()
    known = dataset.get_tag(dataset.add_tag("ours", "0x3", initial, 4))
    assert change(dataset, known, name="yours", bitMaskData="0x1").status_code == 204
    answer = change(dataset, known, bitMaskData="0x2")

    assert (answer.status_code, answer.json()["code"]) == (409, "CONFLICT")
    assert "changed the tag meanwhile" in answer.json()["error"]
    now = dataset.get_tag(known["id"])
    assert (now["name"], now["bitMaskData"]) == ("yours", "0x1")
    assert change(dataset, now, bitMaskData="0x2").status_code == 204
    assert dataset.get_tag(known["id"])["bitMaskData"] == "0x2"


def test_a_change_says_what_it_is_based_on(dataset):
    initial = dataset.add_initial_tag()
    tag = dataset.get_tag(dataset.add_tag("ours", "0x3", initial, 4))
    url = f"/ext{dataset.url}/tags/{tag['id']}"
    assert dataset.client.put(url, json={"name": "other"}).status_code == 400
    assert change(dataset, tag, bitMaskData="0xfg").status_code == 400
    assert dataset.get_tag(tag["id"]) == tag
