"""Signed URLs of files that the server itself hands out, for stores that cannot sign."""

from __future__ import annotations

import hmac
from urllib.parse import urlencode

from lightly.server.datasources.models import Datasource
from lightly.server.errors import Forbidden
from lightly.server.secrets.keys import ServerKeys
from lightly.server.settings import Settings


def make_file_url_base(settings: Settings, datasource_id: str) -> str:
    """Return the URL of all files of a datasource, without the query."""
    return f"{settings.base_url}/files/{datasource_id}"


def make_file_url(base_url: str, name: str, method: str, expires_at_s: int, signature: str) -> str:
    """Return a URL for one file and one method until a moment.

    Args:
        base_url: Of all files of the datasource.
        name: Of the file.
        method: That the URL is good for.
        expires_at_s: When it ends, in seconds.
        signature: What `sign_file` made of the same.
    """
    query = {"name": name, "method": method, "expires": expires_at_s, "signature": signature}
    return f"{base_url}?{urlencode(query)}"


def sign_file(
    keys: ServerKeys, datasource: Datasource, name: str, method: str, expires_at_s: int
) -> str:
    """Return the signature of a URL for one file, one method, until a moment.

    It ends to be good when the datasource is pointed elsewhere.
    """
    lines = ("file", method, str(expires_at_s), datasource.id, datasource.full_path, name)
    return keys.sign("\n".join(lines).encode("utf-8", "surrogatepass"))


def check_file_url(
    keys: ServerKeys,
    datasource: Datasource,
    name: str,
    method: str,
    expires: str,
    signature: str,
    now_s: float,
) -> None:
    """Raise unless the signature covers exactly this file, method and moment.

    Raises:
        Forbidden: If the URL was changed, is for another method, or has expired.
    """
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
        raise Forbidden("The expiry of this URL is not valid.")
    expected = sign_file(keys, datasource, name, method, int(expires))
    # Encoded, because the comparison refuses text that is not ASCII.
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogatepass")):
        raise Forbidden("The signature of this URL is not valid.")
    if now_s > int(expires):
        raise Forbidden("This URL has expired. Ask the server for a new one.")
