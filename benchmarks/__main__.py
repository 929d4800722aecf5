"""Run all benchmarks, one after another, each in a process of its own.

make bench            all
python -m benchmarks NAME ...
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Run the named benchmarks, all by default; return 1 if one failed."""
    folder = Path(__file__).parent
    packages = [path.parent.name for path in folder.glob("*/__main__.py")]
    found = sorted([path.stem for path in folder.glob("[a-z]*.py")] + packages)
    failed = []
    for name in sys.argv[1:] or found:
        print(f"\n== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode:
            failed.append(name)
    if failed:
        print(f"\nfailed: {', '.join(failed)}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
