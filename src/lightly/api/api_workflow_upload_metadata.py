"""Custom metadata of samples: any JSON object, and how the web app shows it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lightly.api.answers import read_model
from lightly.api.client_base import ClientBase
from lightly.api.dataset_samples import DatasetSamples
from lightly.api.progress import show_progress

if TYPE_CHECKING:
    from lightly.openapi_generated.swagger_client.models.configuration_entry import (
        ConfigurationEntry,
    )
    from lightly.openapi_generated.swagger_client.models.create_entity_response import (
        CreateEntityResponse,
    )

_IMAGES, _METADATA = "images", "metadata"
_IMAGE_NAME, _IMAGE_ID, _METADATA_IMAGE_ID = "file_name", "id", "image_id"


class InvalidCustomMetadataWarning(Warning):
    """Some custom metadata belongs to no image or no sample, and is left out."""


class _UploadCustomMetadataMixin(ClientBase):
    """Custom metadata of samples."""

    def verify_custom_metadata_format(self, custom_metadata: Mapping[str, Any]) -> None:
        """Verify that the custom metadata is in the correct format.

        Args:
            custom_metadata: See `upload_custom_metadata` for the required format.

        Raises:
            KeyError: If "images" or "metadata" aren't a key of custom_metadata, or an entry lacks
                `file_name`, `id` or `image_id`.
        """
        for key in (_IMAGES, _METADATA):
            if key not in custom_metadata:
                raise KeyError(f"Custom metadata must have the key '{key}'.")
        _check_entries(custom_metadata[_IMAGES], _IMAGES, (_IMAGE_NAME, _IMAGE_ID))
        _check_entries(custom_metadata[_METADATA], _METADATA, (_METADATA_IMAGE_ID,))

    def index_custom_metadata_by_filename(
        self, custom_metadata: Mapping[str, Any]
    ) -> dict[str, dict[str, Any] | None]:
        """Create an index to lookup custom metadata by filename.

        Args:
            custom_metadata: See `upload_custom_metadata` for the required format.

        Returns:
            A dictionary mapping from filenames to custom metadata; None for images that have
            none.

        Example:
            >>> from lightly.api import ApiWorkflowClient
            >>> client = ApiWorkflowClient(token="YOUR_TOKEN")
            >>> client.index_custom_metadata_by_filename({
            ...     "images": [{"file_name": "a.jpg", "id": 0}],
            ...     "metadata": [{"image_id": 0, "weather": "rainy"}],
            ... })
            {'a.jpg': {'image_id': 0, 'weather': 'rainy'}}
        """
        by_id = {entry[_METADATA_IMAGE_ID]: entry for entry in custom_metadata[_METADATA]}
        return {
            image[_IMAGE_NAME]: by_id.get(image[_IMAGE_ID]) for image in custom_metadata[_IMAGES]
        }

    def upload_custom_metadata(
        self, custom_metadata: Mapping[str, Any], verbose: bool = False, max_workers: int = 8
    ) -> None:
        """Upload custom metadata of samples that are on the server.

        The format is similar to that of COCO annotations: under the key "images" there is a list
        of dictionaries, each with a `file_name` and an `id`; under the key "metadata" a list of
        dictionaries, each with an `image_id` to match it to the image and anything else. What a
        sample had before is replaced. Entries without image or sample are left out with an
        `InvalidCustomMetadataWarning`.

        Args:
            custom_metadata: Custom metadata as described above.
            verbose: If True, show a progress bar.
            max_workers: Most requests at the same time, where the server takes one sample each.

        Raises:
            KeyError: If the format is wrong.
            ApiException: If the server refuses, for example because an entry is too large.

        Example:
            >>> client.upload_custom_metadata({  # doctest: +SKIP
            ...     "images": [{"file_name": "image0.jpg", "id": 0}],
            ...     "metadata": [{"image_id": 0, "weather": {"temperature": 20.3}}],
            ... })
        """
        self.verify_custom_metadata_format(custom_metadata)
        samples = DatasetSamples(self._transport, self.dataset_id, max_workers=max_workers)
        items = _match_entries(custom_metadata, samples)
        with show_progress(
            "Uploading metadata", unit="metadata", total=len(items), is_shown=verbose
        ) as bar:
            for count in samples.update_custom_metadata(items):
                bar.update(count)

    def create_custom_metadata_config(
        self, name: str, configs: Sequence[ConfigurationEntry]
    ) -> CreateEntityResponse:
        """Create a configuration that says what the web app shows of custom metadata.

        Args:
            name: The name of the custom metadata configuration.
            configs: One entry for each value to show.

        Returns:
            The API response, with the id of the new configuration.

        Example:
            >>> from lightly.openapi_generated.swagger_codegen.models.configuration_entry import (
            ...     ConfigurationEntry,
            ... )
            >>> entry = ConfigurationEntry(
            ...     name="Weather",
            ...     path="weather",
            ...     default_value="unknown",
            ...     value_data_type="CATEGORICAL_STRING",
            ... )
            >>> client.create_custom_metadata_config("My metadata", [entry])  # doctest: +SKIP
        """
        from lightly.openapi_generated.swagger_client.models.create_entity_response import (
            CreateEntityResponse,
        )

        body = {"name": name, "configs": [entry.to_dict(by_alias=True) for entry in configs]}
        answer = self._transport.post(self._below_dataset("configuration", "metadata"), body)
        return read_model(CreateEntityResponse, answer)


def _check_entries(entries: Sequence[Mapping[str, Any]], place: str, keys: Sequence[str]) -> None:
    for number, entry in enumerate(entries):
        for key in keys:
            if key not in entry:
                raise KeyError(f"Entry {number} of '{place}' must have the key '{key}'.")


def _match_entries(
    custom_metadata: Mapping[str, Any], samples: DatasetSamples
) -> list[tuple[str, Any]]:
    """Return sample ids with their metadata; warn of entries that have no sample."""
    names = {image[_IMAGE_ID]: image[_IMAGE_NAME] for image in custom_metadata[_IMAGES]}
    entries = [
        (names.get(entry[_METADATA_IMAGE_ID]), entry) for entry in custom_metadata[_METADATA]
    ]
    wanted = {name for name, _ in entries if name is not None}
    ids = {
        name: id_ for page in samples.iterate_identities() for id_, name in page if name in wanted
    }
    without_image = [entry[_METADATA_IMAGE_ID] for name, entry in entries if name is None]
    without_sample = [name for name, _ in entries if name is not None and name not in ids]
    _warn_of(without_image, "have no image; the first one has the image_id")
    _warn_of(without_sample, "belong to images that are not on the server; the first one is")
    return [(ids[name], entry) for name, entry in entries if name in ids]


def _warn_of(left_out: Sequence[object], problem: str) -> None:
    if left_out:
        warnings.warn(
            f"{len(left_out)} metadata entries are left out: they {problem} "
            f"{ascii(left_out[0])[:80]}.",
            InvalidCustomMetadataWarning,
            stacklevel=4,
        )
