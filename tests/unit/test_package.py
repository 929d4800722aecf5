"""The root of the package."""

from __future__ import annotations

import subprocess
import sys

import pytest

import lightly


def test_public_packages_load_when_they_are_first_used():
    code = "import sys, lightly; before = 'lightly.api' in sys.modules; "
    code += "print(before, lightly.api.ApiWorkflowClient.__name__)"

    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert result.stdout.strip() == "False ApiWorkflowClient"


def test_other_names_do_not_exist():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = lightly.nothing
