"""Which operations of the wire contract the server serves.

python tools/list_operations.py           print the table
python tools/list_operations.py --write   write docs/reference/operations.md
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

from fastapi.routing import APIRoute

from lightly.server.app import ROUTERS

ROOT = Path(__file__).resolve().parent.parent
CONTRACT = ROOT / "openapi" / "openapi.json"
TARGET = ROOT / "docs" / "reference" / "operations.md"
METHODS = ("get", "post", "put", "delete")

Operation = tuple[str, str]

#: Answered as the contract has it, but never with success: what it is for is not built yet.
ONLY_REFUSED: dict[Operation, str] = {}


def read_contract() -> list[Operation]:
    """Return (method, path) of every operation of the contract."""
    paths = json.loads(CONTRACT.read_text())["paths"]
    return [
        (method.upper(), path)
        for path, operations in paths.items()
        for method in METHODS
        if method in operations
    ]


def list_served() -> set[Operation]:
    """Return (method, path) of every route of the server, named as in the contract."""
    return {
        (method, re.sub(r"\{(\w+):path\}", r"{\1}", route.path))
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }


def list_working() -> list[Operation]:
    """Return the operations of the contract that the server carries out, in its order."""
    served = list_served() - ONLY_REFUSED.keys()
    return [operation for operation in read_contract() if operation in served]


def make_document() -> str:
    """Return the table as Markdown."""
    contract, working = read_contract(), list_working()
    count = len(working)
    headline = f"The server serves {count} of the {len(contract)} operations of the wire contract."
    lines = [
        "# Operations",
        "",
        headline,
        "This page is written by `tools/list_operations.py`; a test compares it with the server.",
        "",
        "| operation | served |",
        "|---|---|",
    ]
    notes = dict.fromkeys(working, "yes") | ONLY_REFUSED
    lines += [
        f"| `{method} {path}` | {notes.get((method, path), '')} |" for method, path in contract
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"write {TARGET.name}")
    if parser.parse_args().write:
        TARGET.write_text(make_document())
    else:
        print(make_document(), end="")


if __name__ == "__main__":
    main()
