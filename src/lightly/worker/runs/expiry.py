"""Files that their store removes soon: a dataset of them would soon be one of broken links."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from lightly.worker.errors import RunRefused
from lightly.worker.options import ExpiryOptions
from lightly.worker.sources.file_list import InputFile

ABORT = "ABORT"
_DAY_S = 24 * 3600


@dataclass(frozen=True)
class ExpiryWatch:
    """Tells files that stay long enough from others.

    Attributes:
        options: How long that is, and what becomes of the others.
        latest_ms: What expires before this moment does so too soon, milliseconds since 1970.
    """

    options: ExpiryOptions
    latest_ms: float

    @classmethod
    def open(cls, options: ExpiryOptions | None, *, now_s: float) -> Self | None:
        """Return the watch of a run that begins at a moment; None if it asks for none."""
        if options is None:
            return None
        return cls(options, (now_s + options.min_days * _DAY_S) * 1000)

    def check(self, file: InputFile) -> str | None:
        """Return why a file is left out; None if it stays long enough.

        Raises:
            RunRefused: If the run shall not begin then.
        """
        if file.expires_at_ms is None or file.expires_at_ms >= self.latest_ms:
            return None
        moment = datetime.fromtimestamp(file.expires_at_ms / 1000, UTC)
        reason = (
            f"its store removes it on {moment:%Y-%m-%d}, in less than {self.options.min_days:g}"
        )
        if self.options.handling == ABORT:
            raise RunRefused(
                f"The file {file.name[:200]!r} expires too soon: {reason} days. Change the "
                "lifecycle rules of the bucket, or set datasource.input_expiration to SKIP such "
                "files."
            )
        return f"It expires too soon: {reason} days."
