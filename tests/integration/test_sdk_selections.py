"""Selections of this platform through the Python client."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lightly.api.errors import ApiException
from lightly.selection import (
    Diversity,
    explain_selection,
    find_near_duplicates,
    score_outliers,
    select,
)
from tests.support.embedded_datasets import make_embedded_dataset
from tests.support.platforms import run_in_process
from tests.support.sdk import make_client_of

VECTORS = np.random.default_rng(1).normal(size=(40, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with run_in_process(tmp_path_factory.mktemp("server") / "data", "") as running:
        yield running


@pytest.fixture(scope="module")
def client(server):
    dataset = make_embedded_dataset(server, len(VECTORS))
    dataset.upload(VECTORS)
    client = make_client_of(server.client)
    client.dataset_id = dataset.id
    return client


def test_a_selection_is_explained_as_the_engine_explains_it(client, monkeypatch):
    monkeypatch.setattr("lightly.api.api_workflow_selection_reports._VALUES_AT_ONCE", 16)
    strategies = [{"type": "DIVERSITY", "minDistance": 0.5}]

    tag = client.create_selection("far apart", n_samples=10, strategies=strategies)
    found = client.get_selection_explanation(tag.id)

    result = select(n_samples=10, strategies=[Diversity(VECTORS, min_distance=0.5)])
    expected = explain_selection(result)
    for field in dataclasses.fields(expected):
        np.testing.assert_array_equal(getattr(found, field.name), getattr(expected, field.name))
    report = client.get_selection_report(tag.id)
    assert report["stopReason"] == result.stop_reason
    assert report["coverage"]["radius"][-1] == result.strategies[0].coverage.radius


def test_without_strategies_the_server_chooses_and_says_why(client):
    tag = client.create_selection("chosen for me", proportion_samples=0.2)

    [strategy] = client.get_selection_report(tag.id)["strategies"]
    assert strategy["kind"] == "AUTO"
    assert strategy["reason"]


def test_a_tag_that_no_selection_made_has_no_report(client):
    initial = client.get_tag_by_name("initial-tag")

    for read in (client.get_selection_report, client.get_selection_explanation):
        with pytest.raises(ApiException, match="no report"):
            read(initial.id)


def test_cancelling_a_job_that_has_ended_is_refused(client):
    tag = client.create_selection("too late", n_samples=1)
    job_id = client.get_selection_report(tag.id)["jobId"]

    with pytest.raises(ApiException, match="has ended"):
        client.cancel_job(job_id)


@pytest.mark.parametrize("rule", ["transitive", "star"])
def test_near_duplicates_are_those_that_the_engine_finds(client, rule):
    found = client.find_near_duplicates(0.8, rule=rule)

    expected = find_near_duplicates(VECTORS, 0.8, rule=rule)
    np.testing.assert_array_equal(found.leaders, expected.leaders)
    assert (found.rule, found.max_distance) == (rule, 0.8)
    assert found.n_groups == expected.n_groups > 0


def test_outliers_are_those_that_the_engine_finds(client):
    found = client.score_outliers(n_neighbors=50)

    expected = score_outliers(VECTORS, n_neighbours=50)
    np.testing.assert_array_equal(found.scores, expected.scores.astype(np.float32))
    assert found.n_neighbours == expected.n_neighbours == len(VECTORS) - 1
