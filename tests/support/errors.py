"""What an error answer must look like, below `/v1` and elsewhere."""

from __future__ import annotations

from typing import Any

from tests.support.contract import check_response

#: An operation of the contract that may answer with every status of an error.
_ANY_OPERATION = "/v1/datasets/{}/samples".format("0" * 24)
#: No reason needs more; what a caller sent is not repeated at length.
MAX_BODY_BYTES = 2_000


def assert_refused(response: Any) -> None:
    """Check that an answer is a refusal with the contract's error body, and short."""
    assert 400 <= response.status_code < 500, (response.status_code, response.text[:500])
    assert len(response.content) <= MAX_BODY_BYTES
    assert response.json()["error"].strip()
    status = 400 if response.status_code in {405, 408, 414, 431} else response.status_code
    check_response("GET", _ANY_OPERATION, status, response.headers, response.content)
