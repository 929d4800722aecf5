"""Predictions."""

from __future__ import annotations

from typing import Any

from battery.ledger import step
from battery.world import World, raises

VERSION = 1_700_000_000_000


def make_schema(world: World) -> Any:
    from lightly.openapi_generated.swagger_client import models

    return models.PredictionTaskSchema.from_dict(
        {
            "name": "weather",
            "type": "CLASSIFICATION",
            "categories": [{"id": 0, "name": "sun"}, {"id": 1, "name": "rain"}],
        }
    )


def make_singleton(category: int) -> Any:
    from lightly.openapi_generated.swagger_client import models

    return models.PredictionSingleton.from_dict(
        {
            "type": "CLASSIFICATION",
            "taskName": "weather",
            "categoryId": category,
            "score": 0.75,
            "probabilities": [0.75, 0.25],
        }
    )


@step("create_or_update_prediction_task_schema", since=(1, 4))
def a_schema_is_stored(world: World) -> None:
    world.client.create_or_update_prediction_task_schema(make_schema(world), VERSION)
    world.client.create_or_update_prediction_task_schema(make_schema(world), VERSION)
    stored = world.http.get(f"{world.dataset_path}/predictions/tasks")["schemas"]
    assert [schema["name"] for schema in stored] == ["weather"]


@step("create_or_update_prediction", since=(1, 4))
def predictions_are_stored(world: World) -> None:
    sample = world.http.get(f"{world.dataset_path}/samples", pageSize="1")[0]
    for category in (0, 1):
        singletons = [make_singleton(category)]
        world.client.create_or_update_prediction(sample["id"], singletons, VERSION)
    path = f"{world.dataset_path}/predictions/samples/{sample['id']}"
    [stored] = world.http.get(path)
    assert (stored["categoryId"], stored["score"]) == (1, 0.75)


@step("create_or_update_predictions", since=(2, 0))
def predictions_of_many_samples_are_stored(world: World) -> None:
    samples = world.http.get(f"{world.dataset_path}/samples", pageSize="3")
    wanted = {sample["id"]: [make_singleton(0)] for sample in samples}
    world.client.create_or_update_predictions(wanted)
    stored = world.http.get(f"{world.dataset_path}/predictions/samples")
    assert [[one["categoryId"] for one in of_sample] for of_sample in stored[:3]] == [[0]] * 3


@step("create_or_update_prediction_task_schema", since=(1, 4), until=(1, 5))
def the_default_version_is_refused_by_the_client_itself(world: World) -> None:
    # Its own check wants 0 or more, its own default is -1: such a call never leaves the client.
    method = world.client.create_or_update_prediction_task_schema
    assert "prediction_uuid_timestamp" in raises(Exception, method, make_schema(world))


@step("search_tags", since=(2, 0))
def samples_are_found_by_words(world: World) -> None:
    task = "lightly_auto_tags"
    schema = {"name": task, "type": "CLASSIFICATION", "categories": [{"id": 162, "name": "beagle"}]}
    world.client.create_or_update_prediction_task_schema(schema)
    sample = world.http.get(f"{world.dataset_path}/samples", pageSize="1")[0]
    tag = {"type": "CLASSIFICATION", "taskName": task, "categoryId": 162, "score": 0.75}
    world.client.create_or_update_prediction(sample["id"], [tag])
    [match] = world.client.search_tags("dogs")
    assert (match.index, match.sample_id, match.file_name) == (0, sample["id"], sample["fileName"])
    assert abs(match.score - 0.75) < 0.001
    assert world.client.search_tags("dog", 0.8) == []
    assert "dog" in raises(ValueError, world.client.search_tags, "dgo")
