"""The errors of a call, under the names that scripts import from the generated packages.

OpenApiException
└── ApiException               the server answered with an error
    ├── UnauthorizedException  401: no token, or a wrong one
    ├── ForbiddenException     403: not allowed
    ├── NotFoundException      404: does not exist, or is not visible
    └── ServiceException       5xx: the server's own fault
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from lightly._kit.errors import LightlyError


class OpenApiException(LightlyError):
    """A call went wrong."""


class ApiException(OpenApiException, RuntimeError):
    """The server answered with an error.

    Attributes:
        status: HTTP status of the answer; 0 if there was none.
        reason: The status in words.
        code: Error code of the wire contract, such as `TAG_NAME_EXISTS`; empty if none came.
        body: The answer's text, shortened and without secrets.
        headers: The answer's headers, without addresses and cookies; names in any case.
        request_id: Leads to this request in the server's log; empty if none came.
        attempts: How often the request was made. A conflict after more than one attempt can mean
            that an earlier attempt succeeded and only its answer was lost.
    """

    code = ""
    status = 0
    reason = ""
    body = ""
    headers: Mapping[str, str] = MappingProxyType({})
    request_id = ""
    attempts = 1


class UnauthorizedException(ApiException):
    """There is no token, or a wrong one."""


class ForbiddenException(ApiException):
    """This user may not do this."""


class NotFoundException(ApiException):
    """It does not exist, or this user does not see it."""


class ServiceException(ApiException):
    """The server failed."""
