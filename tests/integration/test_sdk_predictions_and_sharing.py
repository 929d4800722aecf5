"""Predictions and sharing through the SDK, against a real application."""

import pytest

from lightly.api import ApiWorkflowClient
from lightly.api.dataset_samples import DatasetSamples
from lightly.api.errors import ApiException, DatasetNotFoundError
from lightly.api.sample_tags import cover_all_samples
from lightly.openapi_generated.swagger_client.models import (
    PredictionSingleton,
    PredictionTaskSchema,
)
from tests.support.contract import ContractClient
from tests.support.platforms import TOKEN, InProcessServer
from tests.support.sdk import BridgeAdapter, make_client, make_client_of, make_response

CATEGORIES = [{"id": 0, "name": "sunny"}, {"id": 1, "name": "rainy"}]
SCHEMA = {"name": "weather", "type": "CLASSIFICATION", "categories": CATEGORIES}


def make_singleton(category_id: int) -> PredictionSingleton:
    return PredictionSingleton.from_dict(
        {
            "type": "CLASSIFICATION",
            "taskName": "weather",
            "categoryId": category_id,
            "score": 0.5,
        }
    )


@pytest.fixture
def network(sqlite_server: InProcessServer) -> BridgeAdapter:
    """The way to the server; every answer is held against the contract."""
    return BridgeAdapter(ContractClient(sqlite_server.client))


@pytest.fixture
def client(network: BridgeAdapter) -> ApiWorkflowClient:
    """A client with a dataset of four samples and a task."""
    client = make_client(network, TOKEN)
    client.create_dataset("shared")
    samples = DatasetSamples(client._transport, client.dataset_id)
    samples.register([{"fileName": f"{number}.jpg"} for number in range(4)])
    cover_all_samples(client._transport, client.dataset_id, image_type="meta")
    client.create_or_update_prediction_task_schema(PredictionTaskSchema.from_dict(SCHEMA))
    return client


def list_ids(client: ApiWorkflowClient) -> list[str]:
    samples = DatasetSamples(client._transport, client.dataset_id)
    return [sample_id for page in samples.iterate_ids() for sample_id in page]


def read_categories(client: ApiWorkflowClient) -> list[list[int]]:
    answer = client._transport.get(client._below_dataset("predictions", "samples"))
    return [[singleton["categoryId"] for singleton in sample] for sample in answer]


def test_a_schema_is_stored_and_replaced(client):
    renamed = {**SCHEMA, "categories": [*CATEGORIES, {"id": 7, "name": "snowy"}]}

    client.create_or_update_prediction_task_schema(PredictionTaskSchema.from_dict(renamed))

    stored = client._transport.get(client._below_dataset("predictions", "tasks", "weather"))
    assert stored == renamed


def test_predictions_of_a_sample_are_stored_and_replaced(client):
    first = list_ids(client)[0]

    client.create_or_update_prediction(first, [make_singleton(0)])
    client.create_or_update_prediction(first, [make_singleton(1), make_singleton(0)], 5)

    assert read_categories(client) == [[1, 0], [], [], []]


@pytest.mark.parametrize("has_bulk", [True, False])
def test_predictions_of_all_samples_are_stored(client, network, has_bulk):
    if not has_bulk:
        unknown = b'{"code": "NOT_FOUND", "error": "No such path."}'
        network.hook = lambda request: (
            make_response(404, unknown) if "/ext/" in request.path_url else None
        )
    ids = list_ids(client)

    client.create_or_update_predictions(
        {sample_id: [make_singleton(n % 2)] for n, sample_id in enumerate(ids)}
    )

    assert read_categories(client) == [[0], [1], [0], [1]]
    assert network.count("PUT", "/ext/v1/") == 1
    assert network.count("POST", "/predictions/samples/") == (0 if has_bulk else 4)


def test_a_prediction_of_an_unknown_sample_is_refused(client):
    with pytest.raises(ApiException):
        client.create_or_update_prediction("f" * 24, [make_singleton(0)])


def test_a_dataset_is_shared_with_a_list_of_users_and_nobody_else(client, sqlite_server):
    colleague = make_client_of(sqlite_server.add_user("colleague@example.com"))
    dataset_id = client.dataset_id
    assert client.get_shared_users(dataset_id) == []
    with pytest.raises(DatasetNotFoundError):
        colleague.get_dataset_by_id(dataset_id)

    client.share_dataset_only_with(dataset_id, ["colleague@example.com", "unborn@example.com"])

    assert sorted(client.get_shared_users(dataset_id)) == [
        "colleague@example.com",
        "unborn@example.com",
    ]
    assert [one.id for one in colleague.get_datasets(shared=True)] == [dataset_id]
    assert colleague.get_datasets() == []
    assert [one.name for one in colleague.get_all_datasets()] == ["shared"]
    colleague.set_dataset_id_by_name("shared", shared=True)
    assert len(colleague.get_filenames()) == 4

    client.share_dataset_only_with(dataset_id, [])

    assert client.get_shared_users(dataset_id) == []
    assert colleague.get_datasets(shared=True) == []
    with pytest.raises(ApiException):
        colleague.get_filenames()
