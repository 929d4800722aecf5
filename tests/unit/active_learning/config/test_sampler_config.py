"""The name of the configuration up to client 1.1."""

import pytest

from lightly.active_learning.config import SamplerConfig, SelectionConfig


def test_the_oldest_name_still_works_and_says_the_new_one():
    with pytest.warns(PendingDeprecationWarning, match="SelectionConfig"):
        config = SamplerConfig("RANDOM", 5, name="mine")

    assert isinstance(config, SelectionConfig)
    assert (config.method, config.n_samples, config.name) == ("RANDOM", 5, "mine")
