"""Data and settings that the tests of selection share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from lightly.selection.kernels.loading import load_kernels


@pytest.fixture(scope="session", autouse=True)
def kernels() -> None:
    """Use the compiled loops from the first test on, not from the first that is worth them."""
    load_kernels()


@pytest.fixture
def embeddings() -> np.ndarray:
    """300 vectors of 12 dimensions without ties."""
    return np.random.default_rng(7).normal(size=(300, 12)).astype(np.float32)


@pytest.fixture
def weights() -> np.ndarray:
    """One positive number per vector."""
    return np.random.default_rng(8).random(300) + 0.1


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Shrink pools, blocks and chunks, so that small data take the way of large data."""
    from tests.unit.selection.tuning import SMALL, list_settings

    def shrink(**overrides: int) -> None:
        for module, name, value in list_settings({**SMALL, **overrides}):
            monkeypatch.setattr(module, name, value)

    return shrink
