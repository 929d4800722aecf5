"""The history of a tag: a bounded list of who did what and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from lightly.server.errors import MalformedRequest, PayloadTooLarge

if TYPE_CHECKING:
    from lightly.openapi_generated.swagger_client.models.tag_change_data import TagChangeData

#: Only the last entries are kept: the list comes with every answer that has the tag in it.
MAX_ENTRIES = 100
#: Largest description of one change; the contract lets clients put any keys into it.
MAX_CHANGE_BYTES = 16 * 1024


def read_changes(changes: TagChangeData | None) -> dict[str, Any]:
    """Return what a client says about a change.

    Raises:
        MalformedRequest: If it is nested too deeply to be written again.
        PayloadTooLarge: If it says too much.
    """
    if changes is None:
        return {}
    try:
        content = changes.to_dict(by_alias=True)
        # As deep as it will lie in the history.
        size_bytes = len(orjson.dumps([{"changes": content}]))
    except (TypeError, ValueError) as error:
        raise MalformedRequest("changes (body): the value is nested too deeply.") from error
    if size_bytes > MAX_CHANGE_BYTES:
        raise PayloadTooLarge(f"changes (body): may have at most {MAX_CHANGE_BYTES} bytes.")
    return content


def append_change(
    history_json: str | None,
    changes: dict[str, Any] | None,
    *,
    user_id: str,
    creator: str,
    now_ms: int,
) -> str | None:
    """Return the history with one more entry; without `changes` it stays as it is."""
    if not changes:
        return history_json
    history = orjson.loads(history_json) if history_json else []
    history.append({"userId": user_id, "creator": creator, "ts": now_ms, "changes": changes})
    return orjson.dumps(history[-MAX_ENTRIES:]).decode()
