"""Versions of files mean nothing to whoever could not read the bytes."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from lightly.server.datasources import file_versions
from lightly.server.datasources.buckets.bucket_file import BucketFile
from lightly.server.datasources.file_versions import VersionMaker
from lightly.server.datasources.models import Datasource
from lightly.server.secrets.keys import ServerKeys

PLACE = Datasource(
    id="a" * 24, dataset_key=1, purpose="INPUT", type="S3", full_path="s3://bucket/path",
    settings={"s3Region": "eu-central-1"}, sealed_secrets="sealed", created_at_ms=1,
    last_modified_at_ms=1,
)  # fmt: skip


def make_file(name: str = "a.jpg", tag: str | None = '"tag"', moment_s: float = 1.5) -> BucketFile:
    moment = dt.datetime.fromtimestamp(moment_s, dt.UTC)
    meta: Any = {"path": f"root/{name}", "last_modified": moment, "size": 12, "e_tag": tag}
    return BucketFile(name, name, meta)


FILE = make_file()


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The secrets of every datasource."""
    found = {"s3AccessKeyId": "key", "s3SecretAccessKey": "secret"}
    monkeypatch.setattr(file_versions, "read_secrets", lambda _platform, _datasource: found)
    return found


def make(place: Datasource = PLACE, root: bytes = b"root", file: BucketFile = FILE) -> str | None:
    platform: Any = SimpleNamespace(keys=ServerKeys(root))
    return VersionMaker.open(platform, place).make(file)


@pytest.mark.usefixtures("secrets")
def test_another_dataset_on_the_same_place_has_the_same_version() -> None:
    again = replace(PLACE, id="b" * 24, dataset_key=2, sealed_secrets="sealed again")
    assert make(again) == make()


@pytest.mark.usefixtures("secrets")
def test_another_server_place_name_or_tag_has_another_version() -> None:
    versions = {
        make(),
        make(root=b"other"),
        make(replace(PLACE, full_path="s3://bucket/other")),
        make(replace(PLACE, type="OBS")),
        make(replace(PLACE, settings={"s3Region": "us-east-1"})),
        make(file=make_file("b.jpg")),
        make(file=make_file(moment_s=2.5)),
    }
    assert len(versions) == 7


def test_whoever_has_other_credentials_gets_other_versions(secrets: dict[str, str]) -> None:
    before = make()
    secrets["s3SecretAccessKey"] = "made up"
    assert make() != before


@pytest.mark.usefixtures("secrets")
def test_what_has_no_tag_has_no_version() -> None:
    assert make(file=make_file(tag=None)) is None
