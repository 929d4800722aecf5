"""Nothing that is read can run: T30 of the threat list. Checkpoints are in test_training.py."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "src" / "lightly"
#: Modules whose formats hold code.
MODULES = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
#: Calls that run what they are given, by their last two names.
CALLS = {"eval", "exec", "torch.load", "yaml.load", "yaml.unsafe_load", "yaml.full_load"}


def find_danger(tree: ast.AST) -> Iterator[str]:
    """Yield what could run data."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (f"import {one.name}" for one in node.names if is_dangerous(one.name))
        elif isinstance(node, ast.ImportFrom) and is_dangerous(node.module or ""):
            yield f"from {node.module}"
        elif isinstance(node, ast.Call):
            name = ".".join(ast.unparse(node.func).split(".")[-2:])
            if name in CALLS:
                yield name
            if any(word.arg == "allow_pickle" for word in node.keywords):
                yield f"{name}(allow_pickle)"


def is_dangerous(module: str) -> bool:
    """Tell whether a module reads formats that hold code."""
    return module.split(".", maxsplit=1)[0] in MODULES


def test_no_module_reads_formats_that_hold_code_or_runs_text():
    found = {
        f"{path.relative_to(SOURCES)}: {what}"
        for path in SOURCES.rglob("*.py")
        for what in find_danger(ast.parse(path.read_text("utf-8")))
    }
    assert found == set()


@pytest.mark.parametrize(
    "text",
    [
        "import pickle", "from joblib import load", "eval('1')", "exec('1')",
        "torch.load(path, weights_only=False)", "yaml.load(file)",
        "np.load(path, allow_pickle=True)",
    ],
)  # fmt: skip
def test_the_search_finds_what_it_looks_for(text):
    assert list(find_danger(ast.parse(text)))
