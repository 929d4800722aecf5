"""Holding answers to our own OpenAPI document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # ships no type information

EXTENSION: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[2] / "openapi/ext-v1.json").read_text()
)


def check_schema(value: object, name: str) -> None:
    """Fail unless a value is as the document says of a schema."""
    root = {"$ref": f"#/components/schemas/{name}", "components": EXTENSION["components"]}
    jsonschema.validate(value, root)
