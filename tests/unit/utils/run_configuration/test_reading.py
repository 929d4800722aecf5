"""Configurations are understood in either spelling, or refused with a reason to act on."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, RootModel

from lightly.openapi_generated.swagger_client.models.docker_worker_config import DockerWorkerConfig
from lightly.utils.run_configuration.errors import (
    ContradictoryConfiguration,
    InvalidConfiguration,
    MalformedConfiguration,
)
from lightly.utils.run_configuration.free_form import FreeFormDocker
from lightly.utils.run_configuration.keys import MAX_SHOWN, _find_models
from lightly.utils.run_configuration.reading import read_free_form, read_model, write_config
from tests.support.run_configurations import (
    FREE_FORM,
    FULL,
    MODELS,
    find,
    list_objects,
    rename_key,
    respell,
    to_snake,
)

VERSIONS = sorted(FULL)


def write(version: str, config: Any) -> dict[str, Any]:
    written: dict[str, Any] = write_config(read_model(MODELS[version], config, "config"))
    return written


def refuse(version: str, config: Any) -> str:
    with pytest.raises(InvalidConfiguration) as caught:
        write(version, config)
    return str(caught.value)


def refuse_docker(**options: Any) -> str:
    return refuse("V4", {"workerType": "FULL", "docker": options})


def list_missing(model: type[BaseModel], value: Any, path: str = "") -> list[str]:
    """Return every option of a model that appears nowhere in a configuration."""
    values = value if isinstance(value, list) else [value]
    if issubclass(model, RootModel):
        return []
    missing = []
    for name, inner in _find_models(model).items():
        found = [item[name] for item in values if name in item]
        if not found:
            missing.append(f"{path}.{name}")
        elif inner is not None:
            flat = [one for item in found for one in (item if isinstance(item, list) else [item])]
            missing += list_missing(inner, flat, f"{path}.{name}")
    return missing


@pytest.mark.parametrize("version", VERSIONS)
def test_the_full_configurations_have_every_option_of_the_contract(version):
    assert list_missing(MODELS[version], FULL[version]) == []


def test_the_full_free_form_configuration_has_every_option_of_its_own():
    own = set(FreeFormDocker.model_fields) - set(MODELS["V4"].model_fields)
    later = {"num_processes", "num_threads", "training", "crops", "use_datapool", "cache_size"}

    assert own - later - {"checkpoint_run_id"} == FREE_FORM.keys()


@pytest.mark.parametrize("version", VERSIONS)
def test_every_option_reads_back_as_it_travels(version):
    assert write(version, FULL[version]) == FULL[version]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_option_may_be_written_in_snake_case(version):
    assert write(version, respell(FULL[version])) == FULL[version]


@pytest.mark.parametrize("version", VERSIONS)
@settings(deadline=None)
@given(data=st.data())
def test_spellings_may_be_mixed(version, data):
    config = FULL[version]
    paths = data.draw(st.lists(st.sampled_from(list(list_objects(config))), unique=True))
    # The deepest first, so that the way to the others stays as it is.
    for path in sorted(paths, key=len, reverse=True):
        key = data.draw(st.sampled_from(sorted(find(FULL[version], path))))
        config = rename_key(config, path, key, to_snake(key))

    assert write(version, config) == FULL[version]


@pytest.mark.parametrize("version", VERSIONS)
@settings(deadline=None)
@given(data=st.data())
def test_a_slip_of_the_pen_is_refused_with_what_was_meant(version, data):
    path = data.draw(st.sampled_from(list(list_objects(FULL[version]))))
    # Without its type nobody knows which options an auto task has.
    known = sorted(find(FULL[version], path).keys() - ({"type"} if "autoTasks" in path else set()))
    key = data.draw(st.sampled_from([name for name in known if len(name) > 5] or known))
    at = data.draw(st.integers(0, len(key)))
    slip = key[:at] + data.draw(st.sampled_from("qxz_")) + key[at:]

    message = refuse(version, rename_key(FULL[version], path, key, slip))

    assert f"option '{slip}' does not exist." in message
    assert len(key) <= 5 or f"Did you mean '{key}'?" in message


@settings(deadline=None)
@given(key=st.text(min_size=1), version=st.sampled_from(VERSIONS))
def test_any_unknown_key_is_refused_shortly(key, version):
    config = {"workerType": "FULL", "docker": {f"{key}\N{SNOWMAN}": 1}}

    message = refuse(version, config)

    assert "does not exist" in message
    assert len(message) < 1_200


def test_long_keys_are_cut_and_compared_quickly():
    message = refuse_docker(**{"k" * 1_000_000: 1})

    assert "k" * (MAX_SHOWN - 2) in message
    assert len(message) < 1_200


def test_an_option_in_both_spellings_is_refused():
    message = refuse_docker(num_threads=1, numThreads=2)

    assert "'numThreads' is given twice" in message


EXPIRATION = {"minDaysToExpiration": 1}


@pytest.mark.parametrize(
    ("options", "place", "rule"),
    [
        (
            {"num_threads": "3"},
            "numThreads",
            "must be a valid integer. Got '3'. Write a whole number, without quotes.",
        ),
        ({"numThreads": -2}, "numThreads", "must be greater than or equal to -1. Got -2."),
        (
            {"useDatapool": "true"},
            "useDatapool",
            "must be a valid boolean. Got 'true'. Write true or false, without quotes.",
        ),
        ({"checkpoint": 1}, "checkpoint", "must be a valid string. Got 1. Write a text in quotes."),
        ({"datasource": 3}, "datasource", "must be an object of options. Got 3."),
        (
            {"datasource": {"inputExpiration": EXPIRATION}},
            "datasource.inputExpiration.handlingStrategy",
            "is required. Add it.",
        ),
        (
            {"datasource": {"inputExpiration": EXPIRATION | {"handlingStrategy": "skip"}}},
            "datasource.inputExpiration.handlingStrategy",
            "must be 'SKIP' or 'ABORT'. Got 'skip'. Did you mean 'SKIP'?",
        ),
        (
            {"corruptnessCheck": {"corruptionThreshold": 1.5}},
            "corruptnessCheck.corruptionThreshold",
            "must be a finite number greater than or equal to 0 and less than or equal to 1.",
        ),
    ],
)
def test_a_wrong_value_is_named_with_its_rule_and_a_remedy(options, place, rule):
    assert refuse_docker(**options).startswith(f"config.docker.{place}: {rule}")


@pytest.mark.parametrize("version", VERSIONS)
@settings(deadline=None)
@given(data=st.data())
def test_any_value_of_a_wrong_kind_is_refused_where_it_is(version, data):
    path = data.draw(st.sampled_from([path for path in list_objects(FULL[version]) if path]))
    changed = copy.deepcopy(FULL[version])
    *parents, last = path
    inner: Any = changed
    for part in parents:
        inner = inner[part]
    inner[last] = data.draw(st.sampled_from([1, "text", True, [], 1.5]))

    message = refuse(version, changed)

    shown = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    assert message.startswith(f"config{shown}: must ")


@pytest.mark.parametrize("content", [None, 1, "text", [], [{}], True])
def test_what_is_no_object_is_no_configuration(content):
    assert refuse("V4", content).startswith("config: must be an object of options.")


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"checkpoint": "/etc/passwd"}, "must be relative"),
        ({"embeddings": "../other/embeddings.csv"}, "'..' parts"),
        ({"relevantFilenamesFile": "C:\\files.txt"}, "must be relative"),
        ({"relevantFilenamesFile": "file\x00"}, "control characters"),
        ({"checkpoint": "https://example.com/a.ckpt"}, "not a URL"),
        ({"embeddings": "file:///etc/passwd"}, "not a URL"),
        ({"outputImageFormat": "png; rm"}, "png, jpg, jpeg"),
        ({"checkpoint": "a.ckpt", "checkpointRunId": "a" * 24}, "exclude each other"),
        ({"embeddings": "a.csv", "enableTraining": True}, "'embeddings' or 'enableTraining'"),
    ],
)
def test_options_that_cannot_be_used_are_refused(options, part):
    with pytest.raises(ContradictoryConfiguration) as caught:
        write("V4", {"workerType": "FULL", "docker": options})

    assert part in str(caught.value)


@pytest.mark.parametrize(
    ("n_samples", "length", "remedy"), [(10, 4, "12 would do"), (3, 5, "5 would do")]
)
def test_a_count_of_frames_fits_the_sequences(n_samples, length, remedy):
    selection = {"nSamples": n_samples, "strategies": FULL["V4"]["selection"]["strategies"]}
    docker = {"selectedSequenceLength": length}

    message = refuse("V4", {"workerType": "FULL", "docker": docker, "selection": selection})

    assert "multiple of selectedSequenceLength" in message
    assert remedy in message


@pytest.mark.parametrize("empty", [{}, {"docker": {}}, {"docker": None, "selection": None}])
def test_what_is_not_given_is_left_out(empty):
    written = write("V4", {"workerType": "FULL", **empty})

    assert written == {"workerType": "FULL"} | {k: v for k, v in empty.items() if v is not None}


def test_free_form_parts_are_kept_as_they_are():
    config = {"workerType": "FULL", "docker": {"anything": [1]}, "lightly": FREE_FORM}

    assert write_config(read_model(DockerWorkerConfig, config, "config")) == config


def test_every_old_option_is_understood_in_either_spelling():
    snake = read_free_form({"workerType": "FULL", "docker": FREE_FORM})
    camel = read_free_form(snake)

    assert camel == snake
    assert respell(snake["docker"]).keys() - {"memory_requirement_in_gb"} == (
        FREE_FORM.keys() - {"memory_requirement_in_GB"}
    )


def test_every_later_option_is_understood_in_free_form():
    config = {
        "workerType": "FULL",
        "docker": FULL["V4"]["docker"],
        "lightly": respell(FULL["V4"]["lightly"]),
    }

    read = read_free_form(config)

    assert (read["docker"], read["lightly"]) == (FULL["V4"]["docker"], FULL["V4"]["lightly"])


@pytest.mark.parametrize(
    ("docker", "part"),
    [
        ({"enable_corruptnes_check": True}, "Did you mean 'enable_corruptness_check'?"),
        ({"datasource": {"proces_all": True}}, "Did you mean 'process_all'?"),
        ({"method": "coresett"}, "Did you mean 'coreset'?"),
        ({"stopping_condition": {"n_samples": "all"}}, "stoppingCondition.nSamples: must be"),
        ({"embeddings": "/etc/passwd"}, "must be relative"),
    ],
)
def test_old_options_are_checked_as_later_ones(docker, part):
    with pytest.raises(InvalidConfiguration) as caught:
        read_free_form({"workerType": "FULL", "docker": docker})

    assert part in str(caught.value)


def test_the_reason_is_told_apart_from_a_contradiction():
    with pytest.raises(MalformedConfiguration):
        write("V4", {"workerType": "FULL", "docker": {"x": 1}})
