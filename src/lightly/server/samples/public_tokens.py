"""Public tokens: what redirected read URLs carry instead of an API token.

A public token lets whoever holds it read the images of one dataset as one user would. It is
checked anew at each use: it ends when its time is over, when the user is disabled or loses the
dataset, and when the API token that it was made under is revoked. That last rule is the owner's
way to take back URLs that were exported without an end.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Self

import sqlalchemy as sa

from lightly.server.auth.users import User
from lightly.server.errors import NotAuthenticated
from lightly.server.samples import repository
from lightly.server.secrets.keys import ServerKeys

#: User, moment of its end in seconds (0: none), signature.
_FORM = re.compile(r"([a-f0-9]{24})-(0|[1-9][0-9]{0,11})-([a-f0-9]{64})")


@dataclass(frozen=True, repr=False)
class PublicTokenSigner:
    """Makes many public tokens of one user for one dataset.

    Attributes:
        keys: The server's keys.
        user_id: Whose access the tokens lend.
        dataset_id: The dataset.
        token_hash: Of the API token that they end with.
        expires_at_s: Seconds since the epoch when they end, 0 for never.
    """

    keys: ServerKeys
    user_id: str
    dataset_id: str
    token_hash: str
    expires_at_s: int = 0

    @classmethod
    def open(
        cls,
        connection: sa.Connection,
        keys: ServerKeys,
        caller: User,
        dataset_id: str,
        *,
        expires_at_s: int | None = None,
    ) -> Self:
        """Return the signer of a user for whom the dataset was loaded.

        Raises:
            NotAuthenticated: If the user has no valid API token any more.
        """
        found = repository.find_user_with_token_hashes(connection, caller.id)
        if found is None:
            raise NotAuthenticated
        _, (newest_hash, *_) = found
        return cls(keys, caller.id, dataset_id, newest_hash, expires_at_s or 0)

    def sign(self, *, path: str | None = None) -> str:
        """Return a token for the images of all samples or, with a path, for that file alone."""
        signature = _sign(
            self.keys, self.user_id, self.dataset_id, self.expires_at_s, self.token_hash, path
        )
        return f"{self.user_id}-{self.expires_at_s}-{signature}"


def make_public_token(
    connection: sa.Connection,
    keys: ServerKeys,
    caller: User,
    dataset_id: str,
    *,
    expires_at_s: int | None = None,
) -> str:
    """Return a public token for the images of a dataset.

    Args:
        connection: An open transaction.
        keys: The server's keys.
        caller: Whose access the token lends; the dataset was loaded for this user.
        dataset_id: The dataset.
        expires_at_s: Seconds since the epoch when it ends, None for never.

    Raises:
        NotAuthenticated: If the user has no valid API token any more.
    """
    signer = PublicTokenSigner.open(connection, keys, caller, dataset_id, expires_at_s=expires_at_s)
    return signer.sign()


def open_public_token(
    connection: sa.Connection,
    keys: ServerKeys,
    token: str,
    dataset_id: str,
    *,
    now_s: float,
    path: str | None = None,
) -> User:
    """Return the user whose access a public token lends. The dataset is still to be loaded.

    Args:
        connection: An open transaction.
        keys: The server's keys.
        token: The public token.
        dataset_id: The dataset.
        now_s: Seconds since the epoch.
        path: The file of the datasource that is to be opened; None for the image of a sample.

    Raises:
        NotAuthenticated: If the token was changed, is for something else, or has ended.
    """
    parts = _FORM.fullmatch(token)
    found = repository.find_user_with_token_hashes(connection, parts[1]) if parts else None
    if parts is None or found is None:
        raise NotAuthenticated(_REFUSED)
    user, token_hashes = found
    end = int(parts[2])
    signatures = (_sign(keys, user.id, dataset_id, end, hash_, path) for hash_ in token_hashes)
    if not any(hmac.compare_digest(signature, parts[3]) for signature in signatures):
        raise NotAuthenticated(_REFUSED)
    if end and now_s > end:
        raise NotAuthenticated("The public token has ended. Export the URLs again.")
    return user


_REFUSED = "The public token is missing, not valid for this dataset, or was revoked."


def _sign(
    keys: ServerKeys,
    user_id: str,
    dataset_id: str,
    expires_at_s: int,
    token_hash: str,
    path: str | None,
) -> str:
    message = f"{user_id}\n{dataset_id}\n{expires_at_s}\n{token_hash}"
    if path is not None:
        message += f"\n{path}"
    content = message.encode("utf-8", "surrogatepass")
    return hmac.digest(keys.derive("public-token"), content, hashlib.sha256).hex()
