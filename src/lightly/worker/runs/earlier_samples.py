"""What the server knows about samples of earlier runs, and about tags to compare with."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lightly._kit.errors import BadInput
from lightly.api.answers import iterate_pages
from lightly.api.client_base import make_path
from lightly.api.errors import ApiException
from lightly.utils.io import load_embeddings
from lightly.worker.report.facts import LIGHTLY_FIELDS
from lightly.worker.runs.context import LeasedClient, RunContext

log = logging.getLogger("lightly.worker")

_SIDES = ("height", "width")
#: What is kept of each sample: 56 bytes.
_COLUMNS = (*_SIDES, *LIGHTLY_FIELDS)


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
        values = self._measured[:, _COLUMNS.index(field)]
        return [None if np.isnan(value) else float(value) for value in values]

    def iterate_sizes(self) -> Iterator[tuple[str, int, int]]:
        """Yield name, width and height of those samples of which they are known."""
        sizes = self._measured[:, : len(_SIDES)]
        for name, (height, width) in zip(self._names, sizes, strict=True):
            if height > 0 and width > 0:
                yield name, int(width), int(height)

    @cached_property
    def _measured(self) -> NDArray[np.float64]:
        """What selections, reports and tiles ask for, one row per sample; NaN if not known."""
        places = {name: place for place, name in enumerate(self._names)}
        found = np.full((len(self._names), len(_COLUMNS)), np.nan)
        path = make_path("v1", "datasets", self._context.claim.dataset_id, "samples")
        for page in iterate_pages(self._context.link.transport, path):
            self._context.lease.check()
            for sample in page:
                place = places.get(sample["fileName"])
                if place is None:
                    continue
                measured = sample.get("metaData") or {}
                sides = (measured.get("shape") or (None, None))[: len(_SIDES)]
                values = [*sides, *(measured.get(name) for name in LIGHTLY_FIELDS)]
                found[place] = [np.nan if value is None else value for value in values]
        return found

    def open_queries(self, dataset_id: str, tag_name: str) -> NDArray[np.float32]:
        """Return the newest embeddings of the samples of a tag, shape (n, d).

        Raises:
            BadInput: If they are not there.
        """
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
        vectors = read_rows(path, names)
        path.unlink()
        return vectors


def read_rows(path: Path, names: list[str]) -> NDArray[np.float32]:
    """Return the embeddings of samples; those that have none are left out and told in the log.

    Args:
        path: A CSV of embeddings.
        names: File names of the samples.
    """
    embeddings, _labels, rows = load_embeddings(str(path))
    places = {name: place for place, name in enumerate(rows)}
    known = [places[name] for name in names if name in places]
    if len(known) < len(names):
        log.warning(
            "%d of %d samples to be similar to have no embedding and are left out.",
            len(names) - len(known),
            len(names),
        )
    return embeddings[known]
