"""Options that no run carries out are refused before it begins, each with what to do instead."""

from __future__ import annotations

from typing import Any

import pytest

from lightly.utils.run_configuration.errors import ContradictoryConfiguration
from lightly.utils.run_configuration.reading import read_free_form
from lightly.utils.run_configuration.unworkable import check_workable
from tests.support.run_configurations import FREE_FORM, FULL

DATASET = "d" * 24


def check(docker: dict[str, Any], **parts: Any) -> None:
    """Look at options as users of the first clients write them."""
    config = read_free_form({"workerType": "FULL", "docker": docker, **parts})
    check_workable(config, "config", dataset_id=DATASET)


def test_defaults_that_are_spelled_out_ask_for_nothing() -> None:
    check(FREE_FORM)
    for config in FULL.values():
        check_workable(config, "config", dataset_id=DATASET)


@pytest.mark.parametrize(
    ("docker", "named", "instead"),
    [
        ({"append_weak_labels": True}, "appendWeakLabels", "Leave it out"),
        ({"upload_dataset": True}, "uploadDataset", "Leave it out"),
        ({"enable_corruptness_check": False}, "enableCorruptnessCheck", "Leave this out"),
        (
            {"corruptness_check": {"corruption_threshold": 0.3}},
            "corruptnessCheck.corruptionThreshold",
            "Leave it out",
        ),
        ({"sanity_check": True}, "sanityCheck", "lightly worker sanity_check=True"),
        ({"worker": {"worker_id": "a" * 24}}, "worker.workerId", "runs_on"),
        ({"worker": {"force_start": False}}, "worker.forceStart", "lightly worker worker.force"),
        ({"dump_dataset": True}, "dumpDataset", "lightly copy"),
        ({"output_image_size": [100, 200]}, "outputImageSize", "Leave it out"),
        ({"run_directory": "mine"}, "runDirectory", "Leave it out"),
        ({"datapool": {"name": "mine"}}, "datapool.name", "use_datapool"),
        ({"datapool": {"keep_history": False}}, "datapool.keepHistory", "Leave it out"),
        ({"datapool": {"dataset_id": "a" * 24}}, "datapool.datasetId", "Leave it out"),
        ({"datasource": {"dataset_id": "a" * 24}}, "datasource.datasetId", "Leave it out"),
        (
            {"active_learning_score_column_name": "score"},
            "activeLearningScoreColumnName",
            "weigh by them",
        ),
        ({"scorer": "beauty"}, "scorer", "object_frequency"),
        (
            {"method": "random", "stopping_condition": {"min_distance": 0.1}},
            "stoppingCondition.minDistance",
            "coreset",
        ),
    ],
)
def test_what_no_run_does_is_refused_by_name(
    docker: dict[str, Any], named: str, instead: str
) -> None:
    with pytest.raises(ContradictoryConfiguration) as caught:
        check(docker)
    assert str(caught.value).startswith(f"config.docker.{named}: ")
    assert instead in str(caught.value)


def test_the_dataset_of_the_run_may_be_named() -> None:
    check({"datasource": {"dataset_id": DATASET}, "datapool": {"dataset_id": DATASET}})


def test_old_scores_are_named_in_the_spelling_of_their_time() -> None:
    check({"scorer": "objectness-least-confidence"})


@pytest.mark.parametrize(
    ("docker", "fitting", "other"),
    [
        ({"enableTraining": True}, "Images", "Videos"),
        ({"selectedSequenceLength": 5}, "Videos", "Images"),
    ],
)
def test_what_a_kind_of_dataset_cannot_have_is_refused_with_the_way_out(
    docker: dict[str, Any], fitting: str, other: str
) -> None:
    config = {"docker": docker}
    check_workable(config, "config", dataset_type=fitting)
    check_workable(config, "config")
    with pytest.raises(ContradictoryConfiguration, match="Leave it out, or"):
        check_workable(config, "config", dataset_type=other)
