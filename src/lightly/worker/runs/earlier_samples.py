"""What the server knows about samples of earlier runs, and about tags to compare with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lightly._kit.errors import BadInput
from lightly.api.answers import iterate_pages
from lightly.api.client_base import make_path
from lightly.api.errors import ApiException
from lightly.utils.io import load_embeddings
from lightly.worker.runs.context import LeasedClient, RunContext


class EarlierSamples:
    """Reads what was stored before this run.

    Args:
        context: Of the run.
        names: File names of the samples of earlier runs.
    """

    def __init__(self, context: RunContext, names: list[str]) -> None:
        self._context = context
        self._names = names

    def read_metadata(self, field: str) -> list[object]:
        """Return what was measured of each sample of earlier runs, by its wire name."""
        path = make_path("v1", "datasets", self._context.claim.dataset_id, "samples")
        found: dict[str, object] = {}
        for page in iterate_pages(self._context.link.transport, path):
            for sample in page:
                found[sample["fileName"]] = (sample.get("metaData") or {}).get(field)
        return [found.get(name) for name in self._names]

    def open_queries(self, dataset_id: str, tag_name: str, task: str | None) -> NDArray[np.float32]:
        """Return the newest embeddings of the samples of a tag, shape (n, d).

        Raises:
            BadInput: If they are not there, or objects are asked for.
        """
        if task is not None:
            raise BadInput(
                "Samples of another dataset have one embedding each, none per object. Leave 'task' "
                "out of the input of SIMILARITY."
            )
        client = LeasedClient(self._context.link)
        client._use_dataset(dataset_id)  # noqa: SLF001  its setter asks whether it exists again
        path = self._context.folder.path("queries.csv")
        try:
            names = client.get_filenames_in_tag(client.get_tag_by_name(tag_name))
            newest = client.get_all_embedding_data()[0]
            client.download_embeddings_csv_by_id(newest.id, str(path))
        except (ApiException, ValueError, IndexError) as error:
            raise BadInput(
                f"The embeddings of the tag {tag_name[:80]!r} of the dataset {dataset_id} cannot "
                f"be read: {error}"
            ) from error
        vectors = _read_rows(path, names)
        path.unlink()
        return vectors


def _read_rows(path: Path, names: list[str]) -> NDArray[np.float32]:
    embeddings, _labels, rows = load_embeddings(str(path))
    places = {name: place for place, name in enumerate(rows)}
    return embeddings[[places[name] for name in names if name in places]]
