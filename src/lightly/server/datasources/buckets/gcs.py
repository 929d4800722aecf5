"""Buckets of Google Cloud Storage, with the key of a service account."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from obstore.store import GCSStore

from lightly.server.datasources.buckets.network import Network, make_retry_config, split_endpoint
from lightly.server.datasources.buckets.query_signing import (
    QueryScheme,
    encode_key,
    sign_keys,
    sign_query,
)
from lightly.server.datasources.buckets.raw_listing import S3Listing
from lightly.server.datasources.buckets.raw_requests import RawRequests
from lightly.server.datasources.buckets.s3 import split_path
from lightly.server.datasources.buckets.store import BucketStore, Place, SignedMethod
from lightly.server.datasources.models import Datasource
from lightly.server.errors import DatasourceUnreachable
from lightly.server.settings import Settings

PUBLIC_ENDPOINT = "https://storage.googleapis.com"
_SCOPE = "auto/storage/goog4_request"
_LIST_TTL_S = 300
_ENDPOINT_SETTING = "LIGHTLY_SERVER_GCS_ENDPOINT"
_KEY_TYPE = "service_account"
#: What the library reads of a key file. Others name addresses to connect to, so they are dropped.
_KEY_FIELDS = ("private_key", "private_key_id", "client_email", "client_id", "project_id")
_RIGHTS_IN_WORDS = {
    "list": "storage.objects.list (role Storage Object Viewer)",
    "read": "storage.objects.get (role Storage Object Viewer)",
    "write": "storage.objects.create (role Storage Object User)",
    "overwrite": "storage.objects.delete (role Storage Object User)",
    "delete": "storage.objects.delete (role Storage Object User)",
    "read the lifecycle rules": "storage.buckets.get (role Storage Legacy Bucket Reader)",
}


def open_gcs_store(
    settings: Settings, datasource: Datasource, secrets: Mapping[str, str]
) -> BucketStore:
    """Return the store of a GCS datasource.

    Raises:
        DatasourceUnreachable: If the credentials are no key of a service account.
    """
    network = Network.open(settings)
    key = read_service_account(secrets["gcsCredentials"])
    name, root = split_path(datasource.full_path)
    endpoint = settings.gcs_endpoint.rstrip("/") or PUBLIC_ENDPOINT
    place = Place(
        store=f"the GCS bucket {name!a}",
        root=root,
        url=endpoint,
        source=_ENDPOINT_SETTING,
        rights=_RIGHTS_IN_WORDS,
    )
    used: dict[str, object] = {**key}
    if settings.gcs_endpoint:
        parts = split_endpoint(endpoint, _ENDPOINT_SETTING)
        used["gcs_base_url"] = endpoint
        # The library signs a token with the key instead of asking Google for one. What speaks
        # plain HTTP should not see it.
        used["disable_oauth"] = parts.scheme == "http"
    client = GCSStore(
        name,
        config={
            "service_account_key": json.dumps(used),
            "base_url": endpoint,
            "skip_signature": False,
        },
        client_options=network.make_client_options(),
        retry_config=make_retry_config(),
    )
    scheme = make_gcs_scheme(key)
    signer = GcsUrlSigner(scheme, f"{endpoint}/{encode_key(name)}")
    requests = RawRequests(network.make_session())
    raw = S3Listing(requests, signer.sign_listing, place)
    return BucketStore(client, place, signer, raw, requests, network)


def read_service_account(text: str) -> dict[str, str]:
    """Return what the library takes of the key file of a service account.

    Raises:
        DatasourceUnreachable: If it is none; never repeats what it holds.
    """
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    kind = content.get("type", _KEY_TYPE) if isinstance(content, dict) else None
    if not isinstance(content, dict) or kind != _KEY_TYPE:
        raise DatasourceUnreachable(
            "gcsCredentials: must be the JSON key file of a service account, as text. Make a key "
            "in the console (IAM, Service accounts, Keys) and send the whole file."
        )
    key = {name: str(content[name]) for name in _KEY_FIELDS if content.get(name)}
    missing = [name for name in ("private_key", "client_email") if name not in key]
    if missing:
        raise DatasourceUnreachable(
            f"gcsCredentials: the key file lacks {missing[0]}. Send the whole file."
        )
    key.setdefault("private_key_id", "")
    return key


def make_gcs_scheme(key: Mapping[str, str]) -> QueryScheme:
    """Return how a service account signs URLs.

    Raises:
        DatasourceUnreachable: If its private key is none.
    """
    try:
        private = serialization.load_pem_private_key(key["private_key"].encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        private = None
    if not isinstance(private, rsa.RSAPrivateKey):
        raise DatasourceUnreachable(
            "gcsCredentials: private_key is no RSA key in PEM form. Send the file as it was "
            "downloaded, line breaks included."
        )

    def sign(_day: str, text: str) -> str:
        return private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()).hex()

    return QueryScheme("X-Goog-", "GOOG4-RSA-SHA256", key["client_email"], _SCOPE, sign)


class GcsUrlSigner:
    """Signs URLs without asking anybody; see `UrlSigner`.

    The library signs for the public host only, and asks Google for signatures where the server has
    no private key.

    Args:
        scheme: Signs.
        url: Of the bucket.
    """

    def __init__(self, scheme: QueryScheme, url: str) -> None:
        self._scheme = scheme
        self._url = url

    def sign(
        self, keys: Sequence[str], method: SignedMethod, *, ttl_s: int, now_s: float
    ) -> list[str]:
        """Return a URL for each key; see `UrlSigner`."""
        return sign_keys(self._scheme, method, self._url, keys, ttl_s=ttl_s, now_s=now_s)

    def sign_listing(self, query: Mapping[str, str]) -> str:
        """Return the URL of a listing of the bucket."""
        return sign_query(
            self._scheme, "GET", self._url, ttl_s=_LIST_TTL_S, now_s=time.time(), query=query
        )
