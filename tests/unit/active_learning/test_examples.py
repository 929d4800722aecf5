"""The examples in the documentation of the scorers and configurations are true."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

import lightly.active_learning

MODULES = [
    module.name
    for module in pkgutil.walk_packages(
        lightly.active_learning.__path__, lightly.active_learning.__name__ + "."
    )
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_true(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_packages_load_with_their_first_use():
    code = (
        "import sys, lightly\n"
        "config = lightly.active_learning.config.SelectionConfig\n"
        "print('numpy' in sys.modules, lightly.active_learning.agents.ActiveLearningAgent.__name__)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False ActiveLearningAgent\n"


def test_other_names_are_not_there():
    assert not hasattr(lightly.active_learning, "trainers")
