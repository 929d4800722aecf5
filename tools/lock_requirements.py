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


def main() -> None:
    """Write the lock file."""
    uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
    options = ["--python-version", "3.11", "--extra", "server", "--extra", "worker"]
    options += ["--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url"]
    options += ["--quiet"]
    subprocess.run([uv, "pip", "compile", *options, *SOURCES, "-o", TARGET], check=True)


if __name__ == "__main__":
    main()
