"""An id that no object can have is as unknown as any other, whatever names it."""

from __future__ import annotations

import re

import pytest

from tests.support.contract import ContractClient
from tests.support.platforms import run_in_process
from tests.support.routes import fill_path, list_routes

ID = re.compile(r"\{(\w+Id)\}")
#: Ids of these may be any text, by the contract.
FREE_TEXT = {"accessConfigId", "jobId", "serviceAccountId", "userId"}
CASES = [
    (method, path, name)
    for method, path in sorted(set(list_routes()))
    # Others have a body, which is looked at first.
    if method in {"GET", "DELETE"}
    for name in ID.findall(path)
    if name not in FREE_TEXT
]


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with run_in_process(tmp_path_factory.mktemp("server") / "data") as server:
        yield ContractClient(server.client)


@pytest.mark.parametrize(("method", "path", "name"), CASES, ids=lambda part: part)
def test_it_is_unknown(client, method, path, name):
    url = fill_path(path, **{name: "nonsense"})

    answer = client.request(method, url)

    # Not 400: the newest clients repeat that for half a minute.
    assert answer.status_code == 404, answer.text
    assert answer.json()["code"] == ("DATASET_UNKNOWN" if name == "datasetId" else "NOT_FOUND")
    assert name in answer.json()["error"]
