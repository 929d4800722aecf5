"""`lightly worker`: the words of the old worker image."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from lightly import __version__
from lightly.cli.worker import worker


def refuse(word: str) -> str:
    result = CliRunner().invoke(worker, [word])
    assert result.exit_code
    return f"{result.exception} {result.output}"


def test_a_sanity_check_tells_the_version_and_ends() -> None:
    result = CliRunner().invoke(worker, ["token=canary", "sanity_check=True"])
    assert (result.exit_code, result.output) == (0, f"lightly worker {__version__}: OK\n")


@pytest.mark.parametrize(
    ("word", "place"),
    [
        ("stopping_condition.n_samples=0.1", "worker_config"),
        ("enable_training=True", "worker_config"),
        ("+lightly.loader.batch_size=3", "lightly_config"),
        ("docker.pretagging=True", "worker_config"),
    ],
)
def test_an_option_of_runs_is_told_where_it_belongs(word: str, place: str) -> None:
    assert f"Give it as {place} to schedule_compute_worker_run" in refuse(word)


def test_an_unknown_word_is_refused_with_the_nearest_one() -> None:
    assert "Did you mean 'worker.worker_id'?" in refuse("worker.worker_idd=x")
    assert "no setting 'nonsense'" in refuse("nonsense=1")
