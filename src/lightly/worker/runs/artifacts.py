"""Files that a run leaves behind."""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import IO

from lightly._kit.atomic_files import open_atomic, write_atomic
from lightly.media.listing import VIDEO_EXTENSIONS
from lightly.worker.runs.context import RunContext
from lightly.worker.runs.excluded import CORRUPT, INCOMPLETE, read_excluded

LOG_NAME = "log.txt"
MEMORY_LOG_NAME = "memlog.txt"
CORRUPTNESS_NAME = "corruptness_check_information.json"
CHECKPOINT_NAME = "checkpoint.safetensors"
SEQUENCES_NAME = "sequence_information.json"
RELEVANT_NAME = "relevant_filenames.txt"
REPORT_PDF_NAME = "report.pdf"
REPORT_NAME = "report.json"
REPORT_V2_NAME = "report_v2.json"
EXCLUDED_NAME = "excluded.csv"
EMBEDDINGS_NAME = "embeddings.csv"
#: Artifacts by file name, in the order in which they are sent; the log goes last.
KINDS = {
    CORRUPTNESS_NAME: "CORRUPTNESS_CHECK_INFORMATION",
    SEQUENCES_NAME: "SEQUENCE_INFORMATION",
    RELEVANT_NAME: "RELEVANT_FILENAMES",
    CHECKPOINT_NAME: "CHECKPOINT",
    REPORT_NAME: "REPORT_JSON",
    REPORT_V2_NAME: "REPORT_V2_JSON",
    REPORT_PDF_NAME: "REPORT_PDF",
    MEMORY_LOG_NAME: "MEMLOG",
    LOG_NAME: "LOG",
}
#: What `upload_report` is about.
REPORTS = frozenset({REPORT_NAME, REPORT_V2_NAME, REPORT_PDF_NAME})
_GROWING = frozenset({LOG_NAME, MEMORY_LOG_NAME})


def write_corruptness_information(excluded: Path, path: Path) -> None:
    """Write which files are corrupt, in the form that clients download.

    Args:
        excluded: The table of excluded files.
        path: The JSON file.
    """
    content: dict[str, dict[str, str]] = {"corrupt_samples": {}, "corrupt_videos": {}}
    for name, kind, reason in read_excluded(excluded):
        if kind in {CORRUPT, INCOMPLETE}:
            is_video = name.lower().endswith(VIDEO_EXTENSIONS)
            content["corrupt_videos" if is_video else "corrupt_samples"][name] = reason
    write_atomic(path, json.dumps(content, indent=1).encode())


def write_relevant_names(names: Iterable[str], path: Path) -> int:
    """Write which files a run was about, as a list that other listings can be restricted to.

    Args:
        names: Of the files, in order.
        path: The text file.

    Returns:
        How many names cannot stand in such a list and are left out.
    """
    n_left_out = 0
    with open_atomic(path) as file:
        for name in names:
            # There `*` stands for many names, and blanks at the ends for nothing.
            if "*" in name or name != name.strip():
                n_left_out += 1
            else:
                file.write(f"{name}\n".encode("utf-8", "surrogateescape"))
    return n_left_out


def send_artifacts(context: RunContext, names: Collection[str] = tuple(KINDS)) -> None:
    """Upload what the run has written so far, and has not uploaded yet.

    Args:
        context: Of the run.
        names: Of the files that matter.
    """
    for name, kind in KINDS.items():
        path = context.folder.path(name)
        if name in names and path.exists():
            with _open(path) as source:
                context.link.send_artifact(name, kind, source)


def _open(path: Path) -> IO[bytes]:
    """Open a file; of a log, to which others write meanwhile, what there is now."""
    return io.BytesIO(path.read_bytes()) if path.name in _GROWING else path.open("rb")
