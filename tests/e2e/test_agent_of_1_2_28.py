"""The agent of the published client 1.2.28 and ours, beside each other on one real server."""

from __future__ import annotations

import pytest

from tests.support.pictures import draw_folder, write_embeddings
from tests.support.platforms import run_process
from tests.support.published_clients.runner import run_client_script

COUNT = 20
pytestmark = pytest.mark.xdist_group("client-1.2.28")

# Both agents run this text; only the way to the server differs.
ROUNDS = """
def describe(agent):
    names = ("query_set", "labeled_set", "unlabeled_set", "added_set")
    return {name: list(getattr(agent, name)) for name in names}

def run_rounds(client, prefix):
    agent = ActiveLearningAgent(client)
    scorer = ScorerKeypointDetection([
        KeypointPrediction.from_dicts(
            [{"keypoints": [0.0, 0.0, number / 20], "category_id": 0, "score": 0.5}]
        )
        for number in range(20)
    ])
    states = []
    for method, count, scores in (
        ("CORESET", 4, None), ("CORESET", 4, None), ("RANDOM", 3, None), ("CORAL", 9, scorer),
        ("CORESET", 200, None),
    ):
        name = f"{prefix} {len(states)}"
        agent.query(SelectionConfig(method=method, n_samples=count, name=name), scores)
        states.append(describe(agent))
    return states
"""
IMPORTS = """
from lightly.active_learning.agents import ActiveLearningAgent
from lightly.active_learning.config import SelectionConfig
from lightly.active_learning.scorers.keypoint_detection import ScorerKeypointDetection
from lightly.active_learning.utils.keypoint_predictions import KeypointPrediction
from lightly.api import ApiWorkflowClient
"""


@pytest.fixture(scope="module")
def states(tmp_path_factory):
    """What both agents see after each round."""
    folder = tmp_path_factory.mktemp("agents")
    names = draw_folder(folder / "images", COUNT)
    write_embeddings(folder / "embeddings.csv", names)
    with run_process(folder / "data") as server, pytest.MonkeyPatch.context() as patch:
        script = """
client = ApiWorkflowClient()
client.create_dataset("rounds")
client.upload_dataset(arguments["images"], mode="metadata", max_workers=1)
client.upload_embeddings(arguments["csv"], "default")
result = [client.dataset_id, run_rounds(client, "theirs")]
"""
        dataset, theirs = run_client_script(
            "1.2.28",
            IMPORTS + ROUNDS + script,
            server_url=server.url,
            token=server.token,
            arguments={"images": str(folder / "images"), "csv": str(folder / "embeddings.csv")},
            timeout_s=120,
        ).result
        patch.setenv("LIGHTLY_SERVER_LOCATION", server.url)
        scope = {}
        exec(IMPORTS + ROUNDS, scope)
        client = scope["ApiWorkflowClient"](token=server.token, dataset_id=dataset)
        with pytest.warns(UserWarning, match="skipped"):
            ours = scope["run_rounds"](client, "ours")
    return ours, theirs


def test_both_agents_see_the_same_sets_after_every_round(states):
    ours, theirs = states

    assert ours == theirs


def test_the_rounds_do_something(states):
    ours, _ = states

    assert [len(state["labeled_set"]) for state in ours] == [4, 4, 4, 9, COUNT]
    assert [len(state["added_set"]) for state in ours] == [4, 0, 0, 5, 11]
