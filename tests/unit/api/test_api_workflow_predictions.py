"""Predictions: what is sent for one sample and for many."""

import pytest

from lightly.api.errors import ApiException
from lightly.openapi_generated.swagger_client.models import (
    PredictionSingleton,
    PredictionSingletonClassification,
    PredictionTaskSchema,
)
from tests.support.sdk import make_client
from tests.support.wire_fakes import WireFake, make_refusal

DATASET = "0123456789abcdef01234567"
TASKS = f"POST /v1/datasets/{DATASET}/predictions/tasks"
BULK = f"PUT /ext/v1/datasets/{DATASET}/predictions/samples"
SCHEMA = {"name": "weather", "type": "CLASSIFICATION", "categories": [{"id": 1, "name": "rainy"}]}
SINGLETON = {"type": "CLASSIFICATION", "taskName": "weather", "categoryId": 1, "score": 0.5}


def name_operation(sample: int) -> str:
    return f"POST /v1/datasets/{DATASET}/predictions/samples/{sample:024x}"


def open_client(n_samples: int = 1):
    answers = {name_operation(n): {"id": f"{n:024x}"} for n in range(n_samples)}
    fake = WireFake({**answers, TASKS: {"id": "1" * 24}})
    return make_client(fake, dataset_id=DATASET), fake


def test_a_schema_is_sent_as_the_contract_has_it():
    client, fake = open_client()

    client.create_or_update_prediction_task_schema(PredictionTaskSchema.from_dict(SCHEMA))

    assert fake.calls == [(TASKS, {}, SCHEMA)]


@pytest.mark.parametrize(("version", "sent"), [(-1, {}), (7, {"predictionUUIDTimestamp": "7"})])
def test_a_version_is_sent_if_there_is_one(version, sent):
    client, fake = open_client()

    client.create_or_update_prediction_task_schema(PredictionTaskSchema.from_dict(SCHEMA), version)
    client.create_or_update_prediction(f"{0:024x}", [], version)

    assert [parameters for _, parameters, _ in fake.calls] == [sent, sent]


def test_predictions_of_a_sample_are_sent_in_their_order():
    client, fake = open_client()
    second = {**SINGLETON, "score": 0.25}
    singletons = [
        PredictionSingleton.from_dict(SINGLETON),
        PredictionSingletonClassification.from_dict(second),
        SINGLETON,
    ]

    client.create_or_update_prediction(f"{0:024x}", singletons)

    assert fake.read_bodies(name_operation(0)) == [[SINGLETON, second, SINGLETON]]


def test_a_sample_may_have_no_predictions():
    client, fake = open_client()

    client.create_or_update_prediction(f"{0:024x}", [])

    assert fake.read_bodies(name_operation(0)) == [[]]


class Bar:
    """Counts what it is told."""

    def __init__(self) -> None:
        self.steps: list[float] = []

    def update(self, n: float = 1) -> None:
        """Count."""
        self.steps.append(n)


def test_predictions_of_many_samples_go_in_few_requests():
    client, fake = open_client()
    fake._operations[BULK] = None
    singleton = PredictionSingleton.from_dict(SINGLETON)
    bar = Bar()

    client.create_or_update_predictions(
        {f"{n:024x}": [singleton] for n in range(3000)}, progress_bar=bar
    )

    sent = [item for body in fake.read_bodies(BULK) for item in body["items"]]
    assert sent == [{"id": f"{n:024x}", "predictions": [SINGLETON]} for n in range(3000)]
    assert len(fake.calls) == 2
    assert sum(bar.steps) == 3000


def test_where_the_server_takes_one_sample_each_the_requests_are_many():
    client, fake = open_client(20)
    singleton = PredictionSingleton.from_dict(SINGLETON)

    client.create_or_update_predictions(
        {f"{n:024x}": [singleton] for n in range(20)}, max_workers=3
    )

    made = [operation for operation, _, _ in fake.calls if operation != BULK]
    assert sorted(made) == sorted(map(name_operation, range(20)))


def test_a_body_that_is_too_large_goes_in_halves():
    client, fake = open_client()

    def refuse_many(_parameters, body):
        return make_refusal(413, "PAYLOAD_TOO_LARGE") if len(body["items"]) > 1 else None

    fake._operations[BULK] = refuse_many

    client.create_or_update_predictions({f"{n:024x}": [] for n in range(3)})

    stored = [body["items"][0]["id"] for body in fake.read_bodies(BULK) if len(body["items"]) == 1]
    assert stored == [f"{n:024x}" for n in range(3)]


def test_a_refused_sample_stops_the_others():
    client, fake = open_client(3000)
    fake._operations[name_operation(2)] = lambda *_: make_refusal(403)

    with pytest.raises(ApiException, match="403"):
        client.create_or_update_predictions({f"{n:024x}": [] for n in range(3000)}, max_workers=2)

    assert len(fake.calls) < 1000


def test_what_is_no_prediction_is_refused():
    client, fake = open_client()

    with pytest.raises(ValueError, match=r"swagger_client\.models"):
        client.create_or_update_prediction(f"{0:024x}", [3])

    assert fake.calls == []
