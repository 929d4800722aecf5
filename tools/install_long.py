"""Make `.venv-long`: everything of `.venv`, and what only long tests need: Ray, Dask and PyTorch.

    python tools/install_long.py          install
    python tools/install_long.py --lock   pin the newest packages that fit

PyTorch comes in two builds of one version: a small one for CPUs, taken where pip has a place to
find it, and the one of the package index, which needs some gigabytes of libraries of CUDA.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import subprocess
import sys
import venv
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
ENVIRONMENT = REPOSITORY / ".venv-long"
REQUIREMENTS = REPOSITORY / "requirements"
BASE = REQUIREMENTS / "all.txt"
#: What Ray, Dask and training add to it, and each build of PyTorch with what only that one needs.
ENGINES, CPU, CUDA = (
    REQUIREMENTS / f"long{part}.txt" for part in ("", "-torch-cpu", "-torch-cuda")
)
EXTRAS = ("ray", "dask", "train")
PYTHON_OF_LOCKS = "3.11"
#: A version that both builds exist of.
TORCH_VERSION = "2.13.0"
#: The CPU build for Python 3.11 on x86-64, which the package index does not have.
TORCH_CPU_SHA256 = "6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b"
_CUDA_PACKAGE = re.compile(r"(torch$|nvidia-|cuda-|triton)")


def install() -> bool:
    """Make the environment; return whether anything had to be done."""
    locks = [BASE, ENGINES, CPU, CUDA, REPOSITORY / "pyproject.toml"]
    content = b"".join(lock.read_bytes() for lock in locks)
    fingerprint = hashlib.sha256(content + sys.version.encode()).hexdigest()
    stamp = ENVIRONMENT / ".stamp"
    if stamp.exists() and stamp.read_text("utf-8") == fingerprint:
        return False
    venv.create(ENVIRONMENT, clear=True, symlinks=True, with_pip=False)
    _install("--requirement", BASE)
    _install("--requirement", ENGINES)
    try:
        _install("--requirement", CPU)
    except SystemExit:
        print("The CPU build of PyTorch is not to be had here: taking the one with CUDA.")
        _install("--requirement", CUDA)
    # The app lies in the checkout, where `make setup` has built it.
    os.environ["LIGHTLY_SKIP_WEB_BUILD"] = "1"
    _pip("--no-build-isolation", "--editable", REPOSITORY)
    stamp.write_text(fingerprint, "utf-8")
    return True


def lock() -> None:
    """Pin what the extras need beyond what is pinned already."""
    known = _read_blocks(BASE.read_text("utf-8"))
    pins = "".join(f"{name}=={version}\n" for name, (version, _) in known.items())
    pyproject = REPOSITORY / "pyproject.toml"
    found = _read_blocks(_compile(pyproject, f"{pins}torch=={TORCH_VERSION}\n"))
    new = {name: block for name, (_, block) in found.items() if name not in known}
    cuda = {name: block for name, block in new.items() if _CUDA_PACKAGE.match(name)}
    engines = {name: block for name, block in new.items() if name not in cuda}
    for path, blocks in ((ENGINES, engines), (CUDA, cuda)):
        path.write_text("".join(blocks.values()), "utf-8")
    cpu = f"torch=={TORCH_VERSION}+cpu \\\n    --hash=sha256:{TORCH_CPU_SHA256}\n"
    CPU.write_text(cpu, "utf-8")


def _compile(source: Path, constraints: str) -> str:
    extras = [word for extra in ("server", "worker", *EXTRAS) for word in ("--extra", extra)]
    quiet = ["--quiet", "--no-header", "--no-annotate", "--no-emit-index-url"]
    target = ["--generate-hashes", "--python-version", PYTHON_OF_LOCKS]
    uv = Path(sys.executable).with_name("uv")
    command: list[str | Path] = [
        uv,
        "pip",
        "compile",
        *quiet,
        *target,
        *extras,
        "--constraint",
        "-",
        source,
    ]
    return _run(*command, stdin=constraints)


def _read_blocks(lock_text: str) -> dict[str, tuple[str, str]]:
    """Return version and lines of every package of a lock file, by name."""
    blocks = re.split(r"(?m)^(?=[A-Za-z0-9])", lock_text)
    found = {}
    for block in blocks:
        if match := re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)", block):
            found[match[1].lower()] = (match[2], block)
    return found


def _install(*options: str | Path) -> None:
    # The locks are complete, so there is nothing to resolve.
    _pip("--require-hashes", "--no-warn-conflicts", *options)


def _pip(*options: str | Path) -> None:
    python = ENVIRONMENT / "bin" / "python"
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--no-deps",
    ]
    _run(*command, "--disable-pip-version-check", *options)


def _run(*command: str | Path, stdin: str | None = None) -> str:
    done = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))} failed: see above.")
    return done.stdout


def main() -> None:
    """Run as a program."""
    parser = argparse.ArgumentParser(description="Make .venv-long for `make test-long`.")
    parser.add_argument("--lock", action="store_true", help="pin packages instead of installing")
    if parser.parse_args().lock:
        lock()
        print("Locked.")
    else:
        print(f".venv-long: {'installed' if install() else 'already there'}")


if __name__ == "__main__":
    main()
