"""Check the web app: types of the API, types of the code, format, unit tests.

python -m tools.check_web              check
python -m tools.check_web --generate   write the types of the API from the OpenAPI documents
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tools.build_web import ROOT, WEB, install_packages, run_node

_MODULES = WEB / "node_modules"
#: Documents and the types that are generated from them.
_TYPES = {"openapi.json": "contract.d.ts", "ext-v1.json": "extension.d.ts"}


def generate_types(folder: Path) -> None:
    """Write the types of all documents into a folder."""
    program = str(_MODULES / "openapi-typescript" / "bin" / "cli.js")
    for document, target in _TYPES.items():
        source = str(ROOT / "openapi" / document)
        run_node([program, source, "--output", str(folder / target)])


def check_types() -> None:
    """Stop unless the types in the repository are those of the documents."""
    with tempfile.TemporaryDirectory() as folder:
        generate_types(Path(folder))
        for name in _TYPES.values():
            if Path(folder, name).read_text() != (WEB / "src" / "api" / name).read_text():
                raise SystemExit(
                    f"web/src/api/{name} is not what the OpenAPI documents say. "
                    "Run: .venv/bin/python -m tools.check_web --generate"
                )


def main() -> None:
    """Run all checks, or write the types."""
    install_packages()
    if "--generate" in sys.argv:
        generate_types(WEB / "src" / "api")
        return
    check_types()
    run_node(
        [str(_MODULES / "prettier" / "bin" / "prettier.cjs"), "--check", "--log-level=warn", "."]
    )
    run_node([str(_MODULES / "svelte-check" / "bin" / "svelte-check"), "--fail-on-warnings"])
    run_node([str(_MODULES / "vitest" / "vitest.mjs"), "run"])


if __name__ == "__main__":
    main()
