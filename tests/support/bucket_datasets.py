"""Datasets whose files lie in buckets of stores that the tests start themselves."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import obstore

from tests.support.contract import ContractClient
from tests.support.datasources import PNG, make_client, make_dataset
from tests.support.emulators import (
    AZURE_ACCOUNT,
    AZURE_KEY,
    AzureServer,
    GcsServer,
    MotoServer,
    make_service_account,
)
from tests.support.object_stores import (
    ACCESS_KEY,
    REGION,
    SECRET_KEY,
    SHARED_BUCKET,
    S3Server,
)
from tests.support.platforms import InProcessServer

#: What opens the tests' own stores to a server.
LOOPBACK = "127.0.0.0/8"


class Provider(Protocol):
    """A store, and how a datasource in it is configured."""

    @property
    def bucket(self) -> Any:
        """Reaches the bucket without the server."""

    @property
    def settings(self) -> dict[str, str]:
        """What the server needs to find the store."""

    def configure(self, prefix: str) -> dict[str, Any]:
        """Return the configuration of a datasource below a prefix."""

    def put(self, key: str, content: bytes) -> None:
        """Write an object without the server."""


class S3Provider:
    """S3 with keys, in SeaweedFS."""

    def __init__(self, store: S3Server) -> None:
        self.bucket: Any = store.open()
        self.settings = {"s3_endpoint": store.endpoint, "egress_allow": LOOPBACK}

    def configure(self, prefix: str) -> dict[str, Any]:
        """Return the configuration of a datasource below a prefix."""
        return make_s3_configuration(prefix)

    def put(self, key: str, content: bytes) -> None:
        """Write an object without the server."""
        obstore.put(self.bucket, key, content)


class ObsProvider(S3Provider):
    """OBS: the user names the endpoint, in SeaweedFS."""

    def __init__(self, store: S3Server) -> None:
        super().__init__(store)
        self._endpoint = store.endpoint
        self.settings = {"egress_allow": LOOPBACK}

    def configure(self, prefix: str) -> dict[str, Any]:
        """Return the configuration of a datasource below a prefix."""
        return {
            "type": "OBS",
            "fullPath": f"obs://{SHARED_BUCKET}/{prefix}",
            "purpose": "INPUT_OUTPUT",
            "obsEndpoint": self._endpoint,
            "obsAccessKeyId": ACCESS_KEY,
            "obsSecretAccessKey": SECRET_KEY,
        }


class RoleProvider:
    """S3 with a delegated role, in moto. The server needs credentials of its own."""

    #: What the server's own variables have to say.
    variables: ClassVar = {
        "AWS_ACCESS_KEY_ID": "server-key",
        "AWS_SECRET_ACCESS_KEY": "server-secret",
    }

    def __init__(self, store: MotoServer) -> None:
        self._name = f"roles-{uuid.uuid4().hex[:12]}"
        self.bucket: Any = store.make_bucket(self._name)
        self.settings = {
            "s3_endpoint": store.endpoint,
            "sts_endpoint": store.endpoint,
            "egress_allow": LOOPBACK,
        }

    def configure(self, prefix: str) -> dict[str, Any]:
        """Return the configuration of a datasource below a prefix."""
        return {
            "type": "S3DelegatedAccess",
            "fullPath": f"s3://{self._name}/{prefix}",
            "purpose": "INPUT_OUTPUT",
            "s3Region": "us-east-1",
            "s3ARN": "arn:aws:iam::123456789012:role/images",
            "s3ExternalId": uuid.uuid4().hex,
        }

    def put(self, key: str, content: bytes) -> None:
        """Write an object without the server."""
        obstore.put(self.bucket, key, content)


class GcsProvider:
    """GCS, in fake-gcs-server."""

    def __init__(self, store: GcsServer) -> None:
        self._store = store
        self._name = f"gcs-{uuid.uuid4().hex[:12]}"
        self.bucket: Any = store.make_bucket(self._name)
        self.settings = {"gcs_endpoint": store.endpoint, "egress_allow": LOOPBACK}

    def configure(self, prefix: str) -> dict[str, Any]:
        """Return the configuration of a datasource below a prefix."""
        return {
            "type": "GCS",
            "fullPath": f"gs://{self._name}/{prefix}",
            "purpose": "INPUT_OUTPUT",
            "gcsProjectId": "project",
            "gcsCredentials": json.dumps(make_service_account()),
        }

    def put(self, key: str, content: bytes) -> None:
        """Write an object without the server."""
        self._store.put(self._name, key, content)


class AzureProvider:
    """AZURE, in Azurite.

    Args:
        store: The server.
        credential: A SAS; empty for the key of the account.
    """

    def __init__(self, store: AzureServer, credential: str = "") -> None:
        self._name = f"azure-{uuid.uuid4().hex[:12]}"
        self._credential = credential or AZURE_KEY
        self.bucket: Any = store.make_container(self._name)
        self.settings = {"azure_endpoint": store.endpoint, "egress_allow": LOOPBACK}

    def configure(self, prefix: str) -> dict[str, Any]:
        """Return the configuration of a datasource below a prefix."""
        return {
            "type": "AZURE",
            "fullPath": f"{self._name}/{prefix}",
            "purpose": "INPUT_OUTPUT",
            "accountName": AZURE_ACCOUNT,
            "accountKey": self._credential,
        }

    def put(self, key: str, content: bytes) -> None:
        """Write an object without the server."""
        obstore.put(self.bucket, key, content)


@dataclass(frozen=True)
class BucketDataset:
    """A dataset whose files lie in a bucket.

    Attributes:
        server: The server.
        client: Calls as the owner, and checks answers against the contract.
        id: Of the dataset.
        provider: The store.
        prefix: Of all keys, with a slash at the end.
    """

    server: InProcessServer
    client: ContractClient
    id: str
    provider: Provider
    prefix: str

    @property
    def url(self) -> str:
        """Of its datasource."""
        return f"/v1/datasets/{self.id}/datasource"

    @property
    def bucket(self) -> Any:
        """Reaches the bucket without the server."""
        return self.provider.bucket

    def put_files(self, names: Iterable[str], content: bytes = PNG) -> None:
        """Write files without the server."""
        for name in names:
            self.provider.put(self.prefix + name, content)

    def list_keys(self) -> list[str]:
        """Return the names of all files, without the server."""
        skipped = len(self.prefix)
        pages = obstore.list(self.bucket, self.prefix)
        return sorted(found["path"][skipped:] for page in pages for found in page)


def make_s3_configuration(prefix: str, **fields: Any) -> dict[str, Any]:
    """Return the configuration of a datasource in the tests' S3 server."""
    return {
        "type": "S3",
        "fullPath": f"s3://{SHARED_BUCKET}/{prefix}",
        "purpose": "INPUT_OUTPUT",
        "s3Region": REGION,
        "s3AccessKeyId": ACCESS_KEY,
        "s3SecretAccessKey": SECRET_KEY,
        **fields,
    }


def make_s3_dataset(
    server: InProcessServer, store: S3Server, type_: str = "Images", **fields: Any
) -> BucketDataset:
    """Add a dataset in a prefix of its own of the tests' S3 server.

    The server must run with `s3_endpoint=store.endpoint, egress_allow=LOOPBACK`.
    """
    return make_bucket_dataset(server, S3Provider(store), type_, **fields)


def make_bucket_dataset(
    server: InProcessServer, provider: Provider, type_: str = "Images", **fields: Any
) -> BucketDataset:
    """Add a dataset in a prefix of its own of a store.

    The server must run with `provider.settings`.
    """
    client = make_client(server)
    prefix = uuid.uuid4().hex
    dataset_id = make_dataset(client, f"bucket-{prefix[:8]}", type_)
    body = {**provider.configure(prefix), **fields}
    response = client.put(f"/v1/datasets/{dataset_id}/datasource", json=body)
    assert response.status_code == 204, response.text
    return BucketDataset(server, client, dataset_id, provider, f"{prefix}/")
