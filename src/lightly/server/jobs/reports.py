"""Where jobs keep what they have to say beyond their result."""

from __future__ import annotations

from lightly.server.storage.blobs import make_dataset_prefix


def make_report_key(dataset_id: str, job_id: str) -> str:
    """Return the key of a job's report, JSON."""
    return f"{make_dataset_prefix(dataset_id)}jobs/{job_id}/report.json"
