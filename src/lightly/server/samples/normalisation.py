"""Image metadata of old clients, as the contract's answers may have it.

Clients up to 1.2 send keys and shapes that the newest clients refuse to read. Before anything else
looks at a sample,

- `is_corrupted` and `corruption` are dropped, and so are fields that are null;
- `mean`, `std`, `sumOfValues`, `sumOfSquares` get one entry for each of three channels: one
  channel, or grey with alpha, is repeated, of four or more the first three count, an empty list
  is dropped;
- `shape` of a grey image, `[rows, columns]`, becomes `[rows, columns, 1]`;
- a `mean` that rounding carried out of 0..1 is moved back to the bound.

Everything else must fit the contract or is refused. NaN is refused, as it is not JSON.
"""

from __future__ import annotations

from typing import Any

#: How far off 0..1 a mean may be and still count as a rounding error.
MEAN_TOLERANCE = 1e-3

_DROPPED = frozenset({"is_corrupted", "corruption"})
_PER_CHANNEL = ("mean", "std", "sumOfValues", "sumOfSquares")
_CHANNELS = 3


def normalise_sample(content: object) -> None:
    """Put the image metadata of a decoded sample right, in place; see the module."""
    if isinstance(content, dict):
        metadata = content.get("metaData")
        if isinstance(metadata, dict):
            content["metaData"] = normalise_metadata(metadata)


def normalise_metadata(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return image metadata as answers may have it, as far as it can be told; see the module.

    >>> normalise_metadata({"is_corrupted": False, "std": [0.5], "shape": [4, 6]})
    {'std': [0.5, 0.5, 0.5], 'shape': [4, 6, 1]}
    """
    kept = {
        name: value
        for name, value in metadata.items()
        if value is not None and name not in _DROPPED
    }
    for name in _PER_CHANNEL:
        values = kept.get(name)
        if isinstance(values, list) and len(values) != _CHANNELS:
            kept[name] = _spread_channels(values)
            if not values:
                del kept[name]
    shape = kept.get("shape")
    if isinstance(shape, list) and len(shape) == 2:
        kept["shape"] = [*shape, 1]
    if isinstance(kept.get("mean"), list):
        kept["mean"] = [_undo_rounding(value) for value in kept["mean"]]
    return kept


def _spread_channels(values: list[Any]) -> list[Any]:
    return values[:_CHANNELS] if len(values) > _CHANNELS else values[:1] * _CHANNELS


def _undo_rounding(value: object) -> object:
    if not isinstance(value, float) or 0 <= value <= 1:
        return value
    if -MEAN_TOLERANCE <= value <= 1 + MEAN_TOLERANCE:
        return min(max(value, 0.0), 1.0)
    return value
