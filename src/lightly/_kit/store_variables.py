"""The variables by which users of object stores say where their store is."""

from __future__ import annotations

import os

_ENDPOINTS = (
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT",
    "AZURE_STORAGE_ENDPOINT",
    "GOOGLE_BASE_URL",
)


def is_plain_http_allowed() -> bool:
    """Tell whether a variable names an endpoint without TLS: whoever sets it wants that."""
    return any(os.environ.get(name, "").startswith("http://") for name in _ENDPOINTS)
