"""What went wrong in a store, in words that name store, operation, object and remedy.

Messages of stores and libraries name URLs, keys and more, so only codes are taken from them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lightly.server.errors import (
    ApiError,
    DatasourceUnavailable,
    DatasourceUnreachable,
    FileUnknown,
)

_WORD = r"[A-Za-z]\w{1,60}"
_CODE = re.compile(rf"<Code>\s*({_WORD})\s*</Code>|\"(?:code|reason|error)\"\s*:\s*\"({_WORD})\"")
_STATUS = re.compile(r"\b(?:status|error|code)\D{0,12}\b([1-5]\d\d)\b", re.IGNORECASE)
_EXPECTED_REGION = re.compile(r"<Region>([a-z0-9-]{2,30})</Region>|expecting '([a-z0-9-]{2,30})'")
_MAX_NAME_CHARACTERS = 120

#: What helps, by the codes of the stores. S3 and its kin, Azure, GCS.
_REMEDIES = {
    "InvalidAccessKeyId": "The store does not know the access key. Send a key that exists.",
    "SignatureDoesNotMatch": "The secret key does not belong to the access key, or the endpoint "
    "is another store's. Send both keys again.",
    "ExpiredToken": "The credentials have expired. Send new ones.",
    "InvalidToken": "The credentials were revoked, or are for another partition of the provider. "
    "Send new ones.",
    "TokenRefreshRequired": "The credentials have expired. Send new ones.",
    "RequestTimeTooSkewed": "The clock of the server and that of the store are more than some "
    "minutes apart. Set the server's clock.",
    "RequestExpired": "The clock of the server is wrong. Set it.",
    "NoSuchBucket": "There is no such bucket. Look at its name, and at the region.",
    "ContainerNotFound": "There is no such container. Look at its name.",
    "AuthorizationFailure": "The account refuses the server: the key or SAS is wrong, has "
    "expired or lacks the right, or the account's firewall is closed. Send a new one, and open the "
    "network of the account to the server.",
    "AuthenticationFailed": "The store refuses the account key or SAS: it is wrong or has expired, "
    "or the server's clock is. Send a new one.",
    "AuthorizationPermissionMismatch": "The SAS lacks the right for this. Make one with the "
    "rights read, list, and for output write and delete.",
    "AuthorizationResourceTypeMismatch": "The SAS lacks a resource type. Make one for containers "
    "and objects.",
    "AuthorizationServiceMismatch": "The SAS is not for blobs. Make one for the blob service.",
    "AuthorizationProtocolMismatch": "The SAS does not allow this protocol. Allow https.",
    "AuthorizationSourceIPMismatch": "The SAS does not allow the server's address. Add it.",
    "InvalidAuthenticationInfo": "The store cannot read the account key or SAS. Send it again.",
    "invalid_grant": "The key of the service account was deleted, or the server's clock is wrong. "
    "Send a new key.",
    "SlowDown": "The store has too many requests. Try again in a minute.",
    "ServerBusy": "The store has too many requests. Try again in a minute.",
    "NotImplemented": "The store does not know this operation.",
}
_REGION_CODES = {
    "AuthorizationHeaderMalformed",
    "PermanentRedirect",
    "IllegalLocationConstraintException",
    "TemporaryRedirect",
}
#: What the library says of an answer that was cut off.
_CUT = ("decoding response body", "response body", "streaming")
_PASSING = (
    "timed out",
    "timeout",
    "connection",
    "error sending request",
    "broken pipe",
    "reset",
    "incomplete",
    "unexpected eof",
    "body",
    "decod",
    "tunnel",
    "dns",
)


@dataclass(frozen=True)
class Attempt:
    """What was tried.

    Attributes:
        store: The store, such as `the S3 bucket 'images'`.
        action: `list`, `read`, `write`, `overwrite` or `delete`.
        name: The object; empty for the whole store.
        right: The right that it takes, in the provider's words.
    """

    store: str
    action: str
    name: str
    right: str

    def describe(self) -> str:
        """Return what was tried as the beginning of a sentence."""
        text = self.name[:_MAX_NAME_CHARACTERS]
        of = f" {text!a}" if self.name else ""
        return f"Cannot {self.action}{of} in {self.store}"


def explain_error(error: Exception, attempt: Attempt, refusal: str | None = None) -> ApiError:
    """Return an error of ours for one of a library or store.

    Args:
        error: What was raised.
        attempt: What was tried.
        refusal: Why the store's address was refused, if it was.
    """
    if refusal is not None:
        return DatasourceUnreachable(f"{attempt.describe()}: {refusal}")
    text = str(error)
    code, status = find_code(text), _find_status(text)
    if isinstance(error, FileNotFoundError) and code not in {"NoSuchBucket", "ContainerNotFound"}:
        if attempt.action != "list":
            return FileUnknown(f"{attempt.describe()}: there is no such file.")
        code = code or "NoSuchBucket"
    if is_passing(code, status, text):
        hint = _REMEDIES.get(code, "Try again shortly; a listing goes on where it was.")
        return DatasourceUnavailable(
            f"{attempt.describe()}: the store does not answer as it should"
            f"{_write_code(code, status)}, also when asked again. {hint}",
            is_cut=not status and any(word in text.lower() for word in _CUT),
        )
    remedy = _find_remedy(code, status, text, attempt)
    return DatasourceUnreachable(f"{attempt.describe()}{_write_code(code, status)}: {remedy}")


def has_ended(error: Exception) -> bool:
    """Tell whether a store does not take a session any more."""
    return find_code(str(error)) in {"ExpiredToken", "InvalidToken", "TokenRefreshRequired"}


def explain_ended(attempt: Attempt) -> ApiError:
    """Return an error for a session that has ended before its time."""
    return DatasourceUnavailable(
        f"{attempt.describe()}: the session of the role has ended. Try again: the next one is made "
        "then."
    )


def find_code(text: str) -> str:
    """Return the code in a store's message; empty when there is none."""
    found = _CODE.search(text)
    return next(filter(None, found.groups()), "") if found else ""


def is_passing(code: str, status: int, text: str) -> bool:
    """Tell whether asking again later may help."""
    if code in {"SlowDown", "ServerBusy", "InternalError", "ServiceUnavailable", "RequestTimeout"}:
        return True
    if status:
        return status >= 500 or status in {408, 425, 429}
    lowered = text.lower()
    if "redirect" in lowered:
        return False
    return not code and any(word in lowered for word in _PASSING)


def _find_status(text: str) -> int:
    found = _STATUS.search(text)
    return int(found[1]) if found else 0


def _find_remedy(code: str, status: int, text: str, attempt: Attempt) -> str:
    region = _EXPECTED_REGION.search(text)
    is_elsewhere = code in _REGION_CODES or (region and status in {301, 307, 400})
    if is_elsewhere or "configured region" in text:
        where = f" It is in {next(filter(None, region.groups()))}." if region else ""
        return f"the bucket is in another region than the datasource says.{where} Set the region."
    if code in _REMEDIES:
        return _REMEDIES[code]
    if code in {"AccessDenied", "AccountProblem", "forbidden"} or status == 403:
        return f"the store refuses it. Allow {attempt.right} to the key or role of the datasource."
    if status == 401:
        return "the store does not accept the credentials. Send new ones."
    if 300 <= status < 400:
        return "the store redirects elsewhere. Set the region, or the right endpoint."
    return (
        "the store does not understand the request. Look at bucket, region and endpoint: they may "
        "belong to another store."
    )


def _write_code(code: str, status: int) -> str:
    known = [part for part in (code, str(status) if status else "") if part]
    return f" ({', '.join(known)})" if known else ""
