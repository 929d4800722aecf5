"""A selection from a file picks what one in memory picks, and says what is wrong with the file."""

from __future__ import annotations

import errno
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightly._kit.errors import BadInput
from lightly.data.large_selection import (
    EmbeddingFile,
    EmbeddingFileInvalid,
    RemainingTime,
    select_from_file,
    selecting,
)
from lightly.selection import (
    Diversity,
    InvalidSelectionInput,
    SelectionCancelled,
    Weights,
    find_near_duplicates,
    select,
)
from lightly.selection.kernels.loading import load_kernels
from tests.unit.selection.tuning import SMALL, tuned, without_kernels

ROWS = np.random.default_rng(9).normal(size=(240, 6)).astype(np.float32)
LEAST_BYTES = 64 * 240 + 60 * (64 + 8 * 6) + (64 << 20)


@pytest.fixture(scope="module", autouse=True)
def _loops():
    """Let selections that are too short to load compiled loops run them too."""
    load_kernels()


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "mine.npy"
    np.save(path, ROWS)
    return path


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("memory_bytes", [None, LEAST_BYTES])
@pytest.mark.parametrize("has_loops", [True, False])
def test_picks_are_those_of_the_same_embeddings_in_memory(tmp_path, dtype, memory_bytes, has_loops):
    np.save(tmp_path / "mine.npy", ROWS.astype(dtype))

    def select_both():
        return (
            select_from_file(
                EmbeddingFile(tmp_path / "mine.npy"), 60, memory_bytes=memory_bytes
            ).result,
            select(n_samples=60, strategies=[Diversity(ROWS.astype(dtype))]),
        )

    with tuned(SMALL):
        if has_loops:
            found, whole = select_both()
        else:
            with without_kernels():
                found, whole = select_both()

    assert found.indices.tolist() == whole.indices.tolist()
    assert found.distances.tolist() == whole.distances.tolist()
    assert found.strategies[0].coverage == whole.strategies[0].coverage


#: Pools as they are for large files, and not the ways that are for small ones.
POOLS = {
    name: SMALL[name]
    for name in ("ns_to_pack", "ns_to_pack_large", "direct_picks_large", "direct_picks_alone",
                 "quick_products", "dense_bytes", "resident_bytes")
} | {"pool_rows": 128}  # fmt: skip


def _make_clusters(rng):
    centres = rng.normal(size=(30, 24))
    return centres[rng.integers(0, 30, size=3_000)] + 0.2 * rng.normal(size=(3_000, 24))


@pytest.mark.parametrize(
    "make",
    [
        _make_clusters,
        lambda rng: rng.normal(size=(3_000, 24)),
        lambda rng: rng.integers(0, 2, size=(3_000, 11)),
        lambda rng: np.repeat(rng.normal(size=(300, 24)), 10, axis=0),
        lambda rng: 1000 + 0.01 * rng.normal(size=(3_000, 24)),
        lambda rng: 1e25 * rng.normal(size=(3_000, 24)),
    ],
    ids=["clusters", "normal", "ties", "copies", "far off", "huge"],
)
def test_codes_that_decide_without_rows_change_no_pick(tmp_path, make):
    rows = make(np.random.default_rng(8)).astype(np.float32)
    np.save(tmp_path / "mine.npy", rows)
    weights = Weights(np.random.default_rng(7).random(3_000) + 0.1)

    with tuned(POOLS), EmbeddingFile(tmp_path / "mine.npy") as file:
        found, mixed = (
            select(n_samples=500, strategies=[Diversity(file), *others], preselected=[7, 70])
            for others in ([], [weights])
        )

    for result, others in ((found, []), (mixed, [weights])):
        whole = select(n_samples=500, strategies=[Diversity(rows), *others], preselected=[7, 70])
        assert result.indices.tolist() == whole.indices.tolist()
        assert result.distances.tolist() == whole.distances.tolist()
        assert result.strategies[0].nearest.tolist() == whole.strategies[0].nearest.tolist()
        assert result.strategies[0].coverage == whole.strategies[0].coverage


def test_few_rows_are_read_again_where_codes_are_kept(tmp_path):
    np.save(tmp_path / "mine.npy", _make_clusters(np.random.default_rng(8)).astype(np.float32))
    n_read = []

    class Counting(EmbeddingFile):
        def read_rows(self, rows):
            n_read.append(len(rows))
            return super().read_rows(rows)

    def count(memory_bytes):
        n_read.clear()
        with tuned(POOLS), Counting(tmp_path / "mine.npy") as file:
            select_from_file(file, 500, memory_bytes=memory_bytes)
        return sum(n_read)

    least_bytes = 64 * 3_000 + 500 * (64 + 8 * 24) + (64 << 20)
    assert 3 * count(None) < 2 * count(least_bytes)


def test_codes_of_all_samples_are_kept_only_where_there_is_memory(path):
    with EmbeddingFile(path) as file:
        select_from_file(file, 60, memory_bytes=LEAST_BYTES + 240 * 6)
        assert file.spare_bytes == 240 * 6

        with pytest.raises(BadInput, match=rf"at least {LEAST_BYTES} bytes of memory"):
            select_from_file(file, 60, memory_bytes=LEAST_BYTES - 1)


def test_other_functions_read_files_too(path):
    found = find_near_duplicates(EmbeddingFile(path), 2.0)

    assert found.leaders.tolist() == find_near_duplicates(ROWS, 2.0).leaders.tolist()


def test_a_number_that_is_not_finite_is_named_by_file_and_row(tmp_path):
    rows = np.zeros((400_000, 4), np.float32)
    rows[399_123, 2] = np.nan
    np.save(tmp_path / "mine.npy", rows)

    with pytest.raises(EmbeddingFileInvalid, match=r"Row 399123 of the file 'mine\.npy'"):
        select_from_file(EmbeddingFile(tmp_path / "mine.npy"), 3)


def test_a_file_that_changes_during_a_selection_ends_it(path):
    def harm(progress):
        if progress.n_picked > 20:
            np.save(path, ROWS[::-1])

    with tuned(SMALL), pytest.raises(EmbeddingFileInvalid, match="has changed since"):
        select_from_file(EmbeddingFile(path), 60, progress=harm)


@settings(max_examples=5, deadline=None)
@given(n_questions=st.integers(1, 150))
def test_a_run_that_was_cancelled_goes_on_from_its_check_point(n_questions, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    np.save(folder / "mine.npy", ROWS)
    left = iter(range(n_questions))
    options = {"checkpoint": folder / "point", "checkpoint_interval_s": 0.0}

    with tuned(SMALL):
        with suppress(SelectionCancelled):
            select_from_file(
                EmbeddingFile(folder / "mine.npy"),
                60,
                should_cancel=lambda: next(left, None) is None,
                **options,
            )
        found = select_from_file(EmbeddingFile(folder / "mine.npy"), 60, **options)
        whole = select(n_samples=60, strategies=[Diversity(ROWS)])

    assert found.result.indices.tolist() == whole.indices.tolist()
    assert found.result.distances.tolist() == whole.distances.tolist()


def test_a_run_goes_on_to_more_picks_and_counts_those_of_the_check_point(path, tmp_path):
    point = tmp_path / "point"
    select_from_file(EmbeddingFile(path), 40, checkpoint=point)

    found = select_from_file(EmbeddingFile(path), 60, checkpoint=point)

    whole = select(n_samples=60, strategies=[Diversity(ROWS)])
    assert found.n_resumed == 40
    assert found.result.indices.tolist() == whole.indices.tolist()


def test_a_full_disk_costs_check_points_and_nothing_else(path, tmp_path, monkeypatch, caplog):
    point = tmp_path / "point"
    select_from_file(EmbeddingFile(path), 30, checkpoint=point)
    before = point.read_bytes()

    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(selecting, "write_atomic", refuse)
    with tuned(SMALL):
        found = select_from_file(
            EmbeddingFile(path), 60, checkpoint=point, checkpoint_interval_s=0.0
        )

    whole = select(n_samples=60, strategies=[Diversity(ROWS)])
    assert found.result.indices.tolist() == whole.indices.tolist()
    assert found.n_lost_checkpoints > 3
    assert point.read_bytes() == before
    assert "No space left on device" in caplog.text


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda point: point.write_bytes(point.read_bytes()[:-5]), "damaged"),
        (lambda point: point.write_bytes(b"something else"), "not the state"),
    ],
)
def test_a_damaged_check_point_is_refused(path, tmp_path, harm, words):
    point = tmp_path / "point"
    select_from_file(EmbeddingFile(path), 30, checkpoint=point)
    harm(point)

    with pytest.raises(InvalidSelectionInput, match=words):
        select_from_file(EmbeddingFile(path), 60, checkpoint=point)


def test_a_check_point_of_another_file_is_refused(path, tmp_path):
    point = tmp_path / "point"
    select_from_file(EmbeddingFile(path), 30, checkpoint=point)
    np.save(path, ROWS + 1)

    with pytest.raises(InvalidSelectionInput, match="run with other input"):
        select_from_file(EmbeddingFile(path), 60, checkpoint=point)


def test_progress_ends_with_all_picks_and_no_time_left(path):
    seen = []

    with tuned(SMALL):
        select_from_file(EmbeddingFile(path), 60, progress=seen.append)

    assert [one.n_picked for one in seen] == sorted(one.n_picked for one in seen)
    assert (seen[-1].n_picked, seen[-1].n_total, seen[-1].remaining_s) == (60, 60, 0.0)
    assert seen[0].remaining_s is None


@pytest.mark.parametrize("power", [0.6, 1.0, 1.4])
def test_the_estimate_is_right_within_a_third_from_the_middle_on(power):
    """Time grows with a power of what is done; the first steps take long, as reading does."""
    estimate, total = RemainingTime(), 10_000
    for done in range(0, total, 3):
        now_s = 5.0 + 100.0 * (done / total) ** power if done else 0.0
        left_s = estimate.note(done, total, now_s=now_s)
        if done > total / 2 and left_s is not None:
            assert left_s == pytest.approx(105.0 - now_s, rel=1 / 3)
    assert estimate.note(total, total, now_s=105.0) == 0.0
