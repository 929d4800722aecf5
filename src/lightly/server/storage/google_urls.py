"""Signed URLs of the server's own storage at Google, in the form that every client sends unchanged.

The library encodes all but letters and digits in a path. Clients are free to write `-` for `%2D`,
and common ones do; then the signature is one of another request. With the key of a service account
at hand the server signs by itself; without one, as on a machine of Google's, the library has to.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from lightly.server.datasources.buckets.gcs import (
    PUBLIC_ENDPOINT,
    GcsUrlSigner,
    make_gcs_scheme,
    read_service_account,
)
from lightly.server.datasources.buckets.query_signing import encode_key
from lightly.server.errors import DatasourceUnreachable

_KEY_VARIABLE = "GOOGLE_SERVICE_ACCOUNT_KEY"
#: Where the library looks, in its order.
_PATH_VARIABLES = (
    "GOOGLE_SERVICE_ACCOUNT",
    "GOOGLE_SERVICE_ACCOUNT_PATH",
    "GOOGLE_APPLICATION_CREDENTIALS",
)


def open_google_signer(
    url: str, variables: Mapping[str, str] | None = None
) -> tuple[GcsUrlSigner, str] | None:
    """Return what signs for a bucket, and what its keys begin with; None if the library has to.

    Args:
        url: Of the storage, such as `gs://bucket/prefix`.
        variables: Of the server.
    """
    parts = urlsplit(url)
    if parts.scheme != "gs":
        return None
    with suppress(DatasourceUnreachable, OSError, UnicodeDecodeError):
        text = _read_key(os.environ if variables is None else variables)
        if text:
            scheme = make_gcs_scheme(read_service_account(text))
            root = parts.path.strip("/")
            bucket_url = f"{PUBLIC_ENDPOINT}/{encode_key(parts.netloc)}"
            return GcsUrlSigner(scheme, bucket_url), f"{root}/" if root else ""
    return None


def _read_key(variables: Mapping[str, str]) -> str:
    path = next((variables[name] for name in _PATH_VARIABLES if variables.get(name)), "")
    return variables.get(_KEY_VARIABLE) or (Path(path).read_text(encoding="utf-8") if path else "")
