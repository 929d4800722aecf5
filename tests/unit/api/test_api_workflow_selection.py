"""What a selection asks the server for."""

import json
from typing import Any

import pytest

from lightly.active_learning.config import SelectionConfig
from lightly.api import ApiWorkflowClient
from lightly.api.errors import JobFailed
from tests.support.sdk import FunctionAdapter, make_client, make_json_response, read_body

DATASET, TAG, JOB = "d" * 24, "a" * 24, "b" * 24
OLD, NEW = "1" * 24, "2" * 24
RESULT: dict[str, Any] = {"type": "SAMPLING", "data": TAG}


class Server:
    """A dataset of 40 samples with two embeddings, and a selection that ends at once."""

    def __init__(self, *, result: object = RESULT, is_newest_first: bool = True) -> None:
        self.asked: list[tuple[str, Any]] = []
        self._result = result
        self._step = 1 if is_newest_first else -1

    def answer(self, request):
        path = str(request.path_url)
        if request.method == "POST":
            self.asked.append((path, json.loads(read_body(request))))
            return make_json_response(json.dumps({"jobId": JOB}))
        return make_json_response(json.dumps(self._contents(path)))

    def _contents(self, path: str) -> object:
        tag = {
            "id": TAG, "datasetId": DATASET, "prevTagId": None, "name": "initial-tag",
            "bitMaskData": "0x1", "totSize": 40, "createdAt": 1,
        }  # fmt: skip
        job = {"id": JOB, "status": "FINISHED", "waitTimeTillNextPoll": 0, "createdAt": 1}
        embeddings = [
            {"id": NEW, "name": "default_2", "isProcessed": True, "createdAt": 2},
            {"id": OLD, "name": "default", "isProcessed": True, "createdAt": 1},
        ]
        if path.endswith("/tags"):
            return [tag]
        if path.endswith("/embeddings"):
            return embeddings[:: self._step]
        return tag if "/tags/" in path else {**job, "result": self._result}


def connect(server: Server) -> ApiWorkflowClient:
    return make_client(FunctionAdapter(server.answer), dataset_id=DATASET)


def test_the_request_has_the_form_of_the_contract():
    server = Server()
    config = SelectionConfig("CORAL", 10, 0.5, name="mine")

    connect(server).selection(config, preselected_tag_id=OLD, query_tag_id=NEW)

    assert server.asked == [
        (
            f"/v1/datasets/{DATASET}/embeddings/{NEW}/sampling",
            {
                "newTagName": "mine",
                "method": "CORAL",
                "config": {"stoppingCondition": {"nSamples": 10, "minDistance": 0.5}},
                "preselectedTagId": OLD,
                "queryTagId": NEW,
                "rowCount": 40,
            },
        )
    ]


def test_tags_that_are_not_given_are_not_sent():
    server = Server()

    connect(server).selection(SelectionConfig(name="mine"))

    assert not {"preselectedTagId", "queryTagId"} & set(server.asked[0][1])


@pytest.mark.parametrize("is_newest_first", [True, False])
def test_the_newest_embedding_is_taken_however_the_server_sorts(is_newest_first):
    server = Server(is_newest_first=is_newest_first)

    connect(server).selection(SelectionConfig(name="mine"))

    assert f"/embeddings/{NEW}/" in server.asked[0][0]


def test_an_embedding_that_was_chosen_is_taken():
    server = Server()
    client = connect(server)
    client.embedding_id = OLD

    client.selection(SelectionConfig(name="mine"))

    assert f"/embeddings/{OLD}/" in server.asked[0][0]


def test_the_former_name_warns_and_does_the_same():
    server = Server()

    with pytest.warns(PendingDeprecationWarning, match="selection"):
        tag = connect(server).sampling(SelectionConfig(name="mine"))

    assert tag.id == TAG


def test_sampling_takes_the_configuration_under_its_oldest_name():
    with pytest.warns(PendingDeprecationWarning, match="selection"):
        tag = connect(Server()).sampling(sampler_config=SelectionConfig(name="mine"))

    assert tag.id == TAG


@pytest.mark.parametrize("names", [(), ("selection_config", "sampler_config")])
@pytest.mark.filterwarnings("ignore:sampling:PendingDeprecationWarning")
def test_sampling_takes_exactly_one_configuration(names):
    with pytest.raises(TypeError, match="one configuration"):
        connect(Server()).sampling(**dict.fromkeys(names, SelectionConfig(name="mine")))


@pytest.mark.parametrize(("name", "embedding_id"), [("default", OLD), (None, NEW)])
def test_an_embedding_is_chosen_by_name_as_in_the_oldest_scripts(name, embedding_id):
    client = connect(Server())

    client.set_embedding_id_by_name(name)

    assert client.embedding_id == embedding_id


def test_an_embedding_of_another_name_is_not_chosen():
    client = connect(Server())

    with pytest.raises(ValueError, match="no embedding named 'def'"):
        client.set_embedding_id_by_name("def")

    assert client.embedding_id is None


@pytest.mark.parametrize("result", [None, {"type": "SAMPLING"}, {"type": "SAMPLING", "data": 3}])
def test_a_job_without_a_tag_is_a_failure(result):
    with pytest.raises(JobFailed, match="without a tag"):
        connect(Server(result=result)).selection(SelectionConfig(name="mine"))
