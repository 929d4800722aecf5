"""Reading and writing the files that users exchange with the platform."""

from __future__ import annotations

from typing import Any

__all__ = [
    "check_embeddings",
    "check_filenames",
    "format_custom_metadata",
    "load_embeddings",
    "load_embeddings_as_dict",
    "save_custom_metadata",
    "save_embeddings",
    "save_schema",
    "save_tasks",
]


def __getattr__(name: str) -> Any:
    # The names load with their first use, so that `import lightly.api` stays light.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from lightly.utils import io  # noqa: PLC0415  see above

    return getattr(io, name)
