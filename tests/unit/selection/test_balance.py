"""BALANCE: class mixes, targets and what counts as missing."""

from __future__ import annotations

import numpy as np
import pytest

from lightly.selection import Balance, InvalidSelectionInput, select

# Three samples of class 0, two of class 1, one of class 2.
CLASSES = np.array([0, 0, 0, 1, 1, 2])


def test_uniform_target_takes_classes_in_turn():
    result = select(n_samples=6, strategies=[Balance(CLASSES, target="UNIFORM")])

    assert result.indices.tolist() == [0, 3, 5, 1, 4, 2]


def test_one_hot_rows_are_class_numbers():
    rows = np.eye(3)[CLASSES]

    numbers = select(n_samples=6, strategies=[Balance(CLASSES, target={0: 0.2, 2: 0.3})])
    one_hot = select(n_samples=6, strategies=[Balance(rows, target={0: 0.2, 2: 0.3})])

    assert one_hot.indices.tolist() == numbers.indices.tolist()


def test_selection_follows_the_target():
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 3, size=3_000)

    result = select(n_samples=400, strategies=[Balance(classes, target={0: 0.5, 1: 0.3, 2: 0.2})])

    report = result.strategies[0]
    assert report.mix.tolist() == [0.5, 0.3, 0.2]
    assert report.target.tolist() == [0.5, 0.3, 0.2]
    assert report.cross_entropy == pytest.approx(1.0296530140645737)


def test_shares_below_one_leave_the_rest_to_all_unnamed_classes():
    classes = np.repeat([0, 1, 2, 3], 100)

    result = select(n_samples=100, strategies=[Balance(classes, target={2: 0.6})])

    report = result.strategies[0]
    assert report.mix[2] == pytest.approx(0.6)
    assert report.others == pytest.approx(0.4)


def test_shares_above_one_count_by_ratio():
    halves = select(n_samples=6, strategies=[Balance(CLASSES, target={0: 0.5, 1: 0.5})])

    fours = select(n_samples=6, strategies=[Balance(CLASSES, target={0: 4.0, 1: 4.0})])

    assert fours.indices.tolist() == halves.indices.tolist()
    assert fours.strategies[0].target.tolist() == [0.5, 0.5, 0.0]


def test_input_target_is_the_mix_of_candidates():
    result = select(n_samples=3, strategies=[Balance(CLASSES, target="INPUT")], preselected=[0])

    assert result.strategies[0].target.tolist() == [0.4, 0.4, 0.2]


def test_uniform_target_is_over_classes_that_occur():
    balance = Balance(CLASSES, target="UNIFORM", n_classes=5)

    result = select(n_samples=3, strategies=[balance], candidates=[0, 3], preselected=[5])

    assert result.strategies[0].target.tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0, 0])


def test_preselected_samples_count_in_the_mix():
    result = select(
        n_samples=1, strategies=[Balance(CLASSES, target="UNIFORM")], preselected=[0, 3]
    )

    assert result.indices.tolist() == [5]


@pytest.mark.parametrize(
    "balance",
    [
        Balance([-1, 0, 1], target={0: 0.5, 1: 0.5}),
        Balance([[9, 9], [1, 0], [0, 1]], target={0: 0.5, 1: 0.5}, missing=[True, False, False]),
        Balance([1, 0, 1], target={0: 0.5, 1: 0.5}, missing=[True, False, False]),
    ],
)
def test_missing_classes_leave_the_mix_unchanged_and_are_counted(balance):
    result = select(n_samples=3, strategies=[balance])

    report = result.strategies[0]
    assert report.n_missing == 1
    assert report.mix.tolist() == [0.5, 0.5]
    assert result.indices.tolist() == [1, 2, 0]


def test_negative_strength_drives_the_mix_away():
    result = select(n_samples=3, strategies=[Balance(CLASSES, target={2: 1.0}, strength=-1.0)])

    assert 5 not in result.indices


def test_probabilities_are_summed():
    rows = np.array([[1.0, 0.0], [0.9, 0.1], [0.4, 0.6], [0.0, 1.0]])

    result = select(n_samples=1, strategies=[Balance(rows, target={0: 0.5, 1: 0.5})])

    assert result.indices.tolist() == [2]


def test_gains_are_falls_of_the_cross_entropy():
    result = select(n_samples=2, strategies=[Balance([0, 1], target="UNIFORM")])

    absent = -np.log(1e-10)
    assert result.gains[:, 0] == pytest.approx([absent / 2, absent / 2 - np.log(2)])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"target": {3: 1.0}}, "names class 3. The known classes are 0 to 2"),
        ({"target": {0: -0.5}}, "must be a number >= 0"),
        ({"target": {0: np.nan}}, "must be a number >= 0"),
        ({"target": "EVEN"}, "'UNIFORM' or 'INPUT'"),
        ({"classes": [0, 1, -2, 0, 0, 0]}, "class of sample 2 is -2"),
        ({"classes": CLASSES, "n_classes": 2}, "class of sample 5 is 2"),
        ({"classes": [[1.0], [np.nan]]}, "shares of sample 1"),
        ({"classes": [[1.0], [-0.1]]}, "shares of sample 1"),
        ({"classes": [0.5, 1.5]}, "must be integers"),
        ({"missing": [True]}, "missing flags"),
    ],
)
def test_unusable_balances_are_refused(arguments, message):
    usual = {"classes": CLASSES, "target": "UNIFORM"}
    select(n_samples=1, strategies=[Balance(**usual)])

    with pytest.raises(InvalidSelectionInput, match=message):
        select(n_samples=1, strategies=[Balance(**{**usual, **arguments})])
