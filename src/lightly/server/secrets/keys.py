"""The server's own keys: made at random at the first start, never shipped, never logged."""

from __future__ import annotations

import functools
import hashlib
import hmac
import os
from dataclasses import dataclass
from pathlib import Path

from lightly._kit.atomic_files import write_atomic
from lightly._kit.errors import BadInput

#: Variable with the key in hex: several servers on one database must share it.
KEY_VARIABLE = "LIGHTLY_SERVER_SECRET_KEY"
#: The same in the data folder.
KEY_FILE = "secret-key"
_KEY_BYTES = 32


@dataclass(frozen=True, repr=False)
class ServerKeys:
    """Keys derived from one root, one per purpose, so that none can stand in for another."""

    root: bytes

    def derive(self, purpose: str) -> bytes:
        """Return the 32-byte key of one purpose."""
        return hmac.digest(self.root, f"lightly:{purpose}".encode(), hashlib.sha256)

    def fingerprint(self) -> str:
        """Return what tells these keys from others and nothing else about them."""
        return self.derive("fingerprint").hex()

    def hash_token(self, token: str) -> str:
        """Return the keyed hash under which a token is stored, 64 hex digits."""
        content = token.encode("utf-8", "surrogatepass")
        return hmac.digest(self._token_key, content, hashlib.sha256).hex()

    def sign(self, message: bytes) -> str:
        """Return the signature of a message as 64 hex digits."""
        return hmac.digest(self._signature_key, message, hashlib.sha256).hex()

    # Kept: every request needs the first, every URL of a listing the second.
    @functools.cached_property
    def _token_key(self) -> bytes:
        return self.derive("token-hash")

    @functools.cached_property
    def _signature_key(self) -> bytes:
        return self.derive("url-signature")


def load_or_make_keys(data_dir: Path) -> ServerKeys:
    """Return the keys of the server whose data lies in `data_dir`; make them the first time.

    Raises:
        BadInput: If the key in the environment or the file does not have 64 hex digits.
    """
    keys = find_keys(data_dir)
    if keys is None:
        text = os.urandom(_KEY_BYTES).hex().encode() + b"\n"
        write_atomic(data_dir / KEY_FILE, text, mode=0o600)
        keys = find_keys(data_dir)
    if keys is None:
        raise BadInput(f"{KEY_FILE} was taken away while the server started.")
    return keys


def find_keys(data_dir: Path) -> ServerKeys | None:
    """Return the keys of the server whose data lies in `data_dir`; None before its first start.

    Raises:
        BadInput: If the key in the environment or the file does not have 64 hex digits.
    """
    text = os.environ.get(KEY_VARIABLE)
    source = KEY_VARIABLE
    path = data_dir / KEY_FILE
    if text is None:
        if not path.exists():
            return None
        source, text = path.name, path.read_text()
    try:
        root = bytes.fromhex(text.strip())
    except ValueError:
        root = b""
    if len(root) != _KEY_BYTES:
        raise BadInput(f"{source} must hold {2 * _KEY_BYTES} hex digits.")
    return ServerKeys(root)
