"""The XML interface of Cloud Storage, with all of its checks of who asks.

That interface is the one of S3 with other names of headers and other signatures. So a gate looks at
each request as Google does, with the public half of the service account's key, and passes it on to
moto's S3 under the names that are used there. It keeps nothing and makes up no answers of its own
but refusals. Sources: AIP-4111 "Self-signed JWT with service account"; "V4 signing process" and
"XML API" of Cloud Storage.
"""

from __future__ import annotations

import base64
import calendar
import hashlib
import json
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest
import requests
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from obstore.store import S3Store

from tests.support.emulators import MotoServer
from tests.support.http_servers import Answer, LocalServer, Request, serve

#: Whoever signs by the library of object stores signs for this host.
PUBLIC_HOST = "storage.googleapis.com"
_SCOPES = {
    "https://www.googleapis.com/auth/cloud-platform",
    "https://www.googleapis.com/auth/devstorage.full_control",
    "https://www.googleapis.com/auth/devstorage.read_write",
}
_MAX_TOKEN_S = 3600
_GOOGLE_META, _AMAZON_META = "x-goog-meta-", "x-amz-meta-"
_NOT_PASSED_ON = {"authorization", "host", "connection", "content-length", "transfer-encoding"}
#: moto takes whoever has such a header for the owner of everything.
_OWNER = {"Authorization": "AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/s3/aws4_request"}


class GoogleGate:
    """Lets requests of one service account pass.

    Args:
        store: Keeps the objects.
        account: The key file of the service account; the gate uses its public half only.

    Attributes:
        passed: How many requests came with a token (`bearer`) and with a signed URL (`signed`).
    """

    def __init__(self, store: MotoServer, account: dict[str, Any]) -> None:
        self._store = store
        self._email = account["client_email"]
        private = serialization.load_pem_private_key(account["private_key"].encode(), None)
        assert isinstance(private, rsa.RSAPrivateKey)
        self._public = private.public_key()
        self.passed: Counter[str] = Counter()

    def make_bucket(self) -> str:
        """Make an empty bucket and return its name."""
        # In us-east-1 every bucket may be made without saying where.
        name = f"google-{uuid.uuid4().hex[:12]}"
        requests.put(f"{self._store.endpoint}/{name}", timeout=30).raise_for_status()
        return name

    def open_bucket(self, name: str) -> S3Store:
        """Return the library's client of what lies behind the gate."""
        return self._store.open_bucket(name)

    @contextmanager
    def listen(self, tls: Any = None) -> Iterator[LocalServer]:
        """Listen on loopback while the block runs."""
        with serve(self._answer, tls) as server:
            yield server

    def _answer(self, request: Request) -> Answer:
        path, _, query = request.path.partition("?")
        headers = {name.lower(): value for name, value in request.headers.items()}
        way = "bearer" if "authorization" in headers else "signed"
        try:
            if way == "bearer":
                self._check_token(headers["authorization"])
            else:
                self._check_url(request.method, path, query, headers)
        except (InvalidSignature, ValueError, KeyError, IndexError) as error:
            # As Google does: no identity, or one whose signature is wrong.
            return Answer(401 if way == "bearer" else 403, f"<Error>{error!r}</Error>".encode())
        self.passed[way] += 1
        return self._pass_on(request, path, query, headers)

    def _check_token(self, authorization: str) -> None:
        scheme, _, token = authorization.partition(" ")
        signed, _, signature = token.rpartition(".")
        self._verify(_decode(signature), signed)
        head, claims = (json.loads(_decode(part)) for part in signed.split("."))
        now_s = time.time()
        is_good = (
            scheme == "Bearer"
            and head["alg"] == "RS256"
            and claims["iss"] == claims["sub"] == self._email
            and _SCOPES & set(claims["scope"].split())
            and claims["iat"] - 300 < now_s < claims["exp"] <= claims["iat"] + _MAX_TOKEN_S
        )
        if not is_good:
            raise ValueError("these claims are not good")

    def _check_url(self, method: str, path: str, query: str, headers: dict[str, str]) -> None:
        found = {name: values[0] for name, values in parse_qs(query, True).items()}
        stamp, scope = found["X-Goog-Date"], found["X-Goog-Credential"].partition("/")[2]
        names = found["X-Goog-SignedHeaders"]
        lines = "".join(f"{name}:{headers[name]}\n" for name in names.split(";"))
        rest = sorted(part for part in query.split("&") if not part.startswith("X-Goog-Signature="))
        canonical = f"{method}\n{path}\n{'&'.join(rest)}\n{lines}\n{names}\nUNSIGNED-PAYLOAD"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"GOOG4-RSA-SHA256\n{stamp}\n{scope}\n{digest}"
        self._verify(bytes.fromhex(found["X-Goog-Signature"]), text)
        begins_at_s = calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
        if not found["X-Goog-Credential"].startswith(f"{self._email}/"):
            raise ValueError("signed by somebody else")
        if not begins_at_s - 900 < time.time() < begins_at_s + int(found["X-Goog-Expires"]):
            raise ValueError("expired")

    def _verify(self, signature: bytes, text: str) -> None:
        self._public.verify(signature, text.encode(), padding.PKCS1v15(), hashes.SHA256())

    def _pass_on(self, request: Request, path: str, query: str, headers: dict[str, str]) -> Answer:
        bucket, slash, key = path[1:].partition("/")
        kept = [part for part in query.split("&") if part and not part.startswith("X-Goog-")]
        url = f"{self._store.endpoint}/{unquote(bucket)}{slash}{key}?{'&'.join(kept)}"
        answer = requests.request(
            request.method,
            url,
            data=request.body,
            headers={
                name.replace(_GOOGLE_META, _AMAZON_META): value
                for name, value in headers.items()
                if name not in _NOT_PASSED_ON
            }
            | _OWNER,
            timeout=60,
        )
        back = {
            name.lower().replace(_AMAZON_META, _GOOGLE_META): value
            for name, value in answer.headers.items()
            if name.lower() not in {"connection", "transfer-encoding", "content-encoding"}
        }
        return Answer(
            answer.status_code,
            answer.content,
            # The library takes this name; servers may write it as they like.
            {"Content-Length": back.pop("content-length", str(len(answer.content))), **back},
        )


def use_google(
    endpoint: str, account: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Set the variables by which users of `gs://` say who they are, and where it is."""
    path = folder / "service-account.json"
    path.write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT", str(path))
    monkeypatch.setenv("GOOGLE_BASE_URL", endpoint)


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
