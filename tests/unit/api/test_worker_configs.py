"""Configurations of runs: which form is sent, and what is refused before."""

import pytest

from lightly.api.api_workflow_compute_worker import (
    InvalidConfigurationError,
    auto_task_from_dict,
    selection_config_entry_from_dict,
    selection_config_from_dict,
)
from lightly.api.worker_configs import make_config_request
from lightly.openapi_generated.swagger_client.models import (
    DockerWorkerConfigCreateRequest,
    DockerWorkerConfigOmniVXCreateRequest,
    SelectionConfigV4,
)

STRATEGY = {"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}}
SELECTION = {"n_samples": 5, "strategies": [STRATEGY]}


def make_request(worker=None, lightly=None, selection=None):
    """Return path and body, and see that the body fits the contract."""
    path, body = make_config_request(worker, lightly, selection, creator="USER_PIP")
    model = (
        DockerWorkerConfigOmniVXCreateRequest
        if path.endswith("/vX")
        else DockerWorkerConfigCreateRequest
    )
    model.from_dict(body)
    return path, body["config"]


def test_options_travel_in_the_newest_form_with_their_names_on_the_wire():
    path, config = make_request(
        {"use_datapool": True, "datasource": {"process_all": True}, "checkpoint": None},
        {"loader": {"batch_size": 16, "shuffle": None}},
        SELECTION,
    )

    assert path == "/v1/docker/worker/config/vX"
    assert config == {
        "workerType": "FULL",
        "docker": {"useDatapool": True, "datasource": {"processAll": True}},
        "lightly": {"loader": {"batchSize": 16}},
        "selection": {"nSamples": 5, "strategies": [STRATEGY]},
    }


def test_one_option_of_selections_keeps_its_underscores():
    strategy = {
        "type": "DIVERSITY",
        "stopping_condition_minimum_distance": 0.1,
    }
    typicality = {"type": "TYPICALITY", "num_nearest_neighbors": 5}
    selection = {
        "n_samples": 5,
        "strategies": [
            {"input": {"type": "EMBEDDINGS"}, "strategy": strategy},
            {"input": {"type": "EMBEDDINGS"}, "strategy": typicality},
        ],
    }

    _, config = make_request(selection=selection)

    sent = [entry["strategy"] for entry in config["selection"]["strategies"]]
    assert sent == [strategy, {"type": "TYPICALITY", "numNearestNeighbors": 5}]


def test_nothing_given_is_a_configuration_of_defaults():
    assert make_request() == ("/v1/docker/worker/config/vX", {"workerType": "FULL"})


def test_a_selection_may_be_a_wire_model():
    model = SelectionConfigV4.from_dict({"nSamples": 5, "strategies": [STRATEGY]})

    assert make_request(selection=model) == make_request(selection=SELECTION)


def test_options_may_be_spelled_as_on_the_wire():
    assert make_request({"useDatapool": True}) == make_request({"use_datapool": True})


@pytest.mark.parametrize(
    "old",
    [
        {"remove_exact_duplicates": True},
        {"enable_corruptness_check": True},
        {"stopping_condition": {"n_samples": 10}},
        {"method": "coreset"},
        {"datasource": {"use_frame_count_metadata": True}},
        {"object_level": {"task_name": "cars"}},
    ],
)
def test_options_of_earlier_workers_travel_as_they_are_written(old):
    worker = {**old, "enable_training": False, "checkpoint": None}

    path, config = make_request(worker, {"loader": {"batch_size": 16}}, SELECTION)

    assert path == "/v1/docker/worker/config"
    assert config == {
        "workerType": "FULL",
        "docker": {**old, "enable_training": False},
        "lightly": {"loader": {"batch_size": 16}},
        "selection": {"nSamples": 5, "strategies": [STRATEGY]},
    }


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (({"enable_trainin": True},), "enable_trainin.*Did you mean 'enable_training'"),
        (({"datasource": {"procss_all": 1}},), "worker_config.datasource.*process_all"),
        ((None, {"loader": {"batch_size": "x"}}), r"lightly_config\.loader\.batchSize.*integer"),
        ((None, {"loder": {}}), "lightly_config.*loader"),
        ((None, None, {"n_samples": 3}), r"selection_config\.strategies.*required"),
        ((None, None, {"strategies": [{"input": {}, "strategy": {}}]}), r"strategies\[0\]"),
        (({"method": "coreset", "foo": 1},), "'foo' does not exist"),
        (({"method": "unheard of"},), "worker_config.method"),
        (({"method": "coreset"}, {"loder": {}}), "lightly_config.*loader"),
        (([1],), "worker_config: must be a dictionary"),
        ((None, None, "n_samples"), "selection_config: must be a dictionary"),
    ],
)
def test_what_does_not_exist_is_refused_with_a_remedy(arguments, problem):
    with pytest.raises(InvalidConfigurationError, match=problem):
        make_request(*arguments)


def test_a_refused_configuration_is_an_error_of_values_and_of_running():
    assert issubclass(InvalidConfigurationError, ValueError)
    assert issubclass(InvalidConfigurationError, RuntimeError)


def test_the_fields_of_a_selection_object_can_be_passed_as_its_dictionary():
    as_fields = make_request(selection=selection_config_from_dict(SELECTION).__dict__)

    assert as_fields == make_request(selection=SELECTION)


def test_parts_of_a_selection_can_be_made_from_dictionaries():
    selection = selection_config_from_dict(SELECTION)

    assert selection.n_samples == 5
    assert selection.strategies == [selection_config_entry_from_dict(STRATEGY)]


def test_automatic_tasks_are_made_from_dictionaries():
    tiling = {"type": "TILING", "name": "tiles", "num_rows": 2, "num_cols": 3}

    task = auto_task_from_dict(tiling)

    assert (task.num_rows, task.num_cols) == (2, 3)
    with pytest.raises(InvalidConfigurationError, match="num_row"):
        auto_task_from_dict({**tiling, "num_row": 2})
    with pytest.raises(InvalidConfigurationError):
        auto_task_from_dict({"type": "unheard of"})
