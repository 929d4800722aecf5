"""Rounds of the agent through our SDK against a real application, on both databases."""

import numpy as np
import pytest

from lightly.active_learning.agents import ActiveLearningAgent
from lightly.active_learning.config import SelectionConfig
from lightly.active_learning.scorers import ScorerClassification
from tests.support.contract import ContractClient
from tests.support.pictures import draw_folder, write_embeddings
from tests.support.platforms import TOKEN
from tests.support.sdk import BridgeAdapter, make_client, make_waiting_settings

N_IMAGES = 16


@pytest.fixture
def client(server, tmp_path):
    """A client with a dataset of images and embeddings."""
    network = BridgeAdapter(ContractClient(server.client))
    client = make_client(network, TOKEN, settings=make_waiting_settings())
    names = draw_folder(tmp_path / "images", N_IMAGES)
    write_embeddings(tmp_path / "embeddings.csv", names)
    client.create_dataset("rounds")
    client.upload_dataset(str(tmp_path / "images"), mode="metadata")
    client.upload_embeddings(str(tmp_path / "embeddings.csv"), "default")
    return client


def test_rounds_of_all_methods_only_ever_add(client):
    agent = ActiveLearningAgent(client)
    probabilities = np.random.default_rng(0).dirichlet(np.ones(3), N_IMAGES)
    scorer = ScorerClassification(probabilities)

    agent.query(SelectionConfig("RANDOM", 4, name="random"))
    first = set(agent.added_set)
    agent.query(SelectionConfig("CORESET", 7, name="coreset"))
    second = set(agent.added_set)
    agent.query(SelectionConfig("CORAL", 10, name="coral"), scorer)
    third = set(agent.added_set)

    assert (len(first), len(second), len(third)) == (4, 3, 3)
    assert set(agent.labeled_set) == first | second | third
    assert set(agent.unlabeled_set) == set(client.get_filenames()) - first - second - third
    assert agent.query_set == client.get_filenames()
    assert {tag.name for tag in client.get_all_tags()} >= {"random", "coreset", "coral"}


def test_scores_lie_on_the_server_in_its_order(client, server):
    agent = ActiveLearningAgent(client)
    scorer = ScorerClassification(np.linspace(0, 1, 3 * N_IMAGES).reshape(N_IMAGES, 3))

    agent.upload_scores(scorer)

    tag = client.get_tag_by_name("initial-tag").id
    scores = server.client.get(f"/v1/datasets/{client.dataset_id}/tags/{tag}/scores").json()
    by_type = {entry["scoreType"]: entry["id"] for entry in scores}
    assert set(by_type) == set(scorer.score_names())
    path = f"/v1/datasets/{client.dataset_id}/tags/{tag}/scores/{by_type['uncertainty_margin']}"
    stored = server.client.get(path).json()["scores"]
    assert stored == pytest.approx(scorer.calculate_scores()["uncertainty_margin"].tolist())


def test_a_round_within_a_tag_keeps_to_it(client):
    names = client.get_filenames()
    client.create_tag_from_filenames(names[:8], "pool")
    client.create_tag_from_filenames(names[:2], "labelled")
    agent = ActiveLearningAgent(client, query_tag_name="pool", preselected_tag_name="labelled")

    agent.query(SelectionConfig("CORESET", 5, name="inside"))

    assert len(agent.added_set) == 3
    assert set(agent.labeled_set) <= set(names[:8])
    assert set(names[:2]) <= set(agent.labeled_set)


def test_a_taken_name_leaves_the_agent_as_it_was(client):
    agent = ActiveLearningAgent(client)
    agent.query(SelectionConfig("RANDOM", 4, name="taken"))
    before = (agent.labeled_set, agent.added_set)

    with pytest.raises(RuntimeError, match="taken"):
        agent.query(SelectionConfig("RANDOM", 6, name="taken"))

    assert (agent.labeled_set, agent.added_set) == before
