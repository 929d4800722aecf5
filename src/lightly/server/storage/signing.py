"""Signed URLs for stores that cannot sign themselves."""

from __future__ import annotations

import hmac
from urllib.parse import quote

from lightly.server.errors import Forbidden
from lightly.server.secrets.keys import ServerKeys
from lightly.server.storage.blobs import Method

#: Clocks of clients and servers may differ by this much.
CLOCK_TOLERANCE_S = 300


def sign_blob_url(
    keys: ServerKeys, base_url: str, key: str, method: Method, expires_at_s: int
) -> str:
    """Return a URL below `base_url` for one method on one object until a moment."""
    signature = keys.sign(_make_message(key, method, expires_at_s))
    path = quote(key)
    return f"{base_url}/blobs/{path}?method={method}&expires={expires_at_s}&signature={signature}"


def check_blob_url(
    keys: ServerKeys, key: str, method: str, expires: str, signature: str, now_s: float
) -> None:
    """Raise unless the signature covers exactly this method, object and moment.

    Raises:
        Forbidden: If the URL was changed, is for another method, or has expired.
    """
    is_number = expires.isascii() and expires.isdigit() and len(expires) <= 12
    if not is_number:
        raise Forbidden("The expiry of this URL is not valid.")
    expected = keys.sign(_make_message(key, method, int(expires)))
    # Encoded, because the comparison refuses text that is not ASCII.
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogatepass")):
        raise Forbidden("The signature of this URL is not valid.")
    if now_s > int(expires):
        raise Forbidden("This URL has expired. Ask the server for a new one.")


def _make_message(key: str, method: str, expires_at_s: int) -> bytes:
    return f"{method}\n{expires_at_s}\n{key}".encode("utf-8", "surrogatepass")
