"""Signed URLs that the library of object stores cannot make, for S3, its kin and GCS.

The library refuses keys that have empty or dotted parts or control characters, signs nothing but
the host, and nothing about a bucket itself. Both providers sign a request in the same four steps.
Sources: "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)", and "V4
signing process" of Cloud Storage.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

_MAX_TTL_S = 7 * 24 * 3600


@dataclass(frozen=True, repr=False)
class QueryScheme:
    """How a provider names things, and who signs.

    Attributes:
        prefix: Of the parameters: `X-Amz-` or `X-Goog-`.
        algorithm: What is signed with.
        principal: Whose key it is.
        scope: What follows the day in the scope of a signature.
        sign: Returns the hex signature of a text, given the day.
        extra: Further parameters, such as the token of a session.
    """

    prefix: str
    algorithm: str
    principal: str
    scope: str
    sign: Callable[[str, str], str]
    extra: Mapping[str, str] = field(default_factory=dict)


def make_s3_scheme(
    access_key_id: str, secret_access_key: str, region: str, token: str | None = None
) -> QueryScheme:
    """Return how S3 and its kin have URLs signed."""

    def sign(day: str, text: str) -> str:
        key = derive_key(secret_access_key, day, region, "s3")
        return hmac.digest(key, text.encode(), hashlib.sha256).hex()

    extra = {"X-Amz-Security-Token": token} if token else {}
    scope = f"{region}/s3/aws4_request"
    return QueryScheme("X-Amz-", "AWS4-HMAC-SHA256", access_key_id, scope, sign, extra)


def derive_key(secret_access_key: str, day: str, region: str, service: str) -> bytes:
    """Return the key that signs requests of one day to one service in one region."""
    key = f"AWS4{secret_access_key}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    return key


def sign_query(
    scheme: QueryScheme,
    method: str,
    url: str,
    *,
    ttl_s: int,
    now_s: float,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> str:
    """Return a URL that is good for one request until `now_s + ttl_s`.

    Args:
        scheme: The provider's.
        method: Of the request.
        url: Encoded already, without a query.
        ttl_s: At most seven days.
        now_s: Seconds since the epoch.
        query: Further parameters.
        headers: That the request must carry, by their names in lower case.
    """
    parts = urlsplit(url)
    moment = dt.datetime.fromtimestamp(int(now_s), dt.UTC)
    stamp, day = moment.strftime("%Y%m%dT%H%M%SZ"), moment.strftime("%Y%m%d")
    scope = f"{day}/{scheme.scope}"
    signed = {"host": parts.netloc, **(headers or {})}
    names = ";".join(sorted(signed))
    parameters = {
        **(query or {}),
        f"{scheme.prefix}Algorithm": scheme.algorithm,
        f"{scheme.prefix}Credential": f"{scheme.principal}/{scope}",
        f"{scheme.prefix}Date": stamp,
        f"{scheme.prefix}Expires": str(min(ttl_s, _MAX_TTL_S)),
        f"{scheme.prefix}SignedHeaders": names,
        **scheme.extra,
    }
    text = "&".join(f"{encode(name)}={encode(value)}" for name, value in sorted(parameters.items()))
    lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    request = f"{method}\n{parts.path or '/'}\n{text}\n{lines}\n{names}\nUNSIGNED-PAYLOAD"
    digest = hashlib.sha256(request.encode()).hexdigest()
    signature = scheme.sign(day, f"{scheme.algorithm}\n{stamp}\n{scope}\n{digest}")
    return f"{url}?{text}&{scheme.prefix}Signature={signature}"


def encode(text: str) -> str:
    """Return a text as both providers encode it in what they sign."""
    return quote(text, safe="-_.~")


def encode_key(key: str) -> str:
    """Return a key as the path of a URL has it."""
    return quote(key, safe="/-_.~")
