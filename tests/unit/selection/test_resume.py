"""Selecting a, then going on to b, equals selecting b: for every mixture, across processes."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from lightly.selection import (
    Auto,
    Balance,
    Diversity,
    InvalidSelectionInput,
    Random,
    SelectionCancelled,
    SelectionState,
    Similarity,
    Threshold,
    Typicality,
    Weights,
    select,
)
from tests.unit.selection.test_against_model import (
    EVERY,
    SIZES,
    configurations,
    make_diversity,
    make_threshold,
    make_weights,
    property_test,
)
from tests.unit.selection.tuning import tuned

NAMES = [f"folder/{number}.jpg" for number in range(300)]


def check_same(result, expected):
    """Everything that results say is equal, to the last bit."""
    assert result.indices.tolist() == expected.indices.tolist()
    for field in dataclasses.fields(expected):
        if field.repr and field.name != "strategies":
            np.testing.assert_equal(getattr(result, field.name), getattr(expected, field.name))
    for mine, theirs in zip(result.strategies, expected.strategies, strict=True):
        np.testing.assert_equal(vars(mine), vars(theirs))


def pass_on(state):
    return SelectionState.from_bytes(state.to_bytes())


class CancelAfter:
    """Says yes at the given question and at all later ones."""

    def __init__(self, n_questions):
        self.n_left = n_questions

    def __call__(self):
        self.n_left -= 1
        return self.n_left < 0


def make_mixture(embeddings, weights):
    return [
        Diversity(embeddings, min_distance=0.1),
        Weights(weights, strength=0.5, max_sum=1e6),
        Balance(np.arange(300) % 4, target={0: 0.5, 1: 0.2}),
        Similarity(embeddings, embeddings[:3], strength=-0.3),
        Typicality(embeddings, n_neighbours=5),
        Threshold(Random(NAMES, seed=3), threshold=0.2, operation="BIGGER"),
    ]


def select_or_skip(configuration):
    try:
        return select(**configuration)
    except InvalidSelectionInput:
        # TYPICALITY with a single candidate.
        reject()


def check_resumed(configuration, sizes, n_first):
    expected = select_or_skip(configuration)
    wanted = configuration["n_samples"]
    assume(wanted in (None, -1) or n_first <= wanted)
    with tuned(sizes):
        first = select(**{**configuration, "n_samples": n_first})
        result = select(**configuration, resume=pass_on(first.save_state()))

    check_same(result, expected)


@property_test(60)
@given(configurations([make_diversity], at_most=1), SIZES, st.integers(0, 20))
def test_diversity_goes_on_as_if_never_interrupted(configuration, sizes, n_first):
    check_resumed(configuration, sizes, n_first)


@property_test(60)
@given(configurations([make_diversity, make_weights, make_threshold]), SIZES, st.integers(0, 20))
def test_products_of_diversity_and_weights_go_on_as_if_never_interrupted(
    configuration, sizes, n_first
):
    check_resumed(configuration, sizes, n_first)


@property_test(80)
@given(configurations(EVERY, at_most=4), SIZES, st.integers(0, 20))
def test_all_mixtures_go_on_as_if_never_interrupted(configuration, sizes, n_first):
    check_resumed(configuration, sizes, n_first)


@pytest.mark.long
@property_test(1_500)
@given(configurations(EVERY, at_most=5), SIZES, st.integers(0, 40))
def test_all_mixtures_go_on_as_if_never_interrupted_at_length(configuration, sizes, n_first):
    check_resumed(configuration, sizes, n_first)


@pytest.mark.parametrize("n_first", [0, 3, 30, 60])
def test_auto_goes_on_as_if_never_interrupted(n_first, embeddings):
    strategies = [Auto(embeddings)]
    expected = select(n_samples=90, strategies=strategies, preselected=[7])

    state = select(n_samples=n_first, strategies=strategies, preselected=[7]).save_state()
    result = select(n_samples=90, strategies=strategies, preselected=[7], resume=pass_on(state))

    check_same(result, expected)


@property_test(40)
@given(configurations([make_diversity, make_weights]), SIZES, st.integers(0, 60))
def test_a_cancelled_run_goes_on_from_its_last_pick(configuration, sizes, n_questions):
    expected = select(**configuration)
    with tuned(sizes):
        try:
            select(**configuration, should_cancel=CancelAfter(n_questions))
        except SelectionCancelled as cancellation:
            state = pass_on(cancellation.save_state())
            result = select(**configuration, resume=state)
        else:
            return

    assert state.indices.tolist() == expected.indices[: len(state.indices)].tolist()
    check_same(result, expected)


def test_a_run_that_is_cancelled_again_and_again_ends_as_one_run(embeddings, weights):
    strategies = make_mixture(embeddings, weights)
    expected = select(n_samples=250, strategies=strategies)
    state, lengths = None, []

    for _ in range(100):
        try:
            result = select(
                n_samples=250, strategies=strategies, resume=state, should_cancel=CancelAfter(8)
            )
            break
        except SelectionCancelled as cancellation:
            state = cancellation.save_state()
            lengths.append(len(state.indices))
        if len(lengths) > 1 and lengths[-1] == lengths[-2]:
            result = select(n_samples=250, strategies=strategies, resume=state)
            break

    assert lengths == sorted(lengths)
    assert 0 < lengths[-1] < 250
    check_same(result, expected)


def test_another_process_goes_on(embeddings, weights, tmp_path):
    np.savez(tmp_path / "data.npz", embeddings=embeddings, weights=weights)
    first = select(n_samples=40, strategies=[Diversity(embeddings), Weights(weights)])
    (tmp_path / "state").write_bytes(first.save_state().to_bytes())
    program = """
import sys, numpy as np
from pathlib import Path
from lightly.selection import Diversity, SelectionState, Weights, select
folder = Path(sys.argv[1])
data = np.load(folder / "data.npz")
state = SelectionState.from_bytes((folder / "state").read_bytes())
strategies = [Diversity(data["embeddings"]), Weights(data["weights"])]
np.save(folder / "picks.npy", select(n_samples=100, strategies=strategies, resume=state).indices)
"""

    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True, timeout=120)

    expected = select(n_samples=100, strategies=[Diversity(embeddings), Weights(weights)])
    assert np.load(tmp_path / "picks.npy").tolist() == expected.indices.tolist()


def test_a_state_of_all_picks_is_the_whole_result(embeddings):
    expected = select(n_samples=30, strategies=[Diversity(embeddings)])

    result = select(n_samples=30, strategies=[Diversity(embeddings)], resume=expected.save_state())

    check_same(result, expected)


def test_progress_of_a_resumed_run_counts_its_earlier_picks(embeddings):
    state = select(n_samples=100, strategies=[Diversity(embeddings)]).save_state()
    beats = []

    select(
        n_samples=150,
        strategies=[Diversity(embeddings)],
        resume=state,
        progress=lambda done, total: beats.append((done, total)),
    )

    assert beats[-1] == (150, 150)
    assert [done for done, _ in beats] == sorted(done for done, _ in beats)


@pytest.mark.parametrize(
    "arrange", [np.asfortranarray, lambda rows: rows.astype(np.float64), np.ndarray.tolist]
)
def test_the_same_numbers_in_another_form_are_the_same_input(arrange, embeddings):
    state = select(n_samples=5, strategies=[Diversity(embeddings)]).save_state()

    result = select(n_samples=9, strategies=[Diversity(arrange(embeddings))], resume=state)

    assert len(result.indices) == 9


def change_one(values):
    changed = values.copy()
    changed.flat[-1] += 1e-3
    return changed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda e, w: {"strategies": [Diversity(change_one(e)), Weights(w)]}, "1 .Diversity"),
        (lambda e, w: {"strategies": [Diversity(e), Weights(change_one(w))]}, "2 .Weights"),
        (lambda e, w: {"strategies": [Diversity(e, strength=2), Weights(w)]}, "1 .Diversity"),
        (lambda e, w: {"strategies": [Diversity(e), Weights(w, max_sum=1)]}, "2 .Weights"),
        (lambda e, w: {"strategies": [Weights(w), Diversity(e)]}, "strategy 1 .*strategy 2"),
        (lambda e, w: {"strategies": [Diversity(e)]}, "2 .Weights"),
        (lambda e, w: {"preselected": [4]}, "preselected samples"),
        (lambda e, w: {"candidates": np.arange(200)}, "candidates"),
        (lambda e, w: {"n_samples": 4}, "5 picks, more than the 4"),
    ],
)
def test_other_input_is_refused_and_named(change, message, embeddings, weights):
    usual = {"n_samples": 5, "strategies": [Diversity(embeddings), Weights(weights)]}
    state = select(**usual).save_state()

    with pytest.raises(InvalidSelectionInput, match=message):
        select(**{**usual, **change(embeddings, weights)}, resume=state)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"indices": np.array([1, 1])}, "no run on this input"),
        ({"indices": np.array([7])}, "no run on this input"),
        ({"engine_version": "0"}, "version 0 of the engine"),
    ],
)
def test_impossible_states_are_refused(change, message, embeddings):
    arguments = {"n_samples": 5, "strategies": [Diversity(embeddings)], "preselected": [7]}
    state = select(**arguments).save_state()

    with pytest.raises(InvalidSelectionInput, match=message):
        select(**arguments, resume=dataclasses.replace(state, **change, memories=()))


def flip(content, place):
    changed = bytearray(content)
    changed[place] ^= 1
    return bytes(changed)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: b"", "not the state"),
        (lambda content: b"\x93NUMPY" + content, "not the state"),
        (lambda content: content[:-1], "damaged"),
        (lambda content: content[:40], "damaged"),
        (lambda content: content + b"x", "damaged"),
        (lambda content: flip(content, 60), "damaged"),
        (lambda content: flip(content, -20), "damaged"),
        (lambda content: content[:17] + b"\x09" + content[18:], "format 9"),
    ],
)
def test_damaged_bytes_are_refused(damage, message, embeddings):
    content = select(n_samples=5, strategies=[Diversity(embeddings)]).save_state().to_bytes()

    with pytest.raises(InvalidSelectionInput, match=message):
        SelectionState.from_bytes(damage(content))


def test_names_of_random_numbers_are_part_of_the_input():
    first = select(n_samples=5, strategies=[Weights(Random(NAMES, seed=1))]).save_state()

    for other in (Random(NAMES, seed=2), Random([*NAMES[:-1], "x"], seed=1)):
        with pytest.raises(InvalidSelectionInput, match="Weights"):
            select(n_samples=9, strategies=[Weights(other)], resume=first)
