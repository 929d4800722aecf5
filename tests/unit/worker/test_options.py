"""Options of runs from configurations of every version."""

from __future__ import annotations

from typing import Any

import pytest

from lightly.utils.run_configuration.errors import InvalidConfiguration
from lightly.worker.errors import RunRefused
from lightly.worker.options import read_options

SELECTION = {
    "nSamples": 3,
    "strategies": [{"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}}],
}


def read(version: str, docker: dict[str, Any], selection: Any = SELECTION) -> Any:
    """Read a configuration."""
    config = {"workerType": "FULL", "docker": docker, "lightly": {}, "selection": selection}
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


@pytest.mark.parametrize(("version", "uses"), [("V0", True), ("V2", True), ("V4", False)])
def test_the_datapool_is_on_where_old_workers_had_it_on(version: str, uses: bool) -> None:
    assert read(version, {}).use_datapool is uses


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


def test_coral_without_a_task_is_refused() -> None:
    with pytest.raises(RunRefused, match="task_name"):
        read("V0", {"method": "coral", "stopping_condition": {"n_samples": 5}}, None)


def test_a_run_that_does_not_say_how_much_is_refused() -> None:
    with pytest.raises(RunRefused, match="how much"):
        read("V0", {}, None)
