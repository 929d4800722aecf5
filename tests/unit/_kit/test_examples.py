"""The examples in the documentation of the kit are true, and it needs nothing but Python."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import sys

import pytest

import lightly._kit

MODULES = [f"lightly._kit.{module.name}" for module in pkgutil.iter_modules(lightly._kit.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_true(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_it_imports_the_standard_library_only(name):
    module = importlib.import_module(name)

    imported = {
        (getattr(value, "__module__", None) or getattr(value, "__name__", "")).partition(".")[0]
        for value in vars(module).values()
        if hasattr(value, "__module__") or hasattr(value, "__spec__")
    }
    assert imported - {""} <= {*sys.stdlib_module_names, "lightly"}
