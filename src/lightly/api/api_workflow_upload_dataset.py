"""Uploading a local dataset."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lightly._kit.errors import BadInput
from lightly.api.api_workflow_upload_metadata import _UploadCustomMetadataMixin
from lightly.api.dataset_upload import DatasetUpload
from lightly.api.upload_sources import LocalDataset

if TYPE_CHECKING:
    from lightly.data.dataset import LightlyDataset


class _UploadDatasetMixin(_UploadCustomMetadataMixin):
    """Uploading a local dataset."""

    def upload_dataset(
        self,
        input: str | os.PathLike[str] | LightlyDataset,  # noqa: A002  the documented name
        max_workers: int = 8,
        mode: str = "thumbnails",
        custom_metadata: Mapping[str, Any] | None = None,
        *,
        verbose: bool = True,
    ) -> None:
        """Upload a dataset to the server.

        Images that the server has already are not sent again: an upload that was interrupted, by
        whatever, goes on where it stopped when it is started once more, and new images of a folder
        are added. At the end the initial tag is made; images that are added later get a tag named
        after the moment.

        Images that cannot be decoded are left out of the dataset and listed in a
        `CorruptImagesWarning`, files that the server refuses in an `IncompleteUploadWarning`.

        Args:
            input: Either the path to the dataset, e.g. "path/to/dataset", or the dataset in form
                of a LightlyDataset.
            max_workers: Most files that are sent at the same time.
            mode: One of [full, thumbnails, metadata]. Whether to upload thumbnails, full images
                and thumbnails, or metadata only.
            custom_metadata: COCO-style dictionary of custom metadata of new images, see
                `upload_custom_metadata`.
            verbose: Whether to show a progress bar.

        Raises:
            ValueError: If dataset is too large or input has the wrong type.
            RuntimeError: If the connection to the server failed.
        """
        dataset = open_dataset(input)
        metadata: Mapping[str, Any] = {}
        if custom_metadata is not None:
            self.verify_custom_metadata_format(custom_metadata)
            metadata = self.index_custom_metadata_by_filename(custom_metadata)
        upload = DatasetUpload(
            self._transport,
            self.dataset_id,
            mode=mode,
            max_workers=max_workers,
            is_verbose=verbose,
            creator=self._creator,
        )
        upload.run(dataset, metadata)


def open_dataset(source: object) -> LocalDataset:
    """Return a dataset: the one given, or that of a folder.

    Raises:
        ValueError: If `source` is neither.
    """
    if isinstance(source, str | os.PathLike):
        from lightly.data.dataset import LightlyDataset

        return LightlyDataset(input_dir=source)
    if isinstance(source, LocalDataset):
        return source
    raise BadInput(
        f"'input' must be the path of a folder or a LightlyDataset, got {type(source).__name__}."
    )
