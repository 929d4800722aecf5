"""What runs a worker's stages runs the shards of a selection."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from lightly._kit.errors import BadInput
from lightly.data.large_selection import EmbeddingFile
from lightly.data.selection_plan.planning import PlannedStrategy, SelectionPlan
from lightly.selection import Diversity, RowSource, Weights, select_in_shards
from lightly.worker.errors import RunStopped
from lightly.worker.runs import sharded_selecting
from lightly.worker.settings import WorkerSettings
from lightly.worker.shards.executing import run_shards
from lightly.worker.shards.executors import ShardExecutor

ROWS = np.random.default_rng(6).normal(size=(300, 5)).astype(np.float32)


class Lease:
    """A lease that notes what it is told, and ends the run if it shall."""

    def __init__(self, *, shall_end=False):
        self.shall_end, self.progress = shall_end, []

    def report_progress(self, n_done, n_total):
        self.progress.append((n_done, n_total))

    def check(self):
        if self.shall_end:
            raise RunStopped("The run was stopped on request.")


@pytest.fixture
def make_context(tmp_path):
    def make(shards, **lease):
        settings = WorkerSettings(
            server_url="http://127.0.0.1", token="t", name="w", work_dir=tmp_path,
            selection_shards=shards,
        )  # fmt: skip
        return SimpleNamespace(settings=settings, lease=Lease(**lease))

    return make


@pytest.fixture
def mapped(tmp_path):
    """Embeddings as a run has them."""
    ROWS.tofile(tmp_path / "embeddings.f32")
    return np.memmap(tmp_path / "embeddings.f32", np.float32, "r").reshape(-1, 5)


def make_plan(*engines, n_samples=20):
    planned = tuple(PlannedStrategy({}, {"type": "DIVERSITY"}, engine) for engine in engines)
    return SelectionPlan(n_samples, planned)


def test_a_selection_in_shards_runs_where_stages_run():
    looks = []

    with ThreadPoolExecutor(2) as threads:
        place = ShardExecutor(threads, 2, is_remote=False)
        runner = partial(run_shards, place=place, check=lambda: looks.append(1))
        found = select_in_shards(ROWS, 20, shards=6, runner=runner)

    assert found.indices.tolist() == select_in_shards(ROWS, 20, shards=6).indices.tolist()
    assert looks


def test_a_run_selects_in_shards_that_read_the_file_of_embeddings(
    make_context, mapped, monkeypatch
):
    sent = []

    def watch(specs, run, place, *, check):
        specs = list(specs)
        sent.extend(specs)
        return run_shards(iter(specs), run, place, check=check)

    monkeypatch.setattr(sharded_selecting, "run_shards", watch)
    context = make_context(4)
    found = sharded_selecting.select_in_shards(context, make_plan(Diversity(mapped)), np.arange(7))

    expected = select_in_shards(ROWS, 20, shards=4, preselected=np.arange(7))
    assert found.result.indices.tolist() == expected.indices.tolist()
    assert f"in 4 shards, from {expected.n_kept} samples" in found.plan.planned[0].notes[0]
    assert [isinstance(spec.rows, EmbeddingFile) for spec in sent] == [True] * 4
    assert context.lease.progress[0] == (1, 4)


def test_embeddings_that_are_in_no_file_travel_with_their_shards(make_context):
    plan = make_plan(Diversity(ROWS))

    found = sharded_selecting.select_in_shards(make_context(3), plan, np.arange(0))

    assert found.result.indices.tolist() == select_in_shards(ROWS, 20, shards=3).indices.tolist()
    assert not isinstance(plan.strategies[0].embeddings, RowSource)


@pytest.mark.parametrize(
    ("shards", "plan"),
    [
        (1, make_plan(Diversity(ROWS))),
        (4, make_plan(Diversity(ROWS), Weights(np.ones(300)))),
        (4, make_plan(Diversity(ROWS), n_samples=None)),
    ],
)
def test_other_selections_are_made_at_once(make_context, shards, plan):
    assert sharded_selecting.select_in_shards(make_context(shards), plan, np.arange(0)) is None


def test_a_run_that_is_stopped_ends_between_shards(make_context):
    context = make_context(3, shall_end=True)

    with pytest.raises(RunStopped):
        sharded_selecting.select_in_shards(context, make_plan(Diversity(ROWS)), np.arange(0))


@pytest.mark.parametrize("shards", [0, 4_097])
def test_a_number_of_shards_that_makes_no_sense_is_refused(make_context, shards):
    with pytest.raises(BadInput, match="selection_shards must be 1 to 4096"):
        make_context(shards)
