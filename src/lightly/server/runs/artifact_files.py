"""Where the bytes of artifacts and reports lie in the platform's own storage.

What is uploaded waits under a key of its own; confirming copies it to where it is read from. So a
write URL, which works until it expires, never changes what was confirmed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import BinaryIO

from lightly.server.errors import ArtifactNotUploaded
from lightly.server.platform import PlatformState
from lightly.server.runs.models import Artifact, Run
from lightly.server.storage.blobs import Method, make_dataset_prefix

_COPY_BYTES = 4 * 1024 * 1024


def make_run_prefix(run: Run) -> str:
    """Return the prefix of everything that belongs to a run; it goes with its dataset."""
    place = "" if run.dataset_id is None else make_dataset_prefix(run.dataset_id)
    return f"{place}runs/{run.id}/"


def make_upload_key(run: Run, artifact_id: str) -> str:
    """Return where the bytes of an artifact arrive."""
    return f"{make_run_prefix(run)}artifacts/{artifact_id}/upload"


def make_content_key(run: Run, artifact_id: str) -> str:
    """Return where the confirmed bytes of an artifact lie."""
    return f"{make_run_prefix(run)}artifacts/{artifact_id}/content"


def make_report_key(run: Run, attempt: int) -> str:
    """Return where the report of an attempt lies."""
    return f"{make_run_prefix(run)}reports/{attempt}"


def sign_url(platform: PlatformState, key: str, method: Method) -> str:
    """Return a URL for an object of a run that was loaded for the caller."""
    return platform.blobs.sign_url(
        key,
        method,
        ttl_s=platform.settings.signed_url_ttl_s,
        now_s=platform.clock.now_ms() / 1000,
    )


def accept_upload(platform: PlatformState, run: Run, artifact: Artifact) -> int:
    """Make what was uploaded the content of an artifact; return how many bytes it has.

    Raises:
        ArtifactNotUploaded: If nothing is there, or other bytes than were announced.
    """
    upload_key = make_upload_key(run, artifact.id)
    digest = hashlib.sha256()
    try:
        with platform.blobs.open(upload_key) as upload:
            content_key = make_content_key(run, artifact.id)
            size_bytes = platform.blobs.put(content_key, _read_pieces(upload, digest)).size_bytes
    except FileNotFoundError as error:
        raise ArtifactNotUploaded(
            "Nothing was uploaded to the write URL of this artifact. Send its bytes there first."
        ) from error
    if artifact.stated_size_bytes not in {None, size_bytes}:
        raise ArtifactNotUploaded(
            f"The upload has {size_bytes} bytes instead of the {artifact.stated_size_bytes} that "
            "were announced. Upload the file again."
        )
    if artifact.stated_sha256 not in {None, digest.hexdigest()}:
        raise ArtifactNotUploaded(
            "The upload has other bytes than were announced by 'sha256'. Upload the file again."
        )
    return size_bytes


def _read_pieces(file: BinaryIO, digest: hashlib._Hash) -> Iterator[bytes]:
    while piece := file.read(_COPY_BYTES):
        digest.update(piece)
        yield piece
