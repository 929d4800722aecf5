"""Data curation for computer vision on your own machines: server, SDK, selection, worker."""

from __future__ import annotations

import importlib
from types import ModuleType

__version__ = "2.0.0"

#: Scripts write `import lightly` and then `lightly.api.ApiWorkflowClient(...)`.
_PUBLIC_PACKAGES = frozenset({"active_learning", "api", "data", "embedding", "selection", "utils"})


def __getattr__(name: str) -> ModuleType:
    """Load a public package when it is first used, so that `import lightly` costs nothing."""
    if name in _PUBLIC_PACKAGES:
        return importlib.import_module(f"lightly.{name}")
    raise AttributeError(f"module 'lightly' has no attribute {name!r}")
