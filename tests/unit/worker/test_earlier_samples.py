"""What is known of samples of earlier runs is asked of the server once, page by page."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from lightly.worker.runs import earlier_samples
from lightly.worker.runs.context import RunContext
from lightly.worker.runs.earlier_samples import EarlierSamples

PAGES = [
    [
        {"fileName": "b.jpg", "metaData": {"luminance": 40.0, "shape": [10, 20, 3]}},
        {"fileName": "new.jpg", "metaData": {"luminance": 1.0, "shape": [1, 1, 3]}},
    ],
    [{"fileName": "a.jpg", "metaData": {"sharpness": 2.5}}, {"fileName": "c.jpg"}],
]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Paths that were asked for."""
    paths: list[str] = []

    def iterate(_transport: Any, path: str) -> Any:
        paths.append(path)
        return iter(PAGES)

    monkeypatch.setattr(earlier_samples, "iterate_pages", iterate)
    return paths


@pytest.fixture
def samples() -> EarlierSamples:
    context = SimpleNamespace(
        claim=SimpleNamespace(dataset_id="d" * 24),
        link=SimpleNamespace(transport=None),
        lease=SimpleNamespace(check=lambda: None),
    )
    return EarlierSamples(cast("RunContext", context), ["a.jpg", "b.jpg", "c.jpg"])


def test_values_come_in_the_order_of_the_samples_by_one_listing(
    asked: list[str], samples: EarlierSamples
) -> None:
    assert samples.read_metadata("luminance") == [None, 40.0, None]
    assert samples.read_metadata("sharpness") == [2.5, None, None]
    assert len(asked) == 1


def test_sizes_are_told_where_they_are_known(asked: list[str], samples: EarlierSamples) -> None:
    assert list(samples.iterate_sizes()) == [("b.jpg", 20, 10)]
    assert asked
