"""The client of the platform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, TYPE_CHECKING

from lightly._kit.errors import BadInput
from lightly.api.api_workflow_artifacts import _ArtifactsMixin
from lightly.api.api_workflow_collaboration import _CollaborationMixin
from lightly.api.api_workflow_compute_worker import _ComputeWorkerMixin
from lightly.api.api_workflow_copy import _CopySelectionMixin
from lightly.api.api_workflow_datasets import CREATOR, _DatasetsMixin
from lightly.api.api_workflow_datasource_listing import _DatasourceListingMixin
from lightly.api.api_workflow_datasources import _DatasourcesMixin
from lightly.api.api_workflow_download_dataset import _DownloadDatasetMixin
from lightly.api.api_workflow_export import _ExportDatasetMixin
from lightly.api.api_workflow_neighborhoods import _NeighborhoodsMixin
from lightly.api.api_workflow_predictions import _PredictionsMixin
from lightly.api.api_workflow_selection import _SelectionMixin
from lightly.api.api_workflow_selection_reports import _SelectionReportsMixin
from lightly.api.api_workflow_upload_dataset import _UploadDatasetMixin
from lightly.api.api_workflow_video_frames import _VideoFramesMixin
from lightly.api.configuration import read_server_location, read_token
from lightly.api.transport import Transport
from lightly.api.wire_calls import _WireCallsMixin

if TYPE_CHECKING:
    from requests import Response, Session


class ApiWorkflowClient(
    _DatasetsMixin,
    _UploadDatasetMixin,
    _SelectionMixin,
    _SelectionReportsMixin,
    _NeighborhoodsMixin,
    _DownloadDatasetMixin,
    _CopySelectionMixin,
    _ExportDatasetMixin,
    _DatasourcesMixin,
    _DatasourceListingMixin,
    _VideoFramesMixin,
    _ComputeWorkerMixin,
    _ArtifactsMixin,
    _PredictionsMixin,
    _CollaborationMixin,
    _WireCallsMixin,
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
        creator: How this client is named in what it makes; one of the constants of `Creator`.

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
        creator: str = CREATOR,
    ) -> None:
        self._creator = str(getattr(creator, "value", creator))
        self._transport = Transport(read_server_location(), read_token(token))
        self._dataset_id = dataset_id
        self.embedding_id = embedding_id

    def __repr__(self) -> str:
        dataset = f", dataset_id={self._dataset_id!r}" if self._dataset_id else ""
        return f"ApiWorkflowClient(server={self._transport.server_url!r}{dataset})"

    def close(self) -> None:
        """Close all connections. Using the client afterwards opens new ones."""
        self._transport.close()

    def set_request_timeout(self, timeout: float | tuple[float, float]) -> None:
        """Change how long requests may take.

        Args:
            timeout: Longest silence of the server in seconds; or the longest waits for a
                connection and for an answer.

        Raises:
            ValueError: If a wait is not above 0.
        """
        connect_s, read_s = timeout if isinstance(timeout, tuple) else (timeout, timeout)
        if min(connect_s, read_s) <= 0:
            raise BadInput("'timeout' must be above 0 seconds.")
        self._transport.set_timeout(connect_timeout_s=connect_s, read_timeout_s=read_s)

    @property
    def token(self) -> str:
        """The API token. Keep it out of everything that people read."""
        return self._transport.reveal_token()

    @token.setter
    def token(self, token: str) -> None:
        self._transport.replace_token(read_token(token))

    def upload_file_with_signed_url(
        self,
        file: IO[bytes] | None,
        signed_write_url: str,
        headers: Mapping[str, str] | None = None,
        session: Session | None = None,
    ) -> Response:
        """Upload a file to a url via a put request.

        Args:
            file: The file to upload, opened for reading bytes; sent from where it stands. None
                uploads an empty file.
            signed_write_url: The url to upload the file to. As no authorization is used, the url
                must be a signed write url.
            headers: Specific headers for the request.
            session: Sends the request in place of the client's own connections.

        Returns:
            The response of the put request, usually a 200 for the success case.

        Raises:
            RuntimeError: If the store refuses the file or cannot be reached.
        """
        content = b"" if file is None else file
        return self._transport.put_blob(signed_write_url, content, headers, session=session)
