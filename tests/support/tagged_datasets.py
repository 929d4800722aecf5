"""A dataset with samples and tags, to be called through the contract's own checker."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from lightly.server.db.tables import datasets
from tests.support.contract import ContractClient
from tests.support.platforms import InProcessServer, run_in_process
from tests.support.postgres import lend_databases

DATABASES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@dataclass(frozen=True)
class TaggedDataset:
    """A dataset under test.

    Attributes:
        server: Where it is.
        client: Calls as its owner; every answer is held against the contract.
        id: Its id.
    """

    server: InProcessServer
    client: ContractClient
    id: str

    @property
    def url(self) -> str:
        """Where its operations begin."""
        return f"/v1/datasets/{self.id}"

    def add_samples(self, names: list[str]) -> list[str]:
        """Register samples and return their ids."""
        body = {"samples": [{"fileName": name} for name in names]}
        response = self.client.post(f"/ext{self.url}/samples/bulk", json=body)
        assert response.status_code == 201, response.text
        ids: list[str] = response.json()["ids"]
        return ids

    def add_initial_tag(self, img_type: str = "full") -> str:
        """Make the tag over all samples and return its id."""
        return self.created(
            self.client.post(f"{self.url}/tags/initial", json={"imgType": img_type})
        )

    def post_tag(self, name: str, mask: str, parent: str, tot_size: int, **more: Any) -> Any:
        """Ask for a tag and return the answer."""
        body = {"name": name, "bitMaskData": mask, "prevTagId": parent, "totSize": tot_size}
        return self.client.post(f"{self.url}/tags", json=body | more)

    def add_run(self) -> str:
        """Begin a compute run on the dataset and return its id."""
        body = {"dockerVersion": "2.6.0", "datasetId": self.id}
        return self.created(self.client.post("/v1/docker/runs", json=body))

    def add_tag(self, name: str, mask: str, parent: str, tot_size: int, **more: Any) -> str:
        """Make a tag and return its id."""
        return self.created(self.post_tag(name, mask, parent, tot_size, **more))

    def get_tag(self, tag_id: str) -> dict[str, Any]:
        """Return a tag."""
        response = self.client.get(f"{self.url}/tags/{tag_id}")
        assert response.status_code == 200, response.text
        tag: dict[str, Any] = response.json()
        return tag

    def list_tags(self) -> list[dict[str, Any]]:
        """Return all tags."""
        tags: list[dict[str, Any]] = self.client.get(f"{self.url}/tags").json()
        return tags

    @staticmethod
    def created(response: Any) -> str:
        """Return the id in a 201 answer."""
        assert response.status_code == 201, response.text
        entity_id: str = response.json()["id"]
        return entity_id


@contextmanager
def run_for_module(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[InProcessServer]:
    """Yield a server that the tests of a module share, on the database of the fixture's parameter.

    Starting one costs more than most tests; each test takes a dataset of its own.
    """
    folder = tmp_path_factory.mktemp("server") / "data"
    with (
        lend_databases(request, is_migrated=True) as make_url,
        run_in_process(folder, make_url(request.param)) as running,
    ):
        yield running


def add_dataset(server: InProcessServer, name: str = "birds") -> TaggedDataset:
    """Return a new, empty dataset of `admin@localhost`; its name only begins with `name`."""
    session: Any = server.client
    client = ContractClient(session)
    body = {"name": f"{name} {uuid.uuid4().hex}"}
    dataset_id = TaggedDataset.created(client.post("/v1/datasets", json=body))
    return TaggedDataset(server, client, dataset_id)


def add_stranger(server: InProcessServer) -> ContractClient:
    """Return a client of a user who has nothing to do with any dataset."""
    session: Any = server.add_user(f"{uuid.uuid4().hex}@example.com")
    return ContractClient(session)


def pretend_size(dataset: TaggedDataset, n_samples: int) -> None:
    """Let the dataset claim so many samples without a row for any: reading one would fail."""
    with dataset.server.platform.database.write() as connection:
        connection.execute(
            sa.update(datasets).where(datasets.c.id == dataset.id).values(n_samples=n_samples)
        )
