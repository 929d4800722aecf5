"""How many samples a selection takes, and by which method."""

import re

import pytest

from lightly.active_learning.config import SamplingConfig
from lightly.active_learning.config.selection_config import SelectionConfig
from lightly.openapi_generated.swagger_client.models.sampling_method import SamplingMethod


def test_defaults_are_the_documented_ones():
    config = SelectionConfig()

    assert (config.method, config.n_samples, config.min_distance) == ("CORESET", 32, -1)


def test_values_are_kept():
    config = SelectionConfig(SamplingMethod.RANDOM, 5, 0.25, "mine")

    assert (config.method, config.n_samples, config.min_distance, config.name) == (
        SamplingMethod.RANDOM,
        5,
        0.25,
        "mine",
    )


def test_a_name_is_made_of_the_values_and_the_time():
    name = SelectionConfig("RANDOM", 7).name

    assert re.fullmatch(r"RANDOM_7_-1_\d\d_\d\d_\d{4}__\d\d_\d\d_\d\d", name)


def test_a_made_name_fits_a_tag():
    pattern = r"[a-zA-Z0-9][a-zA-Z0-9 .:;=@_-]+"

    assert re.fullmatch(pattern, SelectionConfig("CORAL", 0.5, 0.1).name)


@pytest.mark.parametrize("n_samples", [1, 50_000, 0.5, -1, 3.0])
def test_numbers_and_shares_of_samples_are_taken(n_samples):
    assert SelectionConfig(n_samples=n_samples).n_samples == n_samples


@pytest.mark.parametrize("n_samples", [0, -2, 1.5, -0.5, float("nan"), float("inf")])
def test_other_numbers_of_samples_are_refused(n_samples):
    with pytest.raises(ValueError, match="'n_samples'"):
        SelectionConfig(n_samples=n_samples)


@pytest.mark.parametrize("min_distance", [-0.1, -2, float("nan"), float("inf")])
def test_distances_below_zero_are_refused(min_distance):
    with pytest.raises(ValueError, match="'min_distance'"):
        SelectionConfig(min_distance=min_distance)


@pytest.mark.parametrize("method", ["coreset", "", None, 3])
def test_unknown_methods_are_refused_with_the_known_ones(method):
    with pytest.raises(ValueError, match="ACTIVE_LEARNING, CORAL, CORESET, RANDOM"):
        SelectionConfig(method=method)


def test_the_former_name_still_works():
    with pytest.warns(PendingDeprecationWarning, match="SelectionConfig"):
        config = SamplingConfig(n_samples=3)

    assert isinstance(config, SelectionConfig)
    assert config.n_samples == 3


def test_text_shows_the_values():
    config = SelectionConfig("RANDOM", 3, name="mine")

    assert repr(config) == (
        "SelectionConfig(method='RANDOM', n_samples=3, min_distance=-1, name='mine')"
    )
