"""Options of runs from configurations of every version."""

from __future__ import annotations

from typing import Any

import pytest

from lightly.utils.run_configuration.errors import InvalidConfiguration
from lightly.worker.errors import RunRefused
from lightly.worker.options import ExpiryOptions, ObjectFrequency, choose_model, read_options

SELECTION = {
    "nSamples": 3,
    "strategies": [{"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}}],
}


def read(
    version: str, docker: dict[str, Any], selection: Any = SELECTION, *, lightly: Any = None
) -> Any:
    """Read a configuration."""
    parts = {"docker": docker, "lightly": lightly or {}, "selection": selection}
    config = {"workerType": "FULL", **parts}
    return read_options({"version": version, "config": config})


def test_options_of_v4_are_read() -> None:
    docker = {
        "datasource": {"bypassVerify": True, "processAll": True, "enableDatapoolUpdate": False},
        "useDatapool": True,
        "relevantFilenamesFile": ".lightly/few.txt",
        "normalizeEmbeddings": False,
    }
    options = read("V4", docker)
    assert options.bypass_verify
    assert options.process_all
    assert not options.enable_datapool_update
    assert options.use_datapool
    assert options.relevant_filenames_file == ".lightly/few.txt"
    assert not options.normalize_embeddings


def test_options_about_files_are_read() -> None:
    expiration = {"minDaysToExpiration": 1.5, "handlingStrategy": "SKIP"}
    options = read(
        "V4",
        {
            "datasource": {"inputExpiration": expiration},
            "embeddings": "mine.csv",
            "cacheSize": 1_000_000,
        },
    )
    assert options.expiry == ExpiryOptions(1.5, "SKIP")
    assert (options.embeddings_file, options.cache_bytes) == ("mine.csv", 1_000_000)
    without = read("V4", {})
    assert (without.expiry, without.embeddings_file, without.cache_bytes) == (None, "", None)


@pytest.mark.parametrize(("version", "uses"), [("V0", True), ("V2", True), ("V4", False)])
def test_the_datapool_is_on_where_old_workers_had_it_on(version: str, uses: bool) -> None:
    assert read(version, {}).use_datapool is uses


@pytest.mark.parametrize(
    ("docker", "named"),
    [
        ({"enableTraining": True, "checkpoint": "my-model"}, "checkpoint_run_id"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(docker: dict[str, Any], named: str) -> None:
    with pytest.raises(RunRefused, match=named):
        read("V4", docker)


@pytest.mark.parametrize("version", ["V0", "V2", "V3", "V4"])
def test_what_no_worker_does_is_refused_whatever_the_server_let_pass(version: str) -> None:
    with pytest.raises(InvalidConfiguration, match="corruptionThreshold"):
        read(version, {"corruptnessCheck": {"corruptionThreshold": 0.5}})


def test_a_run_is_about_the_dataset_that_it_is_scheduled_for() -> None:
    docker = {"datasource": {"dataset_id": "a" * 24}}
    config = {"workerType": "FULL", "docker": docker, "selection": SELECTION}
    answer = {"version": "V0", "config": config}
    with pytest.raises(InvalidConfiguration, match=r"datasource\.datasetId"):
        read_options(answer, dataset_id="b" * 24)
    assert read_options(answer, dataset_id="a" * 24)


@pytest.mark.parametrize(
    ("version", "docker", "adds"),
    [
        ("V4", {}, True),
        ("V4", {"datasource": {"enableDatapoolUpdate": False}}, True),
        ("V4", {"useDatapool": True, "datasource": {"enableDatapoolUpdate": False}}, False),
        ("V2", {"datasource": {"enableDatapoolUpdate": False}}, False),
    ],
)
def test_a_datapool_that_is_not_updated_stays_as_it_is(
    version: str, docker: dict[str, Any], adds: bool
) -> None:
    assert read(version, docker).adds_to_dataset is adds


def test_options_about_reports_and_scores_of_old_clients_are_read() -> None:
    docker = {
        "n_example_images": 3,
        "dump_sampled_embeddings": True,
        "scorer_config": {"frequency_penalty": 0.5},
    }
    options = read("V0", docker)
    assert (options.n_example_pairs, options.stores_selected_embeddings) == (3, True)
    assert options.object_frequency == ObjectFrequency(0.5, 0.9)
    assert read("V0", {}).object_frequency == ObjectFrequency(0.25, 0.9)


@pytest.mark.parametrize("version", ["V0", "V2", "V4"])
def test_a_training_takes_its_settings_from_the_lightly_config(version: str) -> None:
    docker = {"enable_training": True} if version == "V0" else {"enableTraining": True}
    lightly = {"trainer": {"max_epochs" if version == "V0" else "maxEpochs": 7}}
    options = read(version, docker, lightly=lightly)
    assert options.training is not None
    assert options.training.max_epochs == 7
    assert read(version, {}, lightly=lightly).training is None
    lightly = {"trainer": {"max_epochs" if version == "V0" else "maxEpochs": 0}}
    assert read(version, docker, lightly=lightly).training is None


def test_a_training_with_impossible_settings_is_refused() -> None:
    with pytest.raises(RunRefused, match=r"loader\.batchSize must be 2 or more"):
        read("V4", {"enableTraining": True}, lightly={"loader": {"batchSize": 1}})


@pytest.mark.parametrize("name", ["models/mine.onnx", "mine.ONNX", "../secret", "last.ckpt"])
def test_a_checkpoint_is_no_file_of_the_workers_machine(name: str) -> None:
    with pytest.raises(RunRefused, match="id of a model"):
        choose_model(read("V4", {"checkpoint": name}))


def test_a_checkpoint_is_the_id_of_a_model() -> None:
    assert choose_model(read("V4", {"checkpoint": "clip-b32"})) == "clip-b32"
    assert choose_model(read("V4", {})) == "efficientnet-lite0-fp16"


def test_defaults_written_out_are_fine() -> None:
    docker = {
        "enableTraining": False,
        "pretagging": False,
        "selectedSequenceLength": 1,
        "embeddings": "",
        "numThreads": 3,
    }
    assert read("V4", docker).n_processes == 3


def test_options_of_videos_are_read() -> None:
    docker = {
        "selected_sequence_length": 3,
        "output_image_format": "jpeg",
        "show_video_sampling_timeline": False,
        "datasource": {"use_frame_count_metadata": True},
    }
    options = read("V0", docker)
    assert (options.sequence_length, options.image_format) == (3, "jpg")
    assert (options.draws_timeline, options.trusts_frame_count) == (False, True)


@pytest.mark.parametrize(
    ("docker", "named"),
    [
        ({"method": "coreset"}, "method"),
        ({"stopping_condition": {"n_samples": 5}}, "stoppingCondition"),
        ({"active_learning": {"task_name": "boxes"}}, "activeLearning"),
        ({"training": {"task_name": "boxes"}}, "training"),
        ({"pretagging_debug": True}, "pretagging_debug"),
    ],
)
def test_options_that_mean_nothing_beside_the_others_are_told(
    docker: dict[str, Any], named: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("WARNING", "lightly.worker"):
        read("V0", docker)
    assert f"worker_config.{named} changes nothing" in caplog.text


def test_free_form_options_are_read_in_the_spelling_of_their_time() -> None:
    options = read("V0", {"datasource": {"process_all": True}, "remove_exact_duplicates": False})
    assert options.process_all
    assert not options.remove_exact_duplicates


def test_an_unknown_free_form_option_is_named_with_the_nearest_known_one() -> None:
    with pytest.raises(InvalidConfiguration, match="Did you mean 'remove_exact_duplicates'"):
        read("V0", {"remove_exact_duplicate": True})


@pytest.mark.parametrize(
    ("n_samples", "expected"), [(0.25, {"proportionSamples": 0.25}), (10, {"nSamples": 10})]
)
def test_an_old_stopping_condition_says_how_many(n_samples: float, expected: Any) -> None:
    docker = {"method": "coreset", "stopping_condition": {"n_samples": n_samples}}
    selection = read("V0", docker, None).selection
    assert {key: selection[key] for key in expected} == expected
    assert selection["strategies"][0]["strategy"] == {"type": "DIVERSITY"}


def test_an_old_minimum_distance_ends_the_selection() -> None:
    selection = read("V0", {"stopping_condition": {"min_distance": 0.1}}, None).selection
    assert selection["nSamples"] == -1
    strategy = selection["strategies"][0]["strategy"]
    assert strategy["stopping_condition_minimum_distance"] == 0.1


def test_coral_weighs_by_a_score_of_a_task() -> None:
    docker = {
        "method": "coral",
        "stopping_condition": {"n_samples": 5},
        "active_learning": {"task_name": "boxes"},
    }
    weights = read("V0", docker, None).selection["strategies"][1]
    assert weights["input"] == {"type": "SCORES", "task": "boxes", "score": "uncertainty_margin"}


def test_coral_weighs_by_a_score_of_pretagging() -> None:
    docker = {
        "method": "coral",
        "stopping_condition": {"n_samples": 5},
        "pretagging": True,
        "scorer": "object-frequency",
    }
    weights = read("V0", docker, None).selection["strategies"][1]
    source = {"type": "SCORES", "task": "lightly_pretagging", "score": "object_frequency"}
    assert weights["input"] == source


def test_coral_without_a_task_is_refused() -> None:
    with pytest.raises(RunRefused, match="task_name"):
        read("V0", {"method": "coral", "stopping_condition": {"n_samples": 5}}, None)


def test_a_run_that_does_not_say_how_much_is_refused() -> None:
    with pytest.raises(RunRefused, match="how much"):
        read("V0", {}, None)
