"""The state of a selection: kept, moved to another process, taken up again.

The picks of a run depend on its input and on the picks before them, and on nothing else. So a state
is the picks in order, what the strategies would have to compute again, and a fingerprint of the
input. It holds no sample's data.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightly.selection.embeddings import IndexArray
from lightly.selection.errors import InvalidSelectionInput
from lightly.selection.fingerprint import SelectionInput

# Changes whenever the same input may give other picks than before.
ENGINE_VERSION = "1"

Memory = Mapping[str, NDArray[np.generic]]

_MAGIC = b"lightly-selection"
_FORMAT_VERSION = 1
_CHECKSUM_BYTES = 16
_LENGTH_BYTES = 8
_DTYPES = frozenset({"<i8", "<i4", "<f8", "<f4"})


@dataclass(frozen=True, kw_only=True, eq=False)
class SelectionState:
    """Where a selection stands. Give it to ``select`` as ``resume``.

    Attributes:
        indices: Positions of the picks in the input, in pick order, int64; without preselected.
        fingerprint: A digest per part of the input.
        engine_version: Of the engine that made the picks.
        memories: Per strategy what it need not compute again.
    """

    indices: IndexArray
    fingerprint: Mapping[str, str]
    engine_version: str = ENGINE_VERSION
    memories: tuple[Memory, ...] = field(default=(), repr=False)

    def to_bytes(self) -> bytes:
        """Return the state as bytes that ``from_bytes`` reads on any machine."""
        arrays = {"indices": self.indices} | {
            f"{place}.{name}": array
            for place, memory in enumerate(self.memories)
            for name, array in memory.items()
        }
        stored = {
            name: np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
            for name, array in arrays.items()
        }
        header = json.dumps(
            {
                "engine_version": self.engine_version,
                "fingerprint": dict(self.fingerprint),
                "n_strategies": len(self.memories),
                "arrays": [[name, array.dtype.str, len(array)] for name, array in stored.items()],
            }
        ).encode()
        content = b"".join(
            [
                _MAGIC,
                bytes([_FORMAT_VERSION]),
                len(header).to_bytes(_LENGTH_BYTES, "little"),
                header,
                *(array.tobytes() for array in stored.values()),
            ]
        )
        return content + _take_checksum(content)

    @classmethod
    def from_bytes(cls, content: bytes) -> SelectionState:
        """Return a state that ``to_bytes`` wrote.

        Raises:
            InvalidSelectionInput: If the bytes are not a whole state, or of a newer release.
        """
        body = content[:-_CHECKSUM_BYTES]
        if not content.startswith(_MAGIC):
            raise InvalidSelectionInput("These bytes are not the state of a selection.")
        if content[len(_MAGIC)] > _FORMAT_VERSION:
            raise InvalidSelectionInput(
                f"The state has format {content[len(_MAGIC)]}; this release reads formats up to "
                f"{_FORMAT_VERSION}. Use the release that wrote it, or select from the start."
            )
        if _take_checksum(body) != content[-_CHECKSUM_BYTES:]:
            raise InvalidSelectionInput(
                "The state is damaged: bytes are missing or changed. Select from the start."
            )
        try:
            return _parse(cls, body)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise InvalidSelectionInput(
                "The state cannot be read. Select from the start."
            ) from error

    def check_input(self, given: SelectionInput) -> None:
        """Refuse to go on with other data, strategies or rules than those of the first run.

        Raises:
            InvalidSelectionInput: The message names what differs.
        """
        if self.engine_version != ENGINE_VERSION:
            raise InvalidSelectionInput(
                f"The state was made by version {self.engine_version} of the engine, which may "
                f"pick otherwise than this version, {ENGINE_VERSION}. Select from the start."
            )
        found = given.take_fingerprint()
        differing = [
            name
            for name in {**self.fingerprint, **found}
            if found.get(name) != self.fingerprint.get(name)
        ]
        if differing:
            raise InvalidSelectionInput(
                f"The state belongs to a run with other input: {', '.join(differing[:5])} "
                "differ in data or settings. Give what that run was given, in the same order, or "
                "select from the start."
            )


def save_state(
    indices: IndexArray, source: SelectionInput, memories: tuple[Memory, ...] = ()
) -> SelectionState:
    """Return the state of a run of this release: its picks, and the input they belong to."""
    return SelectionState(indices=indices, fingerprint=source.take_fingerprint(), memories=memories)


def _parse(cls: type[SelectionState], body: bytes) -> SelectionState:
    start = len(_MAGIC) + 1
    end = start + _LENGTH_BYTES
    n_header = int.from_bytes(body[start:end], "little")
    header: dict[str, Any] = json.loads(body[end : end + n_header])
    place = end + n_header
    arrays: dict[str, NDArray[np.generic]] = {}
    for name, dtype, length in header["arrays"]:
        if dtype not in _DTYPES:
            raise InvalidSelectionInput("The state holds numbers of an unknown kind.")
        arrays[name] = np.frombuffer(body, dtype=dtype, count=length, offset=place)
        place += arrays[name].nbytes
    memories: list[dict[str, NDArray[np.generic]]] = [{} for _ in range(header["n_strategies"])]
    for name, array in arrays.items():
        owner, _, own_name = name.partition(".")
        if own_name:
            memories[int(owner)][own_name] = array
    return cls(
        indices=arrays["indices"].astype(np.int64),
        fingerprint=header["fingerprint"],
        engine_version=header["engine_version"],
        memories=tuple(memories),
    )


def _take_checksum(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_CHECKSUM_BYTES).digest()
