"""The list of served operations is the server's."""

from __future__ import annotations

from tools.list_operations import TARGET, list_served, make_document, read_contract


def test_the_document_says_what_is_served():
    assert make_document() == TARGET.read_text(), "run: python tools/list_operations.py --write"


def test_what_is_served_below_v1_is_in_the_contract():
    contract = set(read_contract())

    own = {path for _, path in list_served() if not path.startswith(("/ext/", "/blobs/"))}

    # 1.1.0 creates datasets with a slash at the end.
    assert own - {path for _, path in contract} == {"/healthz", "/readyz", "/v1/datasets/"}
