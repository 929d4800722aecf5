"""Sharing a dataset."""

import pytest

from tests.support.sdk import make_client
from tests.support.wire_fakes import WireFake

DATASET = "0123456789abcdef01234567"
ACCESS = f"/v1/datasets/{DATASET}/collaboration/access"


def make_access(users):
    return {
        "id": "a" * 24,
        "owner": "someone",
        "accessType": "WRITE",
        "users": users,
        "teams": [],
        "createdAt": 1,
        "lastModifiedAt": 1,
    }


@pytest.mark.parametrize("emails", [[], ["a@example.com", "b@example.com"]])
def test_the_whole_list_of_users_is_sent(emails):
    fake = WireFake({f"POST {ACCESS}": {"id": "a" * 24}})

    make_client(fake).share_dataset_only_with(DATASET, emails)

    assert fake.read_bodies(f"POST {ACCESS}") == [
        {"accessType": "WRITE", "users": emails, "creator": "USER_PIP"}
    ]


def test_a_single_address_is_no_list():
    fake = WireFake({})

    with pytest.raises(ValueError, match="list"):
        make_client(fake).share_dataset_only_with(DATASET, "a@example.com")

    assert fake.calls == []


@pytest.mark.parametrize(("answer", "users"), [([], []), ([make_access(["a@b.c"])], ["a@b.c"])])
def test_users_are_those_of_the_access_to_write(answer, users):
    fake = WireFake({f"GET {ACCESS}": answer})

    assert make_client(fake).get_shared_users(DATASET) == users
