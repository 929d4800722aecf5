"""The built web app: which files it has and how browsers are to treat them."""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

#: Where the build puts the app; see `tools/build_web.py`.
STATIC_DIR = Path(__file__).parent / "static"
INDEX = "index.html"
#: Below this folder names contain a hash of the content, so they never change.
HASHED_FOLDER = "assets/"

#: No script but our own files, no style but our own, nothing to be embedded anywhere. Pictures and
#: videos may come from the stores that users connect, whose names nobody knows beforehand.
_MEDIA_SOURCES = "'self' blob: data: https: http://localhost:* http://127.0.0.1:*"
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        f"img-src {_MEDIA_SOURCES}",
        f"media-src {_MEDIA_SOURCES}",
        "connect-src 'self'",
        "font-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
_COMMON_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_TYPES = {".js": "text/javascript", ".webmanifest": "application/manifest+json"}

_NOT_BUILT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>The web app is not built</title>
<main>
<h1>The web app is not built</h1>
<p>The server runs and its API works, but this installation has no files of the web app.</p>
<p>In a checkout, build it with <code>make web</code> and load this page again.
Released packages come with it.</p>
</main>
</html>
"""


@dataclass(frozen=True)
class AppFile:
    """A file as it is sent.

    Attributes:
        content: The bytes.
        gzip: The same, compressed; None where that gains nothing.
        headers: Of the answer, without the length.
    """

    content: bytes
    gzip: bytes | None
    headers: dict[str, str]


@dataclass(frozen=True)
class AppFiles:
    """All files of the app.

    Attributes:
        by_path: By their path, which begins with a slash.
        index: What every page of the app is.
        status: Of `index`: 503 while there is no app.
    """

    by_path: dict[str, AppFile]
    index: AppFile
    status: int


def find_app_files(folder: Path = STATIC_DIR) -> AppFiles:
    """Return the built app, or a page that says how to build it.

    The files are read once: they are some 200 kB and never change under a running server.
    """
    if not (folder / INDEX).is_file():
        headers = _COMMON_HEADERS | {
            "Content-Type": "text/html; charset=utf-8",
            "Cache-Control": "no-store",
        }
        return AppFiles({}, AppFile(_NOT_BUILT.encode(), None, headers), 503)
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    found = {
        f"/{name}": _read(path, name)
        for path in paths
        if not (name := path.relative_to(folder).as_posix()).startswith(".")
        and not name.endswith(".gz")
    }
    return AppFiles(found, found[f"/{INDEX}"], 200)


def _read(path: Path, name: str) -> AppFile:
    content = path.read_bytes()
    packed = path.with_name(f"{path.name}.gz")
    guessed = _TYPES.get(path.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    if guessed.startswith("text/") or guessed.endswith("json"):
        guessed += "; charset=utf-8"
    is_hashed = name.startswith(HASHED_FOLDER)
    headers = _COMMON_HEADERS | {
        "Content-Type": guessed,
        "ETag": f'"{hashlib.sha256(content).hexdigest()[:32]}"',
        "Cache-Control": "public, max-age=31536000, immutable" if is_hashed else "no-cache",
        "Vary": "Accept-Encoding",
    }
    return AppFile(content, packed.read_bytes() if packed.is_file() else None, headers)
