"""Calls one to one: same classes, methods and parameters as published, and they work."""

import inspect

import pytest

from lightly.api.errors import ApiException
from lightly.openapi_generated.swagger_client import api
from lightly.openapi_generated.swagger_client.models import (
    DatasetCreateRequest,
    SamplePartialMode,
    TagData,
)
from lightly.openapi_generated.swagger_codegen.api.tags_api import TagsApi
from tests.support.contract import ContractClient
from tests.support.platforms import TOKEN, InProcessServer
from tests.support.published_clients.runner import run_client_script
from tests.support.sdk import BridgeAdapter, make_client, make_json_response
from tests.support.wire_fakes import WireFake

DESCRIBE_CALLS = """
import inspect
import lightly.openapi_generated.swagger_client.api as api
from lightly.api import ApiWorkflowClient

result = {
    "classes": {
        name: {
            method: list(inspect.signature(function).parameters)[1:-1]
            for method, function in vars(value).items()
            if not method.startswith("_") and not method.endswith("_with_http_info")
        }
        for name, value in vars(api).items() if inspect.isclass(value)
    },
    "attributes": {
        name: type(value).__name__
        for name, value in vars(ApiWorkflowClient(token="x")).items()
        if name.endswith("_api")
    },
}
"""


@pytest.fixture(scope="module")
def published() -> dict:
    """Calls of the newest published client."""
    return run_client_script(
        "1.5.26",
        DESCRIBE_CALLS,
        server_url="http://127.0.0.1:9",
        token="0123456789abcdef",
        variables={"LIGHTLY_DID_VERSION_CHECK": "True"},
        longest_sleep_s=0,
    ).result


def test_every_published_call_is_there_with_its_parameters(published):
    own = {
        name: {
            method: list(inspect.signature(function).parameters)[1:]
            for method, function in vars(getattr(api, name)).items()
            if not method.startswith("_")
        }
        for name in api.__all__
    }

    assert own == published["classes"]
    assert sum(len(methods) for methods in own.values()) >= 140


def test_a_client_has_its_calls_under_the_published_names(published):
    client = make_client(WireFake({}))

    own = {name: type(getattr(client, name)).__name__ for name in published["attributes"]}

    assert own == published["attributes"]
    with pytest.raises(AttributeError, match="_nothing_api"):
        _ = client._nothing_api


def test_calls_take_and_return_wire_models(sqlite_server: InProcessServer):
    client = make_client(BridgeAdapter(ContractClient(sqlite_server.client)), TOKEN)
    made = client._datasets_api.create_dataset(DatasetCreateRequest(name="one to one"))
    client._samples_api.create_sample_by_dataset_id(made.id, {"fileName": "a b/c.jpg"})

    samples = client._samples_api.get_samples_partial_by_dataset_id(
        made.id, mode=SamplePartialMode.FILENAMES
    )
    names = client._mappings_api.get_sample_mappings_by_dataset_id(made.id, field="fileName")
    found = client._datasets_api.get_datasets_query_by_name("one to one", exact=True)

    assert [sample.file_name for sample in samples] == names == ["a b/c.jpg"]
    assert [dataset.id for dataset in found] == [made.id]
    client._datasets_api.delete_dataset_by_id(made.id)
    with pytest.raises(ApiException, match="404"):
        client._datasets_api.get_dataset_by_id(made.id)


def test_classes_can_be_made_by_hand_in_the_older_spelling_too():
    tag = {
        "id": "a" * 24,
        "datasetId": "b" * 24,
        "prevTagId": None,
        "name": "tag",
        "bitMaskData": "0x1",
        "totSize": 1,
        "createdAt": 1,
        "comesLater": True,
    }
    client = make_client(WireFake({f"GET /v1/datasets/{'b' * 24}/tags": [tag]}))

    tags = TagsApi(client.api_client).get_tags_by_dataset_id("b" * 24)

    assert [type(one) for one in tags] == [TagData]


def test_lists_among_the_parameters_are_repeated():
    seen = []

    def note(request):
        seen.append(request.path_url)
        return make_json_response("[]")

    bridge = BridgeAdapter(None, note)
    make_client(bridge)._compute_worker_api.get_docker_runs_scheduled_by_state_and_labels(
        labels=["a", "b"], include_unlockable_runs=True
    )

    assert seen[0].endswith("?labels=a&labels=b&includeUnlockableRuns=True")


@pytest.mark.parametrize("answer", [{}, [{"id": 1}], "text"])
def test_an_answer_that_breaks_the_contract_is_an_error(answer):
    client = make_client(WireFake({"GET /v1/datasets": answer}))

    with pytest.raises(ApiException, match="DatasetData"):
        client._datasets_api.get_datasets()
