"""What of a local dataset still has to be sent."""

from collections.abc import Iterator
from typing import Any, cast

import pytest

from lightly.api.dataset_samples import DatasetSamples
from lightly.api.upload_plan import make_plan


class Server:
    """What a server tells about its samples."""

    def __init__(self, names: list[str], **stored: bytes | None) -> None:
        self.names = names
        self.stored = stored

    def iterate_names(self) -> Iterator[list[str]]:
        for start in range(0, len(self.names), 2):
            yield self.names[start : start + 2]

    def read_stored(self, kind: str) -> bytes | None:
        return self.stored[kind]


def plan(names: list[str], server: Server, *kinds: Any) -> Any:
    return make_plan(names, cast("DatasetSamples", server), kinds)


def test_everything_is_new_to_an_empty_server():
    made = plan(["a", "b"], Server([]), "thumb")

    assert (list(made.positions), dict(made.lacking), made.n_new) == ([0, 1], {}, 2)


def test_what_is_registered_and_stored_is_not_sent():
    made = plan(["a", "b", "c"], Server(["c", "a"], thumb=b"\x03"), "thumb")

    assert (list(made.positions), made.n_new, made.n_on_server) == ([1], 1, 2)


def test_files_that_never_arrived_are_sent_again():
    made = plan(["a", "b"], Server(["a", "b"], thumb=b"\x01"), "thumb")

    assert (list(made.positions), made.lacking) == ([1], {1: ("thumb",)})


def test_only_the_missing_kind_is_sent_again():
    server = Server(["a", "b"], thumb=b"\x03", full=b"\x02")

    assert plan(["a", "b"], server, "thumb", "full").lacking == {0: ("full",)}


def test_metadata_needs_no_files():
    assert list(plan(["a"], Server(["a"])).positions) == []


def test_a_server_that_cannot_tell_is_taken_to_have_the_files():
    assert list(plan(["a"], Server(["a"], thumb=None), "thumb").positions) == []


def test_samples_that_are_not_local_count_towards_the_quota():
    made = plan(["a"], Server(["x", "y", "z"], thumb=b"\x07"), "thumb")

    assert made.n_on_server + made.n_new == 4


@pytest.mark.parametrize("mask", [b"", b"\x00\x00"])
def test_masks_of_any_length_are_understood(mask):
    assert list(plan(["a"], Server(["a"], thumb=mask), "thumb").positions) == [0]
