"""Telling whether the built web app is that of the sources beside it.

Standard library only, without imports of ours: the build loads this file by its path, before the
package is installed.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

#: In the folder of the built app: the hash of what it was built from.
HASH_FILE = ".build"
_SOURCES = ("src", "public")
_FILES = ("index.html", "package.json", "package-lock.json", "svelte.config.js", "vite.config.ts")


def hash_sources(web: Path) -> str:
    """Return a hash over everything that the built app follows from.

    Args:
        web: The folder of the app's sources.
    """
    found = [path for name in _SOURCES for path in (web / name).rglob("*") if path.is_file()]
    found += [web / name for name in _FILES]
    digest = hashlib.sha256()
    for path in sorted(path for path in found if not path.name.endswith(".test.ts")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(web).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def read_built_hash(static: Path) -> str | None:
    """Return the hash of the sources that the app was built from, None if it is not built."""
    try:
        return (static / HASH_FILE).read_text().strip()
    except FileNotFoundError:
        return None


def find_stale_sources(static: Path) -> Path | None:
    """Return the sources of the app if there are any and the built app is not of them.

    Args:
        static: The folder of the built app, in a checkout `src/lightly/server/web/static`.
    """
    web = static.parents[4] / "web"
    if not (web / "package-lock.json").is_file():
        return None
    return None if read_built_hash(static) == hash_sources(web) else web
