"""What of a local dataset still has to be sent: the server is asked what it has acknowledged."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lightly.api.dataset_samples import DatasetSamples, Kind

_NOT_THERE = -1


@dataclass(frozen=True)
class UploadPlan:
    """What to send.

    Attributes:
        n_on_server: Samples of the dataset on the server, whether the local one has them or not.
        n_new: Local images that the server does not know yet.
        positions: Local images to send, in local order: the new ones, and those that were
            registered but whose files never arrived.
        lacking: Of those of `positions` that are registered, the files that never arrived.
    """

    n_on_server: int
    n_new: int
    positions: array[int]
    lacking: Mapping[int, tuple[Kind, ...]]


def make_plan(names: Sequence[str], samples: DatasetSamples, kinds: Sequence[Kind]) -> UploadPlan:
    """Compare a local dataset with what the server has.

    Args:
        names: File names of the local dataset, each one once.
        samples: The server's side.
        kinds: Files that belong to each sample.
    """
    indices, n_on_server = _find_on_server(names, samples)
    masks = {kind: samples.read_stored(kind) for kind in kinds} if n_on_server else {}
    positions, lacking, n_new = array("q"), {}, 0
    for position, index in enumerate(indices):
        if index == _NOT_THERE:
            n_new += 1
            positions.append(position)
        elif absent := tuple(kind for kind in kinds if not _is_stored(masks[kind], index)):
            lacking[position] = absent
            positions.append(position)
    return UploadPlan(n_on_server, n_new, positions, lacking)


def _find_on_server(names: Sequence[str], samples: DatasetSamples) -> tuple[array[int], int]:
    """Return the server's index of every local name, and how many samples the server has."""
    indices = array("q", [_NOT_THERE]) * len(names)
    positions = {name: position for position, name in enumerate(names)}
    n_on_server = 0
    for index, name in _enumerate_names(samples):
        n_on_server += 1
        position = positions.get(name)
        if position is not None:
            indices[position] = index
    return indices, n_on_server


def _enumerate_names(samples: DatasetSamples) -> Iterator[tuple[int, str]]:
    return enumerate(name for page in samples.iterate_names() for name in page)


def _is_stored(mask: bytes | None, index: int) -> bool:
    """Tell whether a file is stored. A server that cannot tell is taken to have it."""
    return mask is None or (index >> 3 < len(mask) and bool(mask[index >> 3] >> (index & 7) & 1))
