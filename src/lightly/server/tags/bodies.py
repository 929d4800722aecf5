"""Reading requests that carry a bit mask.

A mask may have millions of digits. It is parsed in a worker thread, not on the event loop, and no
error repeats any of its digits, as the general description of a malformed body would.
"""

from __future__ import annotations

from typing import TypeVar

from lightly._kit.bitmask import is_bitmask
from lightly.openapi_generated.wire.model import WireModel
from lightly.server.errors import MalformedRequest
from lightly.server.http.requests import decode_json, parse_body

ModelT = TypeVar("ModelT", bound=WireModel)

_FIELD = "bitMaskData"


def read_body_with_mask(model: type[ModelT], body: bytes) -> ModelT:
    """Return the body as a wire model.

    Raises:
        MalformedRequest: If it breaks a rule of the contract.
    """
    content = decode_json(body)
    text = content.get(_FIELD) if isinstance(content, dict) else None
    if isinstance(text, str) and not is_bitmask(text):
        raise MalformedRequest(
            f"{_FIELD} (body): A bit mask must be '0x' followed by lower-case hex digits."
        )
    return parse_body(model, content)
