"""Datasets: make, find, list, delete."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lightly.api.answers import iterate_pages, read_id, read_model
from lightly.api.client_base import ClientBase, make_path
from lightly.api.errors import ApiException

if TYPE_CHECKING:
    from lightly.openapi_generated.swagger_client.models.dataset_data import DatasetData

#: How this client is named in what it makes.
CREATOR = "USER_PIP"
_DEFAULT_TYPE = "Images"
_NAME_TAKEN = "DATASET_NAME_EXISTS"


class _DatasetsMixin(ClientBase):
    """Datasets: make, find, list, delete."""

    @property
    def dataset_type(self) -> str:
        """The dataset type of the current dataset, such as `Images` or `Videos`."""
        return self._read_dataset(self.dataset_id).type.value

    def dataset_exists(self, dataset_id: str) -> bool:
        """Return True if a dataset with `dataset_id` exists and is visible to the user."""
        return self._is_dataset(dataset_id)

    def dataset_name_exists(self, dataset_name: str, shared: bool | None = False) -> bool:
        """Return True if a dataset with exactly this name exists; `shared` as in `get_datasets`."""
        return bool(self.get_datasets_by_name(dataset_name, shared=shared))

    def get_dataset_by_id(self, dataset_id: str) -> DatasetData:
        """Return the dataset for the given dataset id.

        Raises:
            ApiException: With status 404 if it does not exist.
        """
        return self._read_dataset(dataset_id)

    def get_datasets_by_name(
        self, dataset_name: str, shared: bool | None = False
    ) -> list[DatasetData]:
        """Return the datasets with exactly this name; `shared` as in `get_datasets`."""
        path = make_path("v1", "datasets", "query", "name", dataset_name)
        return list(self._iterate_datasets(path, shared, {"exact": True}))

    def get_datasets_iter(self, shared: bool | None = False) -> Iterator[DatasetData]:
        """Yield datasets one by one; `shared` as in `get_datasets`."""
        yield from self._iterate_datasets("/v1/datasets", shared, {})

    def get_datasets(self, shared: bool | None = False) -> list[DatasetData]:
        """Return all datasets the user owns.

        Args:
            shared: If True, return only the datasets that have been shared with the user, by
                other users or in a team. If None, return both.
        """
        return list(self.get_datasets_iter(shared))

    def get_all_datasets(self) -> list[DatasetData]:
        """Return all datasets the user has access to."""
        return self.get_datasets(shared=None)

    def set_dataset_id_by_name(self, dataset_name: str, shared: bool | None = False) -> None:
        """Make the dataset with this name the current one.

        Args:
            dataset_name: The exact name.
            shared: Where to look, as in `get_datasets`.

        Raises:
            ValueError: If there is no such dataset.
        """
        found = self.get_datasets_by_name(dataset_name, shared)
        if not found:
            raise ValueError(f"A dataset with the name {ascii(dataset_name)[:80]} does not exist.")
        if len(found) > 1:
            warnings.warn(
                f"{len(found)} datasets have the name {dataset_name}; taking the one with id "
                f"{found[0].id}.",
                UserWarning,
                stacklevel=2,
            )
        self._use_dataset(found[0].id)

    def create_dataset(self, dataset_name: str, dataset_type: str | None = None) -> None:
        """Create a dataset and make it the current one.

        If a dataset of yours with that name already exists, it becomes the current one instead.

        Args:
            dataset_name: 3 or more letters, digits, blanks, `_` and `-`.
            dataset_type: The type of the dataset, best one of the constants of `DatasetType`;
                images if left out.

        Example:
            >>> from lightly.api import ApiWorkflowClient
            >>> from lightly.openapi_generated.swagger_client.models.dataset_type import DatasetType
            >>> client = ApiWorkflowClient(token="YOUR_TOKEN")  # doctest: +SKIP
            >>> client.create_dataset("street scenes", DatasetType.IMAGES)  # doctest: +SKIP
        """
        if self._reuse_dataset(dataset_name, dataset_type):
            return
        try:
            self._create_dataset(dataset_name, dataset_type, is_repeatable=True)
        except ApiException as error:
            # Somebody was faster, or an earlier attempt of ours was and its answer got lost.
            taken = error.code == _NAME_TAKEN
            if not (taken and self._reuse_dataset(dataset_name, dataset_type)):
                raise

    def create_new_dataset_with_unique_name(
        self, dataset_basename: str, dataset_type: str | None = None
    ) -> None:
        """Create a new dataset and make it the current one.

        If a dataset of yours with that name already exists, a counter is added to the name.

        Args:
            dataset_basename: The wished-for name.
            dataset_type: As in `create_dataset`.
        """
        path = make_path("v1", "datasets", "query", "name", dataset_basename)
        taken = {found.name for found in self._iterate_datasets(path, False, {"exact": False})}
        numbered = (f"{dataset_basename}_{number}" for number in itertools.count(1))
        for name in itertools.chain([dataset_basename], numbered):
            if name in taken:
                continue
            try:
                self._create_dataset(name, dataset_type, is_repeatable=False)
            except ApiException as error:
                if error.code != _NAME_TAKEN:
                    raise
            else:
                return

    def delete_dataset_by_id(self, dataset_id: str) -> None:
        """Delete a dataset with everything in it.

        Args:
            dataset_id: The id of the dataset to be deleted.

        Raises:
            ApiException: With status 404 if it does not exist.
        """
        try:
            self._transport.delete(make_path("v1", "datasets", dataset_id))
        except ApiException as error:
            is_gone = error.status == 404 and error.attempts > 1
            if not is_gone:
                raise
        if self._dataset_id == dataset_id:
            self._dataset_id = None
            self.embedding_id = None

    def _create_dataset(self, name: str, dataset_type: str | None, *, is_repeatable: bool) -> None:
        body = {"name": name, "type": dataset_type or _DEFAULT_TYPE, "creator": self._creator}
        answer = self._transport.post("/v1/datasets", body, is_repeatable=is_repeatable)
        self._use_dataset(read_id(answer))

    def _reuse_dataset(self, name: str, dataset_type: str | None) -> bool:
        """Make an own dataset with this name the current one, if there is any."""
        found = self.get_datasets_by_name(name)
        if not found:
            return False
        if dataset_type is not None and found[0].type != dataset_type:
            warnings.warn(
                f"The dataset {name} exists already and holds {found[0].type}, not {dataset_type}.",
                UserWarning,
                stacklevel=3,
            )
        self._use_dataset(found[0].id)
        return True

    def _iterate_datasets(
        self, path: str, shared: bool | None, parameters: dict[str, bool]
    ) -> Iterator[DatasetData]:
        """Yield each dataset once: own, then shared, then of the team, as `shared` asks for."""
        from lightly.openapi_generated.swagger_client.models.dataset_data import DatasetData

        sources: list[dict[str, bool]] = []
        if not shared:
            sources.append({"shared": False})
        if shared or shared is None:
            sources += [{"shared": True}, {"getAssetsOfTeam": True}]
        seen: set[str] = set()
        for source in sources:
            for page in iterate_pages(self._transport, path, parameters | source):
                for row in page:
                    dataset = read_model(DatasetData, row)
                    if dataset.id not in seen:
                        seen.add(dataset.id)
                        yield dataset
