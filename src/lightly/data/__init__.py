"""Local datasets: folders of images, folders of videos, torch datasets. Torch is not needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lightly.data.dataset import LightlyDataset

__all__ = ["LightlyDataset"]


def __getattr__(name: str) -> Any:
    # Loads with its first use: it needs numpy and an image library.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from lightly.data.dataset import LightlyDataset  # noqa: PLC0415  see above

    return LightlyDataset
