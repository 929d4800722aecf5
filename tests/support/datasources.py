"""Datasources for tests: configurations of every type, folders full of files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.contract import ContractClient
from tests.support.platforms import InProcessServer

#: Begins like a PNG, which is all that the server looks at.
PNG = b"\x89PNG\r\n\x1a\nimage"
#: In every secret, so that a search finds whatever leaks.
CANARY = "canary/secret+0123"

CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "S3": {
        "type": "S3",
        "fullPath": "s3://bucket/path",
        "purpose": "INPUT_OUTPUT",
        "s3Region": "eu-central-1",
        "s3AccessKeyId": CANARY,
        "s3SecretAccessKey": CANARY,
        "thumbSuffix": ".lightly/thumbnails/[filename]_thumb.[extension]",
        "s3ServerSideEncryptionKMSKey": "arn:aws:kms:eu-central-1:123456789012:key/abc",
    },
    "S3DelegatedAccess": {
        "type": "S3DelegatedAccess",
        "fullPath": "s3://bucket",
        "purpose": "INPUT",
        "s3Region": "us-gov-east",
        "s3ARN": f"arn:aws:iam::123456789012:role/{CANARY}",
        "s3ExternalId": CANARY,
    },
    "GCS": {
        "type": "GCS",
        "fullPath": "gs://bucket/path",
        "purpose": "LIGHTLY",
        "gcsProjectId": "project",
        "gcsCredentials": '{"private_key": "' + CANARY + '"}',
    },
    "AZURE": {
        "type": "AZURE",
        "fullPath": "container/path",
        "purpose": "INPUT_OUTPUT",
        "accountName": CANARY,
        "accountKey": f"?sv=1&sig={CANARY}",
    },
    "OBS": {
        "type": "OBS",
        "fullPath": "obs://bucket/path",
        "purpose": "INPUT_OUTPUT",
        "obsEndpoint": f"https://store.example.com/{CANARY}",
        "obsAccessKeyId": CANARY,
        "obsSecretAccessKey": CANARY,
    },
    "LOCAL": {
        "type": "LOCAL",
        "fullPath": "photos/raw",
        "purpose": "INPUT_OUTPUT",
        "webServerLocation": "http://localhost:3456",
    },
    "LIGHTLY": {"type": "LIGHTLY", "fullPath": "", "purpose": "INPUT_OUTPUT"},
}


@dataclass(frozen=True)
class LocalDataset:
    """A dataset whose files lie in mounts of the server.

    Attributes:
        server: The server.
        client: Calls as the owner, and checks answers against the contract.
        id: Of the dataset.
        input: Folder of the INPUT side.
        lightly: Folder of the LIGHTLY side.
    """

    server: InProcessServer
    client: ContractClient
    id: str
    input: Path
    lightly: Path

    @property
    def url(self) -> str:
        """Of its datasource."""
        return f"/v1/datasets/{self.id}/datasource"

    def list(self, path: str = "list", **query: Any) -> dict[str, str]:
        """Return the URLs of all files of a listing by their names."""
        return dict(self.walk(path, **query))

    def walk(self, path: str = "list", **query: Any) -> Iterator[tuple[str, str]]:
        """Yield names and URLs, page by page."""
        while True:
            response = self.client.get(f"{self.url}/{path}", params=query)
            assert response.status_code == 200, response.text
            page = response.json()
            yield from ((row["fileName"], row["readUrl"]) for row in page["data"])
            if not page["hasMore"]:
                return
            query["cursor"] = page["cursor"]


def make_client(server: InProcessServer) -> ContractClient:
    """Return a client of the administrator whose answers are checked against the contract."""
    session: Any = server.client
    return ContractClient(session)


def make_dataset(client: ContractClient, name: str = "dataset", type_: str = "Images") -> str:
    """Add a dataset and return its id."""
    response = client.post("/v1/datasets", json={"name": name, "type": type_})
    assert response.status_code == 201, response.text
    dataset_id: str = response.json()["id"]
    return dataset_id


def make_local_dataset(
    server: InProcessServer, folder: str = "", type_: str = "Images", name: str = "local"
) -> LocalDataset:
    """Add a dataset with a LOCAL datasource; the server must have both mounts."""
    client = make_client(server)
    dataset_id = make_dataset(client, name, type_)
    settings = server.platform.settings
    roots = [Path(settings.input_mount, folder), Path(settings.lightly_mount, folder)]
    for root in roots:
        root.mkdir(parents=True, exist_ok=True)
    body = {"type": "LOCAL", "fullPath": folder, "purpose": "INPUT_OUTPUT"}
    response = client.put(f"/v1/datasets/{dataset_id}/datasource", json=body)
    assert response.status_code == 204, response.text
    return LocalDataset(server, client, dataset_id, *roots)


def write_files(root: Path, names: Iterable[str], modified_at_s: int | None = None) -> None:
    """Write files with a few bytes below a folder."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PNG + name.encode())
        if modified_at_s is not None:
            os.utime(path, (modified_at_s, modified_at_s))
