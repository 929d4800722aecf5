"""When to use compiled loops: if this processor runs them, and if loading them pays.

Loading takes half a second of CPU once per process, compiling several seconds once per machine and
version. A selection that plain numpy finishes sooner does not wait for either.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import threading
from pathlib import Path
from types import ModuleType

# What numpy alone was measured to need: seconds per pick, and multiply-adds per second.
_SECONDS_PER_PICK, _PRODUCTS_PER_SECOND = 1e-4, 2e10
_WORTH_LOADING_S, _WORTH_COMPILING_S = 0.5, 10.0

#: Modules of loops that only some selections need.
FURTHER = ("cells", "dense", "gains", "mixing", "near_pairs", "neighbours")

_folder = Path(__file__).parent
_lock = threading.Lock()
_loaded: list[ModuleType | None] = []


def find_kernels(n_rows: int, n_dims: int, n_picks: int) -> ModuleType | None:
    """Return the compiled loops if they are there or worth loading for a run of this size."""
    if _loaded:
        return _loaded[0]
    seconds = n_picks * (_SECONDS_PER_PICK + n_rows * n_dims / _PRODUCTS_PER_SECOND / 4)
    if seconds < (_WORTH_LOADING_S if _is_compiled() else _WORTH_COMPILING_S):
        return None
    return load_kernels()


def get_loaded_kernels() -> ModuleType | None:
    """Return the compiled loops if they are there already."""
    return _loaded[0] if _loaded else None


def load_kernels() -> ModuleType | None:
    """Return the compiled loops, compiled now if they never were; None if they cannot run here."""
    with _lock:
        if not _loaded:
            _loaded.append(_import_kernels())
    return _loaded[0]


def rule_out_kernels() -> None:
    """Do without compiled loops in this process, as where they cannot run."""
    with _lock:
        _loaded[:] = [None]


def load_more_kernels(name: str) -> ModuleType:
    """Return further loops, one of `FURTHER`, where ``load_kernels`` found that loops run."""
    with _lock:
        return importlib.import_module(f"lightly.selection.kernels.{name}")


def _import_kernels() -> ModuleType | None:
    if importlib.util.find_spec("numba") is None:
        return None
    from lightly.selection.kernels import tiles  # noqa: PLC0415  numba takes a third of a second

    if not tiles.can_run():
        return None
    _drop_outdated()
    from lightly.selection.kernels import compiled  # noqa: PLC0415  compiles or loads

    return compiled


def _is_compiled() -> bool:
    return any((_folder / "__pycache__").glob("compiled.*.nbi"))


def _drop_outdated() -> None:
    """Remove what was compiled before a source changed: numba looks at one of the sources only."""
    newest = max(source.stat().st_mtime for source in _folder.glob("*.py"))
    for index in (_folder / "__pycache__").glob("*.nbi"):
        # Another process may drop them at the same time.
        with contextlib.suppress(FileNotFoundError):
            if index.stat().st_mtime < newest:
                index.unlink()
