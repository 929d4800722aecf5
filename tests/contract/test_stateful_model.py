"""Any sequence of operations of two users leaves what a small model of the server has.

Datasets come and go, are shared and taken back, samples come one by one, in batches and twice, tags
follow. Whoever a dataset is shared with works on it as its owner does. What a tag may
hold is the subject of `test_tags_model`; here it is whether everything stays together.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from lightly._kit.ids import is_id
from tests.support.contract import ContractClient
from tests.support.platforms import InProcessServer

#: Few names, so that they meet.
dataset_names = st.sampled_from(["birds", "birds_1", "cars", "Birds"])
sample_names = st.sampled_from([f"folder/{letter}.jpg" for letter in "abcdefghij"])
tag_names = st.sampled_from(["red", "green", "blue"])
operations = st.sampled_from(["UNION", "INTERSECTION", "DIFFERENCE"])
#: Which of several things is meant; taken modulo how many there are.
picks = st.integers(0, 11)


@dataclass
class ModelTag:
    id: str
    name: str
    indices: set[int]
    parent: str | None


@dataclass
class ModelDataset:
    id: str
    name: str
    owner: int
    sample_ids: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    weather: dict[int, int] = field(default_factory=dict)
    tags: dict[str, ModelTag] = field(default_factory=dict)
    tot_size: int = 0
    is_shared: bool = False

    @property
    def url(self) -> str:
        return f"/v1/datasets/{self.id}"

    @property
    def initial(self) -> ModelTag:
        return next(tag for tag in self.tags.values() if tag.parent is None)

    def has_tag_named(self, name: str) -> bool:
        return name in [tag.name for tag in self.tags.values()]


class Server(RuleBasedStateMachine):
    """Compares a server with lists and sets."""

    server: InProcessServer

    def __init__(self) -> None:
        super().__init__()
        number = uuid.uuid4().hex
        self.emails = [f"{name}-{number}@example.com" for name in ("alice", "bob")]
        sessions: list[Any] = [self.server.add_user(email) for email in self.emails]
        self.clients = [ContractClient(session) for session in sessions]
        self.datasets: list[ModelDataset] = []
        self.ids: set[str] = set()
        self.deleted: list[tuple[int, str]] = []
        self.is_guests_turn = False

    # What the rules have in common.

    def pick(self, number: int) -> ModelDataset:
        return self.datasets[number % len(self.datasets)]

    def client(self, dataset: ModelDataset) -> ContractClient:
        """Who works on a dataset: its owner, or in turn whom it is shared with."""
        is_guest = self.is_guests_turn and dataset.is_shared
        return self.clients[1 - dataset.owner if is_guest else dataset.owner]

    def note_new(self, made: str) -> str:
        assert is_id(made)
        assert made not in self.ids, "an id was given out twice"
        self.ids.add(made)
        return made

    def note_samples(self, dataset: ModelDataset, names: list[str], ids: list[str]) -> None:
        for name, sample_id in zip(names, ids, strict=True):
            if name in dataset.names:
                assert sample_id == dataset.sample_ids[dataset.names.index(name)]
            else:
                dataset.names.append(name)
                dataset.sample_ids.append(self.note_new(sample_id))

    def note_tag(
        self, dataset: ModelDataset, response: Any, tag: tuple[str, set[int], str], status: int
    ) -> None:
        name, indices, parent = tag
        if dataset.has_tag_named(name):
            assert (response.status_code, response.json()["code"]) == (409, "TAG_NAME_EXISTS")
        else:
            assert response.status_code == status, response.text
            tag_id = self.note_new(response.json()["id"])
            dataset.tags[tag_id] = ModelTag(tag_id, name, indices, parent)

    # Datasets.

    @initialize(
        owner=st.integers(0, 1),
        name=dataset_names,
        names=st.lists(sample_names, min_size=3, max_size=6, unique=True),
        colours=st.lists(tag_names, max_size=3, unique=True),
    )
    def create_first_dataset(
        self, owner: int, name: str, names: list[str], colours: list[str]
    ) -> None:
        """Begin with a dataset that already has some samples and a chain of tags."""
        self.create_dataset(owner, name)
        self.add_samples(0, names, 1)
        self.create_initial_tag(0)
        for depth, colour in enumerate(colours):
            self.create_tag(0, depth, colour, set(range(3 - depth)))

    @rule(owner=st.integers(0, 1), name=dataset_names)
    def create_dataset(self, owner: int, name: str) -> None:
        response = self.clients[owner].post("/v1/datasets", json={"name": name})

        if name in [d.name for d in self.datasets if d.owner == owner]:
            assert (response.status_code, response.json()["code"]) == (409, "DATASET_NAME_EXISTS")
        else:
            assert response.status_code == 201
            made = self.note_new(response.json()["id"])
            self.datasets.append(ModelDataset(made, name, owner))

    @precondition(lambda self: self.datasets)
    @rule(number=picks, name=dataset_names)
    def rename_dataset(self, number: int, name: str) -> None:
        dataset = self.pick(number)
        response = self.client(dataset).put(dataset.url, json={"name": name})

        others = [d.name for d in self.datasets if d.owner == dataset.owner and d is not dataset]
        assert response.status_code == (409 if name in others else 204)
        if name not in others:
            dataset.name = name

    @precondition(lambda self: len(self.datasets) > 2)
    @rule(number=picks)
    def delete_dataset(self, number: int) -> None:
        dataset = self.pick(number)
        guest = self.clients[1 - dataset.owner].delete(dataset.url)
        assert guest.status_code == (403 if dataset.is_shared else 404)
        assert self.clients[dataset.owner].delete(dataset.url).status_code == 204

        self.datasets.remove(dataset)
        for path in ("", "/samples", "/tags", *(f"/tags/{tag_id}" for tag_id in dataset.tags)):
            self.deleted.append((dataset.owner, dataset.url + path))

    # Sharing.

    @rule(is_guests_turn=st.booleans())
    def change_turn(self, is_guests_turn: bool) -> None:
        self.is_guests_turn = is_guests_turn

    @precondition(lambda self: self.datasets)
    @rule(number=picks)
    def share(self, number: int) -> None:
        dataset = self.pick(number)
        body = {"accessType": "WRITE", "users": [self.emails[1 - dataset.owner]]}
        url = f"{dataset.url}/collaboration/access"
        guest = self.clients[1 - dataset.owner].post(url, json=body)
        response = self.clients[dataset.owner].post(url, json=body)

        assert guest.status_code == (403 if dataset.is_shared else 404)
        assert response.status_code == 201
        dataset.is_shared = True

    @precondition(lambda self: self.datasets)
    @rule(number=picks)
    def take_back(self, number: int) -> None:
        dataset = self.pick(number)
        url = f"{dataset.url}/collaboration/access"
        owner = self.clients[dataset.owner]
        for config in owner.get(url).json():
            assert owner.delete(f"{url}/{config['id']}").status_code == 204
        dataset.is_shared = False

    # Samples.

    @precondition(lambda self: self.datasets)
    @rule(number=picks, name=sample_names, times=st.integers(1, 2))
    def add_sample(self, number: int, name: str, times: int) -> None:
        dataset = self.pick(number)
        body = {"fileName": name}
        for _ in range(times):
            response = self.client(dataset).post(f"{dataset.url}/samples", json=body)
            assert response.status_code == 201
            self.note_samples(dataset, [name], [response.json()["id"]])

    @precondition(lambda self: self.datasets)
    @rule(number=picks, names=st.lists(sample_names, max_size=6), times=st.integers(1, 2))
    def add_samples(self, number: int, names: list[str], times: int) -> None:
        dataset = self.pick(number)
        body = {"samples": [{"fileName": name} for name in names]}
        for _ in range(times):
            response = self.client(dataset).post(f"/ext{dataset.url}/samples/bulk", json=body)
            assert response.status_code == 201
            self.note_samples(dataset, names, response.json()["ids"])

    @precondition(lambda self: any(dataset.names for dataset in self.datasets))
    @rule(number=picks, idx=picks, name=sample_names)
    def rename_sample(self, number: int, idx: int, name: str) -> None:
        dataset = self.pick(number)
        if not dataset.names:
            return
        idx %= len(dataset.names)
        url = f"{dataset.url}/samples/{dataset.sample_ids[idx]}"
        response = self.client(dataset).put(url, json={"fileName": name})

        is_taken = name in dataset.names and dataset.names[idx] != name
        assert response.status_code == (409 if is_taken else 204)
        if not is_taken:
            dataset.names[idx] = name

    @precondition(lambda self: self.datasets)
    @rule(number=picks, changes=st.dictionaries(sample_names, picks, min_size=1, max_size=3))
    def set_metadata(self, number: int, changes: dict[str, int]) -> None:
        dataset = self.pick(number)
        items = [
            {"fileName": name, "customMetaData": {"weather": value}}
            for name, value in changes.items()
        ]
        response = self.client(dataset).put(
            f"/ext{dataset.url}/samples/customMetadata", json={"items": items}
        )

        # All or none.
        is_known = changes.keys() <= set(dataset.names)
        assert response.status_code == (204 if is_known else 404)
        if is_known:
            for name, value in changes.items():
                dataset.weather[dataset.names.index(name)] = value

    @precondition(lambda self: self.datasets)
    @rule(number=picks, size=st.integers(1, 5), offset=st.integers(0, 12))
    def read_pages(self, number: int, size: int, offset: int) -> None:
        dataset, client = self.pick(number), self.client(self.pick(number))
        page = {"pageSize": size, "pageOffset": offset}
        part = slice(offset, offset + size)

        names = client.get(f"{dataset.url}/mappings", params={**page, "field": "fileName"}).json()
        samples = client.get(f"{dataset.url}/samples", params=page).json()

        assert names == dataset.names[part]
        assert [sample["id"] for sample in samples] == dataset.sample_ids[part]
        assert [sample["index"] for sample in samples] == list(range(len(dataset.names)))[part]
        assert [sample.get("customMetaData", {}).get("weather") for sample in samples] == [
            dataset.weather.get(idx) for idx in range(len(dataset.names))
        ][part]

    # Tags.

    @precondition(lambda self: self.datasets)
    @rule(number=picks)
    def create_initial_tag(self, number: int) -> None:
        dataset = self.pick(number)
        response = self.client(dataset).post(
            f"{dataset.url}/tags/initial", json={"imgType": "meta"}
        )

        if dataset.tags:
            assert (response.status_code, response.json()["code"]) == (409, "TAG_INITIAL_EXISTS")
        else:
            tag_id = self.note_new(response.json()["id"])
            dataset.tot_size = len(dataset.names)
            every = set(range(dataset.tot_size))
            dataset.tags[tag_id] = ModelTag(tag_id, "initial-tag", every, None)

    @precondition(lambda self: any(dataset.tags for dataset in self.datasets))
    @rule(number=picks, parent=picks, name=tag_names, indices=st.sets(picks))
    def create_tag(self, number: int, parent: int, name: str, indices: set[int]) -> None:
        dataset = self.pick_tagged(number)
        above = self.pick_tag(dataset, parent)
        chosen = indices & above.indices
        body = {
            "name": name,
            "prevTagId": above.id,
            "bitMaskData": write_mask(chosen),
            "totSize": dataset.tot_size,
        }
        response = self.client(dataset).post(f"{dataset.url}/tags", json=body)

        self.note_tag(dataset, response, (name, chosen, above.id), 201)

    @precondition(lambda self: any(dataset.tags for dataset in self.datasets))
    @rule(number=picks, name=tag_names)
    def upsize(self, number: int, name: str) -> None:
        dataset = self.pick_tagged(number)
        body = {"upsizeTagName": name, "upsizeTagCreator": "USER_PIP"}
        response = self.client(dataset).post(f"{dataset.url}/tags/upsize", json=body)

        initial, is_new = dataset.initial, not dataset.has_tag_named(name)
        every = set(range(len(dataset.names)))
        self.note_tag(dataset, response, (name, every - initial.indices, initial.id), 201)
        if is_new:
            initial.indices, dataset.tot_size = every, len(every)

    @precondition(lambda self: any(dataset.tags for dataset in self.datasets))
    @rule(number=picks, first=picks, second=picks, operation=operations, name=tag_names)
    def combine_tags(self, number: int, first: int, second: int, operation: str, name: str) -> None:
        dataset = self.pick_tagged(number)
        one, two = self.pick_tag(dataset, first), self.pick_tag(dataset, second)
        url = f"{dataset.url}/tags/arithmetics"
        body = {"tagId1": one.id, "tagId2": two.id, "operation": operation}
        mask = self.client(dataset).post(f"{url}/bitmask", json=body)
        response = self.client(dataset).post(url, json={**body, "newTagName": name})

        combined = {
            "UNION": one.indices | two.indices,
            "INTERSECTION": one.indices & two.indices,
            "DIFFERENCE": one.indices - two.indices,
        }[operation]
        parent = dataset.initial if operation == "UNION" else one
        assert mask.json() == {"bitMaskData": write_mask(combined)}
        self.note_tag(dataset, response, (name, combined, parent.id), 200)

    @precondition(lambda self: any(dataset.tags for dataset in self.datasets))
    @rule(number=picks, tag=picks)
    def delete_tag(self, number: int, tag: int) -> None:
        dataset = self.pick_tagged(number)
        doomed = self.pick_tag(dataset, tag)
        url = f"{dataset.url}/tags/{doomed.id}"
        response = self.client(dataset).delete(url)

        if doomed.parent is None:
            assert response.json()["code"] == "TAG_UNDELETABLE_IS_INITIAL"
        elif doomed.id in [other.parent for other in dataset.tags.values()]:
            assert response.json()["code"] == "TAG_UNDELETABLE_NOT_A_LEAF"
        else:
            assert response.status_code == 204
            del dataset.tags[doomed.id]
            self.deleted.append((dataset.owner, url))

    def pick_tagged(self, number: int) -> ModelDataset:
        tagged = [dataset for dataset in self.datasets if dataset.tags]
        return tagged[number % len(tagged)]

    def pick_tag(self, dataset: ModelDataset, number: int) -> ModelTag:
        tags = sorted(dataset.tags.values(), key=lambda tag: tag.id)
        return tags[number % len(tags)]

    # What always holds.

    @invariant()
    def each_sees_own_datasets_in_order(self) -> None:
        for owner, client in enumerate(self.clients):
            own = [dataset for dataset in self.datasets if dataset.owner == owner]
            listed = client.get("/v1/datasets").json()
            assert [(data["id"], data["name"], data["nSamples"]) for data in listed] == [
                (dataset.id, dataset.name, len(dataset.names)) for dataset in own
            ]

    @invariant()
    def each_sees_what_is_shared_and_nothing_else(self) -> None:
        for owner, client in enumerate(self.clients):
            listed = client.get("/v1/datasets", params={"shared": True}).json()
            others = [dataset for dataset in self.datasets if dataset.owner != owner]
            assert [data["id"] for data in listed] == [d.id for d in others if d.is_shared]
            for dataset in others:
                expected = 200 if dataset.is_shared else 404
                assert client.get(f"{dataset.url}/tags").status_code == expected

    @invariant()
    def tags_are_what_they_should_be(self) -> None:
        for dataset in self.datasets:
            listed = self.client(dataset).get(f"{dataset.url}/tags").json()
            expected = {
                tag.id: (tag.name, write_mask(tag.indices), tag.parent)
                for tag in dataset.tags.values()
            }
            assert expected == {
                tag["id"]: (tag["name"], tag["bitMaskData"], tag["prevTagId"]) for tag in listed
            }
            assert {tag["totSize"] for tag in listed} <= {dataset.tot_size}
            check_subsets(listed)

    @invariant()
    def what_was_deleted_stays_away(self) -> None:
        for owner, url in self.deleted[-3:]:
            assert self.clients[owner].get(url).status_code == 404

    def teardown(self) -> None:
        for dataset in self.datasets:
            client, stranger = self.client(dataset), self.clients[1 - dataset.owner]
            ids = client.get(f"{dataset.url}/mappings?field=_id").json()
            names = client.get(f"{dataset.url}/mappings?field=fileName").json()
            assert (ids, names) == (dataset.sample_ids, dataset.names)
            assert stranger.get(dataset.url).status_code == (200 if dataset.is_shared else 404)
        for owner, url in self.deleted:
            assert self.clients[owner].get(url).status_code == 404


def write_mask(indices: set[int]) -> str:
    return hex(sum(1 << idx for idx in indices))


def check_subsets(tags: list[dict[str, Any]]) -> None:
    masks = {tag["id"]: int(tag["bitMaskData"], 16) for tag in tags}
    for tag in tags:
        assert masks[tag["id"]] < 2 ** tag["totSize"]
        parent = masks.get(tag["prevTagId"], masks[tag["id"]])
        assert masks[tag["id"]] & ~parent == 0


def run(server: InProcessServer, example_count: int, step_count: int) -> None:
    machine = type("ServerUnderTest", (Server,), {"server": server})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=example_count,
            stateful_step_count=step_count,
            deadline=None,
            derandomize=True,
            database=None,
            # Making a failure smaller takes minutes here, and thirty steps can be read.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_any_sequence_of_operations_keeps_to_the_model(sqlite_server):
    run(sqlite_server, example_count=40, step_count=25)


@pytest.mark.long
def test_any_long_sequence_of_operations_keeps_to_the_model(server):
    run(server, example_count=200, step_count=50)
