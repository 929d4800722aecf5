"""Choosing which samples to label next."""

from __future__ import annotations

import importlib
from types import ModuleType

_PACKAGES = frozenset({"agents", "config", "scorers", "utils"})


def __getattr__(name: str) -> ModuleType:
    # Loads with its first use, so that the configuration alone needs no numpy.
    if name not in _PACKAGES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.{name}")
