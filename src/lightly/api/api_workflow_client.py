"""The client of the platform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, TYPE_CHECKING

from lightly.api.api_workflow_datasets import _DatasetsMixin
from lightly.api.api_workflow_download_dataset import _DownloadDatasetMixin
from lightly.api.api_workflow_export import _ExportDatasetMixin
from lightly.api.api_workflow_selection import _SelectionMixin
from lightly.api.api_workflow_upload_dataset import _UploadDatasetMixin
from lightly.api.configuration import read_server_location, read_token
from lightly.api.transport import Transport

if TYPE_CHECKING:
    from requests import Response


class ApiWorkflowClient(
    _DatasetsMixin,
    _UploadDatasetMixin,
    _SelectionMixin,
    _DownloadDatasetMixin,
    _ExportDatasetMixin,
):
    """Work with the platform from Python.

    The server's address comes from the environment variable `LIGHTLY_SERVER_LOCATION`, by default
    `http://127.0.0.1:8000`. Making a client sends nothing. One client may be used by several
    threads; each sees the same current dataset.

    Args:
        token: The API token; by default that of the environment variable `LIGHTLY_TOKEN`.
        dataset_id: The current dataset. If it is not set when needed, the dataset that was
            modified last is taken.
        embedding_id: The embedding that selections use. If it is not set when needed, the newest
            one of the dataset is taken.

    Raises:
        ValueError: If there is no token, or the server's address is no address.

    Example:
        >>> client = ApiWorkflowClient(token="YOUR_TOKEN")
        >>> client.create_dataset("street scenes")  # doctest: +SKIP
        >>> client.upload_dataset("path/to/images")  # doctest: +SKIP
    """

    def __init__(
        self,
        token: str | None = None,
        dataset_id: str | None = None,
        embedding_id: str | None = None,
    ) -> None:
        self._transport = Transport(read_server_location(), read_token(token))
        self._dataset_id = dataset_id
        self.embedding_id = embedding_id

    def __repr__(self) -> str:
        dataset = f", dataset_id={self._dataset_id!r}" if self._dataset_id else ""
        return f"ApiWorkflowClient(server={self._transport.server_url!r}{dataset})"

    def close(self) -> None:
        """Close all connections. Using the client afterwards opens new ones."""
        self._transport.close()

    @property
    def token(self) -> str:
        """The API token. Keep it out of everything that people read."""
        return self._transport.reveal_token()

    def upload_file_with_signed_url(
        self,
        file: IO[bytes],
        signed_write_url: str,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Upload a file to a url via a put request.

        Args:
            file: The file to upload, opened for reading bytes; sent from where it stands.
            signed_write_url: The url to upload the file to. As no authorization is used, the url
                must be a signed write url.
            headers: Specific headers for the request.

        Returns:
            The response of the put request, usually a 200 for the success case.

        Raises:
            RuntimeError: If the store refuses the file or cannot be reached.
        """
        return self._transport.put_blob(signed_write_url, file, headers)
