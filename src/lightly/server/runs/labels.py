"""Which worker a scheduled run is for: one that has all of its labels."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from lightly.server.errors import MalformedRequest

#: The labels of a run are part of an index, whose entries are limited.
MAX_LABELS_BYTES = 2_000


def pack_labels(labels: Iterable[str]) -> str:
    """Return labels as they are stored: sorted, each once, as JSON text.

    Raises:
        MalformedRequest: If they are too long, or one has control characters.

    >>> pack_labels(["gpu", "berlin", "gpu"])
    '["berlin","gpu"]'
    """
    chosen = sorted(set(labels))
    if not all(label.isprintable() for label in chosen):
        raise MalformedRequest("runsOn (body): a label must consist of printable characters.")
    text = orjson.dumps(chosen)
    if len(text) > MAX_LABELS_BYTES:
        raise MalformedRequest(
            f"runsOn (body): all labels together may have at most {MAX_LABELS_BYTES} bytes."
        )
    return text.decode()


def read_labels(packed: str) -> list[str]:
    """Return what `pack_labels` was given, sorted."""
    labels: list[str] = orjson.loads(packed)
    return labels


def fits(packed: str, worker_labels: Iterable[str]) -> bool:
    """Tell whether a worker with some labels may take a run.

    >>> fits('["gpu"]', ["berlin", "gpu"]), fits("[]", []), fits('["gpu"]', [])
    (True, True, False)
    """
    return set(read_labels(packed)) <= set(worker_labels)
