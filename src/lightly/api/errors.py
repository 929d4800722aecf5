"""What can go wrong between this client and a server.

LightlyError
├── ApiException            the server answered with an error
│   ├── BlobTransferFailed  ... to a signed URL
│   └── UnexpectedAnswer    ... with something that is no answer of a Lightly server
├── ConnectionFailed        no answer came at all
├── JobFailed               a job of the server ended without a result
└── UploadInterrupted       an upload stopped; a second start goes on from there

All are `RuntimeError` too. No message holds a token or the query of a URL.
"""

from __future__ import annotations

from lightly._kit.errors import LightlyError


class ApiException(LightlyError, RuntimeError):
    """The server answered with an error.

    Attributes:
        status: HTTP status of the answer; 0 if there was none.
        reason: The status in words.
        code: Error code of the wire contract, such as `TAG_NAME_EXISTS`; empty if none came.
        body: The answer's text, shortened and without secrets.
        request_id: Leads to this request in the server's log; empty if none came.
        attempts: How often the request was made. A conflict after more than one attempt can mean
            that an earlier attempt succeeded and only its answer was lost.
    """

    code = ""
    status = 0
    reason = ""
    body = ""
    request_id = ""
    attempts = 1


class BlobTransferFailed(ApiException):
    """An upload or download by signed URL failed. `status` is 0 if it broke off."""


class UnexpectedAnswer(ApiException):
    """The answer does not look like one of a Lightly server. Check LIGHTLY_SERVER_LOCATION."""


class ConnectionFailed(LightlyError, RuntimeError):
    """The server cannot be reached."""

    code = "connection_failed"


class JobFailed(LightlyError, RuntimeError):
    """A job of the server failed."""

    code = "job_failed"


class UploadInterrupted(LightlyError, RuntimeError):
    """The upload stopped. Start it again: what the server has acknowledged is not sent twice."""

    code = "upload_interrupted"


class CorruptImagesWarning(UserWarning):
    """Some images cannot be decoded. They are left out of the dataset."""


class IncompleteUploadWarning(UserWarning):
    """Some files could not be uploaded."""


class IncompleteDownloadWarning(UserWarning):
    """Some files could not be downloaded."""
