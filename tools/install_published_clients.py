"""Install published releases of the `lightly` client, each into an environment of its own.

    python tools/install_published_clients.py [VERSION ...]   install, by default those under test
    python tools/install_published_clients.py --all           install every release with a lock file
    python tools/install_published_clients.py --lock          pin the newest packages that fit

The contract tests run these clients, unmodified, against our server. Their environments lie in
`.clients/<version>`; one that fits its lock file already is left alone.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import venv
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
LOCKS = REPOSITORY / "requirements" / "clients"
CLIENTS = REPOSITORY / ".clients"
CLIENTS_UNDER_TEST = ("1.0.8", "1.1.23", "1.2.28", "1.4.26", "1.5.26")
PYTHON_OF_LOCKS = "3.11"


def list_versions() -> list[str]:
    """Return the releases that can be installed, oldest first."""
    versions = [file.stem for file in LOCKS.glob("*.in")]
    return sorted(versions, key=lambda version: [int(part) for part in version.split(".")])


def install_client(version: str) -> bool:
    """Make the environment of one release.

    Returns:
        Whether anything had to be done.
    """
    lock = LOCKS / f"{version}.txt"
    environment = CLIENTS / version
    stamp = environment / "installed-from"
    fingerprint = _fingerprint(lock)
    if stamp.exists() and stamp.read_text("utf-8") == fingerprint:
        return False
    # A stamp that does not fit means leftovers of another lock or of an interrupted run.
    venv.create(environment, clear=True, symlinks=True, with_pip=False)
    # The lock is complete, so resolving would only bring back what lightly declares: torch.
    install = ["install", "--no-deps", "--require-hashes", "--no-warn-conflicts", "--quiet"]
    python = environment / "bin" / "python"
    _run(sys.executable, "-m", "pip", "--python", python, *install, "--requirement", lock)
    stamp.write_text(fingerprint, "utf-8")
    return True


def lock_client(version: str) -> None:
    """Pin the newest packages that the release can be imported with."""
    needs = LOCKS / f"{version}.in"
    pinned_needs = _compile(needs.read_text("utf-8"))
    pinned_client = _compile(f"lightly=={version}", "--no-deps")
    needs.with_suffix(".txt").write_text(pinned_needs + pinned_client, "utf-8")


def _compile(requirements: str, *options: str) -> str:
    quiet = ["--quiet", "--no-header", "--no-annotate"]
    target = ["--generate-hashes", "--python-version", PYTHON_OF_LOCKS]
    uv = Path(sys.executable).with_name("uv")
    return _run(uv, "pip", "compile", *quiet, *target, *options, "-", stdin=requirements)


def _run(*command: str | Path, stdin: str | None = None) -> str:
    done = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} failed: see above.")
    return done.stdout


def _fingerprint(lock: Path) -> str:
    python = ".".join(map(str, sys.version_info[:3]))
    return f"{python} {hashlib.sha256(lock.read_bytes()).hexdigest()}"


def main() -> None:
    """Run as a program."""
    parser = argparse.ArgumentParser(description="Install published lightly clients for the tests.")
    parser.add_argument("versions", nargs="*", metavar="VERSION", help=", ".join(list_versions()))
    parser.add_argument("--all", action="store_true", help="every release with a lock file")
    parser.add_argument("--lock", action="store_true", help="pin packages instead of installing")
    options = parser.parse_args()
    if unknown := set(options.versions) - set(list_versions()):
        parser.error(f"no lock file for {', '.join(sorted(unknown))}")
    default = list_versions() if options.all or options.lock else CLIENTS_UNDER_TEST
    for version in options.versions or default:
        if options.lock:
            lock_client(version)
            print(f"lightly {version}: locked")
        else:
            changed = install_client(version)
            print(f"lightly {version}: {'installed' if changed else 'already there'}")


if __name__ == "__main__":
    main()
