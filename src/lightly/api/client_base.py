"""What all topics of the client share: the connection and the current dataset."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING
from urllib.parse import quote

from lightly.api.answers import iterate_pages, read_model
from lightly.api.errors import ApiException
from lightly.api.transport import Transport

if TYPE_CHECKING:
    from lightly.openapi_generated.swagger_client.models.dataset_data import DatasetData

log = logging.getLogger("lightly.api")

_UNKNOWN_STATUSES = frozenset({400, 404})


def make_path(*parts: str) -> str:
    """Return the path below the server's address; every part is one segment.

    >>> make_path("v1", "datasets", "a/b")
    '/v1/datasets/a%2Fb'
    """
    return "".join(f"/{quote(part, safe='')}" for part in parts)


class ClientBase:
    """Connection, current dataset and current embedding."""

    _transport: Transport
    _dataset_id: str | None
    _creator: str
    embedding_id: str | None

    @property
    def dataset_id(self) -> str:
        """The current dataset_id.

        If it was not set, the dataset that was modified last is taken, with a warning.

        Raises:
            ValueError: If there is no dataset at all, or an id is set that does not exist.
        """
        if self._dataset_id is None:
            latest = self._find_latest_dataset()
            warnings.warn(
                f"Dataset has not been specified, taking the last modified dataset "
                f"{latest.name} with id {latest.id} as default dataset.",
                UserWarning,
                stacklevel=2,
            )
            self._dataset_id = latest.id
        return self._dataset_id

    @dataset_id.setter
    def dataset_id(self, dataset_id: str) -> None:
        if not self._is_dataset(dataset_id):
            raise ValueError(
                f"A dataset with the id {ascii(dataset_id)[:60]} does not exist on the server."
            )
        self._use_dataset(dataset_id)

    def _use_dataset(self, dataset_id: str) -> None:
        """Make a dataset the current one. An embedding belongs to one dataset only."""
        if self._dataset_id not in {None, dataset_id}:
            self.embedding_id = None
        self._dataset_id = dataset_id

    def _is_dataset(self, dataset_id: str) -> bool:
        try:
            self._transport.get(make_path("v1", "datasets", dataset_id))
        except ApiException as error:
            if error.status in _UNKNOWN_STATUSES:
                return False
            raise
        return True

    def _read_dataset(self, dataset_id: str) -> DatasetData:
        from lightly.openapi_generated.swagger_client.models.dataset_data import DatasetData

        return read_model(DatasetData, self._transport.get(make_path("v1", "datasets", dataset_id)))

    def _find_latest_dataset(self) -> DatasetData:
        from lightly.openapi_generated.swagger_client.models.dataset_data import DatasetData

        pages = iterate_pages(self._transport, "/v1/datasets", {"shared": False})
        datasets = [read_model(DatasetData, row) for page in pages for row in page]
        if not datasets:
            raise ValueError(
                "You have no dataset yet. Make one with create_dataset() or set dataset_id."
            )
        return max(datasets, key=lambda dataset: dataset.last_modified_at)

    def _below_dataset(self, *parts: str) -> str:
        """Return the path of something that belongs to the current dataset."""
        return make_path("v1", "datasets", self.dataset_id, *parts)
