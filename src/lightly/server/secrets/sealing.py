"""Secrets of users as the database keeps them: encrypted, each bound to the row it lies in.

The keys are not in the database. Without any set-up the key follows from the server's own one. An
operator who wants to change it from time to time names keys in `LIGHTLY_SERVER_DATASOURCE_KEYS` or
in the file `datasource-keys` of the data folder: the first one seals, all of them open.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lightly._kit.errors import BadInput, LightlyError
from lightly.server.secrets.keys import ServerKeys

#: Variable with keys of 64 hex digits each, separated by commas, the newest first.
KEYS_VARIABLE = "LIGHTLY_SERVER_DATASOURCE_KEYS"
#: File in the data folder with the same, one per line.
KEYS_FILE = "datasource-keys"

_VERSION = "v1"
_NONCE_BYTES = 12
_KEY_FORM = re.compile(r"[0-9a-fA-F]{64}")


class SecretUnreadable(LightlyError):
    """A stored secret does not open: its key is missing, or it was changed or moved."""


@dataclass(frozen=True, repr=False)
class SecretBox:
    """Seals with its first key and opens with any.

    Attributes:
        keys: 32 bytes each.
    """

    keys: tuple[bytes, ...]

    def seal(self, secret: bytes, place: str) -> str:
        """Return a secret encrypted for one place, where alone it opens again.

        >>> box = SecretBox((bytes(32),))
        >>> box.open(box.seal(b"secret", "row 1"), "row 1")
        b'secret'
        """
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(self.keys[0]).encrypt(nonce, secret, place.encode())
        text = base64.urlsafe_b64encode(nonce + sealed).decode()
        return f"{_VERSION}.{_name_key(self.keys[0])}.{text}"

    def open(self, sealed: str, place: str) -> bytes:
        """Return what was sealed for this place.

        Raises:
            SecretUnreadable: If it was not, or if its key is not among ours.
        """
        version, _, rest = sealed.partition(".")
        name, _, text = rest.partition(".")
        key = {_name_key(key): key for key in self.keys}.get(name)
        if version != _VERSION or key is None:
            raise SecretUnreadable
        try:
            content = base64.urlsafe_b64decode(text)
            nonce, encrypted = content[:_NONCE_BYTES], content[_NONCE_BYTES:]
            return AESGCM(key).decrypt(nonce, encrypted, place.encode())
        except (InvalidTag, ValueError, binascii.Error) as error:
            raise SecretUnreadable from error

    def is_current(self, sealed: str) -> bool:
        """Tell whether a secret was sealed with the newest key."""
        return sealed.startswith(f"{_VERSION}.{_name_key(self.keys[0])}.")


def open_secret_box(keys: ServerKeys, data_dir: Path) -> SecretBox:
    """Return the box of a server.

    Args:
        keys: The server's own; a key that follows from them opens what was sealed before others
            were named.
        data_dir: May have a file of keys.

    Raises:
        BadInput: If a key does not have 64 hex digits.
    """
    named = os.environ.get(KEYS_VARIABLE)
    source, path = KEYS_VARIABLE, data_dir / KEYS_FILE
    if named is None and path.exists():
        source, named = KEYS_FILE, path.read_text()
    given = _read_keys(re.split(r"[,\s]+", (named or "").strip()), source)
    return SecretBox((*given, keys.derive("datasource-secrets")))


def _read_keys(texts: Sequence[str], source: str) -> tuple[bytes, ...]:
    given = [text for text in texts if text]
    if not all(_KEY_FORM.fullmatch(text) for text in given):
        raise BadInput(f"Each key in {source} must have 64 hex digits.")
    return tuple(bytes.fromhex(text) for text in given)


def _name_key(key: bytes) -> str:
    """Return what tells keys apart without telling anything about them."""
    return hashlib.sha256(b"lightly:key-name:" + key).hexdigest()[:12]
