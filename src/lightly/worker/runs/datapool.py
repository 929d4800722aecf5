"""What the dataset has from before: with the datapool on, a selection goes on from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lightly.api.errors import ApiException
from lightly.utils.io import load_embeddings
from lightly.worker.errors import RunRefused
from lightly.worker.runs.context import RunContext
from lightly.worker.runs.preparing import Preparation

#: Under which name embeddings of runs are stored; later ones append the moment.
EMBEDDING_NAME = "default"


@dataclass(frozen=True)
class Datapool:
    """Samples that were selected before.

    Attributes:
        names: Their file names, in the order of the dataset.
        embeddings: float32 of shape (n, dim), in the same order.
    """

    names: list[str]
    embeddings: NDArray[np.float32]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.names)


def load_datapool(context: RunContext, preparation: Preparation, *, dim: int) -> Datapool:
    """Return the samples of earlier runs with their embeddings.

    Raises:
        RunRefused: If they have none of the length that this run makes.
    """
    names = _list_names(context, preparation)
    if not names:
        return Datapool([], np.empty((0, dim), np.float32))
    vectors = _load_vectors(context, context.folder.path("datapool.csv"))
    missing = next((name for name in names if name not in vectors), None)
    if missing is not None:
        raise RunRefused(
            f"The dataset's embedding {EMBEDDING_NAME!r} has no row for {missing[:200]!r}. Upload "
            "one for all samples, or start with an empty dataset."
        )
    embeddings = np.array([vectors[name] for name in names], np.float32)
    if embeddings.shape[1] != dim:
        raise RunRefused(
            f"The embeddings of the dataset have {embeddings.shape[1]} numbers, those of this run "
            f"{dim}. Use the model of the earlier run, or start with an empty dataset."
        )
    return Datapool(names, embeddings)


def _list_names(context: RunContext, preparation: Preparation) -> list[str]:
    """Return the samples of earlier runs: all but what an earlier attempt at this run has added."""
    initial, own = preparation.initial_tag, preparation.own_tag
    if initial is None or (own is not None and own.id == initial.id):
        return []
    names = context.client.get_filenames_in_tag(initial)
    if own is None:
        return names
    added = set(context.client.get_filenames_in_tag(own))
    return [name for name in names if name not in added]


def _load_vectors(context: RunContext, path: Path) -> dict[str, NDArray[np.float32]]:
    try:
        embedding = context.client.get_embedding_by_name(EMBEDDING_NAME)
        context.client.download_embeddings_csv_by_id(embedding.id, str(path))
    except (ValueError, ApiException) as error:
        raise RunRefused(
            "The dataset has samples without embeddings, so new ones cannot be compared with "
            f"them: {error}"
        ) from error
    embeddings, _labels, names = load_embeddings(str(path))
    path.unlink()
    return dict(zip(names, embeddings, strict=True))
