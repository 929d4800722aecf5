"""Pin every dependency with its hashes, in a file that names no registry.

Needs `uv` on the path or in the environment: `pip install uv`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

SOURCES = ["pyproject.toml", "requirements/test.in", "requirements/build.in"]
TARGET = "requirements/all.txt"
#: Peers that only benchmarks compare with; what they share with the rest has the same versions.
BENCH_SOURCE = "requirements/bench.in"
BENCH_TARGET = "requirements/bench.txt"


def main() -> None:
    """Write the lock files."""
    lock("--extra", "server", "--extra", "worker", *SOURCES, "-o", TARGET)
    lock("--constraints", TARGET, BENCH_SOURCE, "-o", BENCH_TARGET)


def lock(*arguments: str) -> None:
    """Pin what some files ask for."""
    uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
    options = ["--python-version", "3.11"]
    options += ["--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url"]
    options += ["--quiet"]
    subprocess.run([uv, "pip", "compile", *options, *arguments], check=True)


if __name__ == "__main__":
    main()
