"""Datasets with samples, for tests that need some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.support.contract import ContractClient
from tests.support.platforms import InProcessServer


@dataclass(frozen=True)
class SampleDataset:
    """A dataset on a server in this process. Answers below `/v1` are held to the contract.

    Attributes:
        server: The server.
        id: The dataset's id.
        client: Whoever calls.
    """

    server: InProcessServer
    id: str
    client: ContractClient

    @property
    def path(self) -> str:
        """Where the contract's operations on it are."""
        return f"/v1/datasets/{self.id}"

    @property
    def ext_path(self) -> str:
        """Where our own operations on its samples are."""
        return f"/ext/v1/datasets/{self.id}/samples"

    def add(self, file_name: str, **fields: Any) -> str:
        """Register one sample and return its id."""
        response = self.client.post(f"{self.path}/samples", json={"fileName": file_name, **fields})
        assert response.status_code == 201, response.text
        sample_id: str = response.json()["id"]
        return sample_id

    def add_many(self, names: list[str]) -> list[str]:
        """Register samples in one request and return their ids."""
        body = {"samples": [{"fileName": name} for name in names]}
        response = self.client.post(f"{self.ext_path}/bulk", json=body)
        assert response.status_code == 201, response.text
        ids: list[str] = response.json()["ids"]
        return ids

    def get_sample(self, sample_id: str) -> dict[str, Any]:
        """Return one sample."""
        sample: dict[str, Any] = self.client.get(f"{self.path}/samples/{sample_id}").json()
        return sample

    def get_data(self) -> dict[str, Any]:
        """Return the dataset itself."""
        data: dict[str, Any] = self.client.get(self.path).json()
        return data

    def list_names(self) -> list[str]:
        """Return all file names in sample order."""
        names: list[str] = self.client.get(f"{self.path}/mappings?field=fileName").json()
        return names

    def upload(self, sample_id: str, kind: str, content: bytes) -> None:
        """Store the image (`full`) or thumbnail (`thumb`) of a sample."""
        urls = self.client.get(f"{self.path}/samples/{sample_id}/writeurls").json()
        assert self.client.put(urls[kind], content=content).status_code == 200

    def seen_by(self, client: Any) -> SampleDataset:
        """Return the same dataset as another caller sees it."""
        return SampleDataset(self.server, self.id, ContractClient(client))


def make_dataset(server: InProcessServer, name: str = "birds") -> SampleDataset:
    """Create a dataset without samples."""
    session: Any = server.client
    client = ContractClient(session)
    response = client.post("/v1/datasets", json={"name": name})
    assert response.status_code == 201, response.text
    return SampleDataset(server, response.json()["id"], client)
