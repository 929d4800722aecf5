"""What the environment tells a client: where the server is, the token, certificates, proxies.

Read when a client is made, never at import.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path
from urllib.parse import urlsplit

from lightly import __version__
from lightly._kit.errors import BadInput

SERVER_LOCATION_VARIABLE = "LIGHTLY_SERVER_LOCATION"
TOKEN_VARIABLE = "LIGHTLY_TOKEN"  # noqa: S105  the name of a variable
CA_CERTS_VARIABLE = "LIGHTLY_CA_CERTS"
#: Where `lightly server` listens when nothing is configured.
DEFAULT_SERVER_LOCATION = "http://127.0.0.1:8000"

_MAX_TOKEN_CHARACTERS = 4096


def read_server_location() -> str:
    """Return the server's address without a slash at the end.

    Raises:
        BadInput: If the variable is set to something that is no plain http(s) address.
    """
    text = os.environ.get(SERVER_LOCATION_VARIABLE, "").strip().rstrip("/")
    if not text:
        return DEFAULT_SERVER_LOCATION
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadInput(
            f"{SERVER_LOCATION_VARIABLE} must be an address such as {DEFAULT_SERVER_LOCATION}, "
            "starting with http:// or https://."
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise BadInput(
            f"{SERVER_LOCATION_VARIABLE} must be a plain address without user, query or fragment. "
            f"Put the token into {TOKEN_VARIABLE}."
        )
    return text


def is_default_location() -> bool:
    """Tell whether nobody has said where the server is."""
    return not os.environ.get(SERVER_LOCATION_VARIABLE, "").strip()


def read_token(token: str | None) -> str:
    """Return the API token: the one given, else that of the environment.

    Raises:
        BadInput: If there is none, or it cannot be sent in a header. It is never repeated.
    """
    chosen = (token or os.environ.get(TOKEN_VARIABLE, "")).strip()
    if not chosen:
        raise BadInput(
            f"No API token: pass 'token' or set the environment variable {TOKEN_VARIABLE}."
        )
    if len(chosen) > _MAX_TOKEN_CHARACTERS or not (chosen.isascii() and chosen.isprintable()):
        raise BadInput("The API token may hold printable ASCII characters only.")
    return chosen


def read_ca_certificates() -> str | bool:
    """Return the file or folder of trusted certificates, or True for the usual ones.

    Raises:
        BadInput: If a variable names something that does not exist.
    """
    for variable in (CA_CERTS_VARIABLE, "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        path = os.environ.get(variable, "").strip()
        if path:
            if not Path(path).exists():
                raise BadInput(f"{variable} names a file that does not exist.")
            return path
    return True


def make_user_agent() -> str:
    """Return how this client introduces itself; servers tell client generations apart by it."""
    machine = f"{platform.system()}/{platform.release()}; {platform.machine()}"
    return f"Lightly/{__version__} ({machine}) python/{platform.python_version()}"
