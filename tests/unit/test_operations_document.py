"""The list of served operations is the server's."""

from __future__ import annotations

from fastapi.routing import APIRoute

from lightly.server.legacy.routes import router as legacy_router
from tools.list_operations import (
    CONTRACT,
    ONLY_REFUSED,
    TARGET,
    list_served,
    list_working,
    make_document,
    read_contract,
)

#: For operators, and files by signed URLs.
OF_OURS = ("/ext/", "/blobs/", "/files/", "/healthz", "/readyz", "/metrics")


def test_the_document_says_what_is_served():
    assert make_document() == TARGET.read_text(), "run: python tools/list_operations.py --write"


def test_every_operation_of_the_contract_is_served():
    assert CONTRACT.exists()
    assert list_working() == read_contract()
    assert not ONLY_REFUSED


def test_what_is_served_beside_the_contract_is_of_older_clients_or_below_ext():
    contract = {path for _, path in read_contract()}
    older = {route.path for route in legacy_router.routes if isinstance(route, APIRoute)}

    own = {path for _, path in list_served() if not path.startswith(OF_OURS)}

    # 1.1.0 creates datasets with a slash at the end.
    assert own - contract - older == {"/v1/datasets/"}
