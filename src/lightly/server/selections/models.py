"""What is kept of a selection."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from numpy.typing import NDArray


@dataclass(frozen=True)
class ColumnInfo:
    """What a report says of a column.

    Attributes:
        name: Unique in its report.
        dtype: Of numpy, little-endian.
        length: Number of values.
        per: One value per pick, in pick order, or per sample, in the order of the dataset.
    """

    name: str
    dtype: Literal["<i8", "<f8"]
    length: int
    per: Literal["pick", "sample"]


@dataclass(frozen=True)
class StoredReport:
    """One row of the table of reports.

    Attributes:
        tag_id: The tag that the selection made.
        job_id: The job that made it.
        created_at_ms: When.
        report_json: What the selection has to say, as JSON text.
    """

    tag_id: str
    job_id: str
    created_at_ms: int
    report_json: str = field(repr=False)


@dataclass(frozen=True)
class ReportContent:
    """A report before it is stored.

    Attributes:
        body: What becomes the JSON text.
        columns: What becomes blocks.
    """

    body: dict[str, Any]
    columns: list[tuple[ColumnInfo, NDArray[Any]]]
