"""What has to be done for each image, alone: the floor that whole runs are held against."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lightly.embedding.pool import count_cores
from lightly.media.inspection import inspect_image
from lightly.media.sandbox import DecodePool

_POOL = (
    "import sys; from benchmarks.worker.kernels import inspect_folder; "
    "inspect_folder(*sys.argv[1:])"
)


def inspect_all(photos: Sequence[bytes]) -> None:
    """Decode, measure and make thumbnails in this process."""
    for photo in photos:
        assert inspect_image(photo).corruption is None


def inspect_folder(folder: str) -> None:
    """Do the same for a folder in the decoding processes of a run, and nothing else."""
    files = sorted(Path(folder).iterdir())
    with DecodePool(count_cores()) as pool:
        for report in pool.inspect_images(file.read_bytes() for file in files):
            assert report.corruption is None


def measure_pool_s(folder: Path) -> float:
    """Return the CPU seconds of the kernel on its executor for a folder, start included."""
    return measure_command_s([sys.executable, "-c", _POOL, str(folder)])


def measure_command_s(command: Sequence[str]) -> float:
    """Return the CPU seconds of a command and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
