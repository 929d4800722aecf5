"""Any sequence of operations on samples and tags leaves what a small model of them has."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.support.platforms import run_in_process
from tests.support.tagged_datasets import add_dataset

#: Few names, so that they meet.
names = st.sampled_from(["red", "green", "blue", "grey", "pink", "teal", "gold", "initial-tag"])
#: Datasets stay below 12 samples, so that some masks do not fit.
masks = st.integers(0, 2**12 - 1)
#: Which of the tags there are; the last number is one that is not there.
picks = st.integers(0, 12)
ABSENT = "0" * 24
#: What a mask is cut down to, so that most are taken and each rule gets its turn.
limits = st.sampled_from(["parent", "samples", "nothing"])


@dataclass(frozen=True)
class ModelTag:
    name: str
    mask: int
    parent: str | None
    extends: bool = False


class TagsOfADataset(RuleBasedStateMachine):
    """Compares the server with a dictionary of tags and a number of samples."""

    server = None

    def __init__(self) -> None:
        super().__init__()
        self.dataset = add_dataset(self.server, "model")
        self.n_samples = 0
        self.tot_size = 0
        self.tags: dict[str, ModelTag] = {}
        self.deleted: set[str] = set()

    def pick(self, number: int) -> str:
        ids = sorted(self.tags)
        return ids[number % len(ids)] if ids and number < 12 else ABSENT

    def cut(self, mask: int, limit: str, parent_id: str | None) -> int:
        if limit == "parent" and parent_id in self.tags:
            return mask & self.tags[parent_id].mask
        return mask if limit == "nothing" else mask & (2**self.tot_size - 1)

    def fits(self, mask: int, parent_id: str, *, extends: bool) -> bool:
        parent = self.tags[parent_id].mask
        is_inside = mask < 2**self.tot_size
        return is_inside and (mask & ~parent == 0 or (extends and parent & ~mask == 0))

    def is_taken(self, name: str) -> bool:
        return name in [tag.name for tag in self.tags.values()]

    def is_referred_to(self, tag_id: str) -> bool:
        return tag_id in [tag.parent for tag in self.tags.values()]

    def expect(self, response, *rules: tuple[bool, str]) -> str | None:
        """Return the id of what was made if no rule forbids it, else None."""
        broken = {code for is_broken, code in rules if is_broken}
        if broken:
            assert response.json()["code"] in broken
            return None
        assert response.status_code < 300, response.text
        return response.json().get("id") if response.content else ""

    @initialize(count=st.integers(0, 8))
    def begin(self, count):
        self.add_samples(count)
        self.add_initial_tag()

    @precondition(lambda self: self.n_samples < 10)
    @rule(count=st.integers(1, 3))
    def add_samples(self, count):
        first = self.n_samples
        self.dataset.add_samples([f"{number}.jpg" for number in range(first, first + count)])
        self.n_samples += count

    @rule()
    def add_initial_tag(self):
        response = self.dataset.client.post(
            f"{self.dataset.url}/tags/initial", json={"imgType": "full"}
        )

        made = self.expect(response, (bool(self.tags), "TAG_INITIAL_EXISTS"))
        if made:
            self.tot_size = self.n_samples
            self.tags[made] = ModelTag("initial-tag", 2**self.n_samples - 1, None)

    @rule(
        name=names,
        mask=masks,
        parent=picks,
        extends=st.booleans(),
        seen=st.booleans(),
        limit=limits,
    )
    def add_tag(self, name, mask, parent, extends, seen, limit):
        parent_id = self.pick(parent)
        mask = self.cut(mask, limit, parent_id)
        tot_size = self.n_samples if seen else self.tot_size
        more = {"preselectedTagId": parent_id} if extends else {}
        response = self.dataset.post_tag(name, hex(mask), parent_id, tot_size, **more)

        fits = parent_id in self.tags and self.fits(mask, parent_id, extends=extends)
        made = self.expect(
            response,
            (tot_size != self.n_samples and not self.tags, "DATASET_TAG_INVALID"),
            (not fits, "DATASET_TAG_INVALID"),
            (parent_id not in self.tags, "TAG_PREVTAG_NOT_IN_DATASET"),
            (self.is_taken(name), "TAG_NAME_EXISTS"),
        )
        if made:
            self.tags[made] = ModelTag(name, mask, parent_id, extends)

    @rule(name=names)
    def upsize(self, name):
        body = {"upsizeTagName": name, "upsizeTagCreator": "USER_PIP"}
        response = self.dataset.client.post(f"{self.dataset.url}/tags/upsize", json=body)

        made = self.expect(
            response,
            (not self.tags, "TAG_NO_TAG_IN_DATASET"),
            (self.is_taken(name), "TAG_NAME_EXISTS"),
        )
        if made:
            [(initial_id, initial)] = [(i, t) for i, t in self.tags.items() if t.parent is None]
            every = 2**self.n_samples - 1
            self.tags[initial_id] = replace(initial, mask=every)
            self.tags[made] = ModelTag(name, every & ~initial.mask, initial_id)
            self.tot_size = self.n_samples

    @rule(first=picks, second=picks, name=names | st.none())
    def combine(self, first, second, name):
        ids = self.pick(first), self.pick(second)
        body = {"tagId1": ids[0], "tagId2": ids[1], "operation": "DIFFERENCE"}
        body |= {"newTagName": name} if name else {}
        response = self.dataset.client.post(f"{self.dataset.url}/tags/arithmetics", json=body)

        made = self.expect(
            response,
            (not self.tags.keys() >= set(ids), "TAG_UNKNOWN"),
            (name is not None and self.is_taken(name), "TAG_NAME_EXISTS"),
        )
        if response.status_code == 200:
            mask = self.tags[ids[0]].mask & ~self.tags[ids[1]].mask
            if name is None:
                assert response.json() == {"bitMaskData": hex(mask)}
            else:
                self.tags[made] = ModelTag(name, mask, ids[0])

    @rule(number=picks, new_name=names | st.none(), mask=masks | st.none(), limit=limits)
    def update(self, number, new_name, mask, limit):
        tag_id = self.pick(number)
        tag = self.tags.get(tag_id, ModelTag("red", 0, None))
        name = new_name or tag.name
        if mask is not None:
            mask = self.cut(mask, limit, tag.parent)
        body = {"name": name} | ({} if mask is None else {"bitMaskData": hex(mask)})
        response = self.dataset.client.put(f"{self.dataset.url}/tags/{tag_id}", json=body)

        after = replace(tag, name=name, mask=tag.mask if mask is None else mask)
        is_initial = tag.parent is None
        is_changed = after.mask != tag.mask
        self.expect(
            response,
            (tag_id not in self.tags, "TAG_UNKNOWN"),
            (is_initial and after != tag, "CONFLICT"),
            (name != tag.name and self.is_taken(name), "TAG_NAME_EXISTS"),
            (after.mask >= 2**self.tot_size, "DATASET_TAG_INVALID"),
            (
                is_changed
                and not is_initial
                and not self.fits(after.mask, tag.parent, extends=tag.extends),
                "DATASET_TAG_INVALID",
            ),
            (is_changed and not self.fits_children(tag_id, after.mask), "DATASET_TAG_INVALID"),
        )
        if response.status_code == 204:
            self.tags[tag_id] = after

    def fits_children(self, tag_id: str, mask: int) -> bool:
        return all(
            child.mask & ~mask == 0 or (child.extends and mask & ~child.mask == 0)
            for child in self.tags.values()
            if child.parent == tag_id
        )

    @rule(number=picks)
    def delete(self, number):
        tag_id = self.pick(number)
        response = self.dataset.client.delete(f"{self.dataset.url}/tags/{tag_id}")

        is_initial = tag_id in self.tags and self.tags[tag_id].parent is None
        self.expect(
            response,
            (tag_id not in self.tags, "TAG_UNKNOWN"),
            (is_initial, "TAG_UNDELETABLE_IS_INITIAL"),
            (self.is_referred_to(tag_id), "TAG_UNDELETABLE_NOT_A_LEAF"),
        )
        if response.status_code == 204:
            del self.tags[tag_id]
            self.deleted.add(tag_id)

    @invariant()
    def the_server_has_the_same_tags(self):
        found = {
            tag["id"]: (tag["name"], int(tag["bitMaskData"], 16), tag["prevTagId"], tag["totSize"])
            for tag in self.dataset.list_tags()
        }

        assert found == {
            tag_id: (tag.name, tag.mask, tag.parent, self.tot_size)
            for tag_id, tag in self.tags.items()
        }
        assert not self.deleted & found.keys()


@pytest.fixture(scope="module", autouse=True)
def server_of_the_model(tmp_path_factory):
    with run_in_process(tmp_path_factory.mktemp("server") / "data") as running:
        TagsOfADataset.server = running
        yield


TagsOfADataset.TestCase.settings = settings(
    max_examples=30,
    stateful_step_count=40,
    deadline=None,
    # Making a failure smaller takes minutes here, and forty steps can be read.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestTagsOfADataset = TagsOfADataset.TestCase
