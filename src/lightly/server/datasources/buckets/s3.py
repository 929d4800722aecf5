"""Buckets that speak the language of S3: Amazon's, with keys or a role, and any other."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from obstore.store import S3Store

from lightly.server.datasources.buckets.network import Network, make_retry_config, split_endpoint
from lightly.server.datasources.buckets.query_signing import (
    QueryScheme,
    encode_key,
    make_s3_scheme,
    sign_keys,
    sign_query,
)
from lightly.server.datasources.buckets.raw_listing import S3Listing
from lightly.server.datasources.buckets.raw_requests import RawRequests
from lightly.server.datasources.buckets.store import BucketStore, Place, SignedMethod
from lightly.server.datasources.models import Datasource
from lightly.server.errors import DatasourceUnreachable
from lightly.server.settings import Settings

if TYPE_CHECKING:
    # The library has this name for type checkers only.
    from obstore.store import S3Credential

#: What the contract calls regions that Amazon calls otherwise.
_REGIONS = {"us-gov-east": "us-gov-east-1", "us-gov-west": "us-gov-west-1"}
#: In the addresses of Amazon's own stores.
_AMAZON = ".amazonaws.com"
#: Stores that are not Amazon's take this one, as a rule.
_DEFAULT_REGION = "us-east-1"
#: How long requests of the server to the bucket itself may take to get there.
_LIST_TTL_S = 300


@dataclass(frozen=True, repr=False)
class S3Credentials:
    """What signs requests.

    Attributes:
        access_key_id: Names the key.
        secret_access_key: The key.
        token: Of a session; None for keys that last.
        expires_at: When a session ends.
        renew_at: When it is to be replaced, which is earlier.
    """

    access_key_id: str
    secret_access_key: str
    token: str | None = None
    expires_at: dt.datetime | None = None
    renew_at: dt.datetime | None = None

    def is_to_be_renewed(self, now_s: float) -> bool:
        """Tell whether a session is to be replaced by now."""
        return self.renew_at is not None and self.renew_at.timestamp() <= now_s


FindCredentials = Callable[[], S3Credentials]


@dataclass(frozen=True)
class S3Bucket:
    """A bucket as requests name it.

    Attributes:
        name: The bucket.
        root: What all keys begin with.
        url: Of the bucket, without a slash at the end.
        endpoint: What the library takes as its endpoint.
        region: As the provider calls it.
        kms_key: What new objects are encrypted with; empty for the bucket's default.
        kind: How people call it.
        source: The setting that the address comes from.
    """

    name: str
    root: str
    url: str
    endpoint: str
    region: str
    kms_key: str
    kind: str
    source: str

    @property
    def is_virtual_hosted(self) -> bool:
        """Whether the host names the bucket."""
        return self.endpoint == self.url

    @property
    def write_headers(self) -> dict[str, str]:
        """What whoever writes by a signed URL has to send: S3 takes these as headers only."""
        if not self.kms_key:
            return {}
        return {
            "x-amz-server-side-encryption": "aws:kms",
            "x-amz-server-side-encryption-aws-kms-key-id": self.kms_key,
        }


def open_s3_store(
    settings: Settings, datasource: Datasource, secrets: Mapping[str, str]
) -> BucketStore:
    """Return the store of an S3 datasource with keys."""
    network = Network.open(settings)
    bucket = make_amazon_bucket(settings, datasource)
    credentials = S3Credentials(secrets["s3AccessKeyId"], secrets["s3SecretAccessKey"])
    return open_bucket(network, bucket, lambda: credentials)


def open_obs_store(
    settings: Settings, datasource: Datasource, secrets: Mapping[str, str]
) -> BucketStore:
    """Return the store of an OBS datasource: its user says where it is."""
    network = Network.open(settings)
    endpoint = secrets["obsEndpoint"].rstrip("/")
    split_endpoint(endpoint, "obsEndpoint")
    name, root = split_path(datasource.full_path)
    bucket = S3Bucket(
        name=name,
        root=root,
        url=f"{endpoint}/{encode_key(name)}",
        endpoint=endpoint,
        region=_DEFAULT_REGION,
        kms_key="",
        kind="OBS bucket",
        source="obsEndpoint",
    )
    credentials = S3Credentials(secrets["obsAccessKeyId"], secrets["obsSecretAccessKey"])
    return open_bucket(network, bucket, lambda: credentials)


def make_amazon_bucket(settings: Settings, datasource: Datasource) -> S3Bucket:
    """Return the bucket of a datasource at Amazon, or where the operator has S3 datasources go."""
    name, root = split_path(datasource.full_path)
    wanted = str(datasource.settings["s3Region"])
    region = _REGIONS.get(wanted, wanted)
    source = "LIGHTLY_SERVER_S3_ENDPOINT" if settings.s3_endpoint else "s3Region"
    if settings.s3_endpoint:
        endpoint = settings.s3_endpoint.rstrip("/")
        split_endpoint(endpoint, source)
        url = f"{endpoint}/{encode_key(name)}"
    else:
        domain = f"s3.{region}.amazonaws.com" + (".cn" if region.startswith("cn-") else "")
        # A certificate covers one name before the domain, so names with dots go into the path.
        if "." in name:
            endpoint, url = f"https://{domain}", f"https://{domain}/{name}"
        else:
            endpoint = url = f"https://{name}.{domain}"
    return S3Bucket(
        name=name,
        root=root,
        url=url,
        endpoint=endpoint,
        region=region,
        kms_key=str(datasource.settings.get("s3ServerSideEncryptionKMSKey", "")),
        kind="S3 bucket",
        source=source,
    )


def open_bucket(
    network: Network, bucket: S3Bucket, find: FindCredentials, *, is_redirected: bool = False
) -> BucketStore:
    """Return the store of a bucket.

    Args:
        network: The way there.
        bucket: The bucket.
        find: Returns the credentials that are good now.
        is_redirected: See `FileStore`.
    """
    client = _make_client(network, bucket, find)

    def sign_listing(query: Mapping[str, str]) -> str:
        now_s = time.time()
        return sign_query(
            _make_scheme(bucket, find()),
            "GET",
            bucket.url,
            ttl_s=_LIST_TTL_S,
            now_s=now_s,
            query=query,
        )

    requests = RawRequests(network.make_session())
    place = Place(
        store=f"the {bucket.kind} {bucket.name!a}",
        root=bucket.root,
        url=bucket.url,
        source=bucket.source,
        rights=_make_rights(bucket),
        write_headers=bucket.write_headers,
        # The credentials of a role end before a long run does.
        is_redirected=is_redirected,
        has_session=is_redirected,
        is_sorted_by_bytes=_AMAZON in bucket.url,
    )
    signer = S3UrlSigner(bucket, find)
    raw = S3Listing(requests, sign_listing, place)
    return BucketStore(client, place, signer, raw, requests, network, find)


class S3UrlSigner:
    """Signs URLs without asking anybody; see `UrlSigner`.

    Args:
        bucket: The bucket.
        find: Returns the credentials that are good now.
    """

    def __init__(self, bucket: S3Bucket, find: FindCredentials) -> None:
        self._bucket = bucket
        self._find = find

    def sign(
        self, keys: Sequence[str], method: SignedMethod, *, ttl_s: int, now_s: float
    ) -> list[str]:
        """Return a URL for each key; see `UrlSigner`."""
        found = self._find()
        if found.expires_at is not None:
            # URLs of a session end with it.
            ttl_s = max(1, min(ttl_s, int(found.expires_at.timestamp() - now_s)))
        return sign_keys(
            _make_scheme(self._bucket, found),
            method,
            self._bucket.url,
            keys,
            ttl_s=ttl_s,
            now_s=now_s,
            headers=self._bucket.write_headers if method == "PUT" else {},
        )


def split_path(full_path: str) -> tuple[str, str]:
    """Return bucket and root of a `fullPath`.

    Raises:
        DatasourceUnreachable: If the path has parts that stores cannot have.

    >>> split_path("s3://bucket/a/b")
    ('bucket', 'a/b/')
    """
    bucket, _, path = full_path.partition("://")[2].partition("/")
    return bucket, make_root(path)


def make_root(path: str) -> str:
    """Return what the keys below a path begin with.

    Raises:
        DatasourceUnreachable: If the path has parts that stores cannot have.
    """
    trimmed = path.strip("/")
    if any(part in {"", ".", ".."} for part in trimmed.split("/")) and trimmed:
        raise DatasourceUnreachable(
            "fullPath: must not have empty parts, '.' or '..' between its slashes."
        )
    return f"{trimmed}/" if trimmed else ""


def _make_client(network: Network, bucket: S3Bucket, find: FindCredentials) -> S3Store:
    def provide() -> S3Credential:
        found = find()
        return {
            "access_key_id": found.access_key_id,
            "secret_access_key": found.secret_access_key,
            "token": found.token,
            # Asked again in time: the library takes a session to be good until then.
            "expires_at": found.renew_at,
        }

    # Everything that the library would else read from the variables of the server's own storage.
    return S3Store(
        bucket.name,
        config={
            "aws_endpoint_url_s3": bucket.endpoint,
            "endpoint": bucket.endpoint,
            "region": bucket.region,
            "virtual_hosted_style_request": bucket.is_virtual_hosted,
            "skip_signature": False,
            "request_payer": False,
            "s3_express": False,
            "unsigned_payload": False,
            "disable_bulk_delete": True,
        },
        client_options=network.make_client_options(),
        retry_config=make_retry_config(),
        credential_provider=provide,
    )


def _make_scheme(bucket: S3Bucket, found: S3Credentials) -> QueryScheme:
    return make_s3_scheme(found.access_key_id, found.secret_access_key, bucket.region, found.token)


def _make_rights(bucket: S3Bucket) -> dict[str, str]:
    arn = f"arn:aws:s3:::{bucket.name}"
    objects = f"{arn}/{bucket.root}"
    written = f"{objects}.lightly/*"
    return {
        "list": f"s3:ListBucket on {arn!a}",
        "read": f"s3:GetObject on {objects + '*'!a}",
        "write": f"s3:PutObject on {written!a}"
        + (" and kms:GenerateDataKey on the key" if bucket.kms_key else ""),
        "overwrite": f"s3:PutObject on {written!a}",
        "delete": f"s3:DeleteObject on {written!a}",
        "read the lifecycle rules": f"s3:GetLifecycleConfiguration on {arn!a}",
    }
