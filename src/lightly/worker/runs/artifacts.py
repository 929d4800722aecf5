"""Files that a run leaves behind."""

from __future__ import annotations

import json
from pathlib import Path

from lightly._kit.atomic_files import write_atomic
from lightly.worker.runs.context import RunContext
from lightly.worker.runs.excluded import CORRUPT, read_excluded

LOG_NAME = "log.txt"
MEMORY_LOG_NAME = "memlog.txt"
CORRUPTNESS_NAME = "corruptness_check_information.json"
REPORT_PDF_NAME = "report.pdf"
REPORT_NAME = "report.json"
REPORT_V2_NAME = "report_v2.json"
EXCLUDED_NAME = "excluded.csv"
#: Artifacts by file name, in the order in which they are sent; the log goes last.
KINDS = {
    CORRUPTNESS_NAME: "CORRUPTNESS_CHECK_INFORMATION",
    REPORT_NAME: "REPORT_JSON",
    REPORT_V2_NAME: "REPORT_V2_JSON",
    REPORT_PDF_NAME: "REPORT_PDF",
    MEMORY_LOG_NAME: "MEMLOG",
    LOG_NAME: "LOG",
}


def write_corruptness_information(excluded: Path, path: Path) -> None:
    """Write which files are corrupt, in the form that clients download.

    Args:
        excluded: The table of excluded files.
        path: The JSON file.
    """
    rows = read_excluded(excluded)
    content = {
        "corrupt_samples": {name: reason for name, kind, reason in rows if kind == CORRUPT},
        "corrupt_videos": {},
    }
    write_atomic(path, json.dumps(content, indent=1).encode())


def send_artifacts(context: RunContext) -> None:
    """Upload what the run has written so far."""
    for name, kind in KINDS.items():
        path = context.folder.path(name)
        if path.exists():
            context.link.send_artifact(path, kind)
