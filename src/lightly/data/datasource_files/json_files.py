"""JSON files read against a shape, with errors that people can act on.

Parsing and checking are one step in compiled code: a hundred thousand files take not much longer
than reading them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, from_json, to_json

from lightly.data.datasource_files.errors import FileInvalid, shorten

ContentT = TypeVar("ContentT")
_Values = Mapping[str, Any]

#: Largest JSON file that is read. The largest real ones are masks in full resolution, some MB.
MAX_JSON_BYTES = 64 * 1024 * 1024

_SCALARS = (bool, int, float, str)
#: Rules by the name that the checking library has for them.
_RULES: dict[str, Callable[[_Values], str]] = {
    "missing": lambda _: "is missing",
    "int_type": lambda _: "must be a whole number",
    "int_from_float": lambda _: "must be a whole number",
    "int_parsing_size": lambda _: "must be a whole number that is not that large",
    "float_type": lambda _: "must be a number",
    "finite_number": lambda _: "must be a finite number",
    "string_type": lambda _: "must be a text",
    "string_too_short": lambda _: "must not be empty",
    "string_too_long": lambda values: f"may have at most {values['max_length']} characters",
    "string_pattern_mismatch": lambda values: f"must match {values['pattern']}",
    "bool_type": lambda _: "must be true or false",
    "list_type": lambda _: "must be a list",
    "dict_type": lambda _: "must be an object",
    "greater_than_equal": lambda values: f"must be {values['ge']} or more",
    "less_than_equal": lambda values: f"must be {values['le']} or less",
    "literal_error": lambda values: f"must be {values['expected']}",
    "too_short": lambda values: (
        f"must have {values['min_length']} or more entries and has {values['actual_length']}"
    ),
    "too_long": lambda values: f"may have at most {values['max_length']} entries",
    "json_invalid": lambda values: f"is no valid JSON: {values['error']}",
}


def parse_json(
    adapter: TypeAdapter[ContentT],
    content: bytes,
    file: str,
    remedy: str,
    *,
    limit_bytes: int = MAX_JSON_BYTES,
) -> ContentT:
    """Return what a JSON file holds.

    Args:
        adapter: The shape that it must have.
        content: The file's bytes.
        file: Its name, for errors.
        remedy: What helps, for errors.
        limit_bytes: Largest file.

    Raises:
        FileInvalid: If the file is too large, no JSON, nested too deeply, or of another shape.
    """
    if len(content) > limit_bytes:
        raise FileInvalid(file, "", f"may have at most {limit_bytes} bytes", remedy)
    try:
        return adapter.validate_json(content)
    except ValidationError as error:
        raise _describe(error, file, remedy) from None


def check_finite(content: bytes, file: str, remedy: str) -> None:
    """Raise `FileInvalid` if JSON that was read has NaN or an infinity anywhere.

    Numbers of a shape are checked with it; this is for what has no shape.
    """
    # The words may stand in a text, where they are harmless: only then is it parsed again.
    if b"NaN" in content or b"Infinity" in content:
        try:
            from_json(content, allow_inf_nan=False)
        except ValueError:
            raise FileInvalid(file, "", "has NaN or Infinity, which JSON has not", remedy) from None


def encode_json(content: object, file: str) -> bytes:
    """Return the bytes of a JSON file. NaN comes out as such: who reads it refuses it.

    Raises:
        FileInvalid: If something in it cannot be JSON.
    """
    try:
        return to_json(content, inf_nan_mode="constants")
    except (PydanticSerializationError, UnicodeError, ValueError) as error:
        rule = f"must be plain JSON: {str(error)[:100]}"
        raise FileInvalid(file, "", rule, "Use numbers, texts, lists and objects only.") from error


def _describe(error: ValidationError, file: str, remedy: str) -> FileInvalid:
    first = error.errors(include_url=False)[0]
    key = ".".join(shorten(part, 40).strip("'") for part in first["loc"])
    rule = _RULES.get(first["type"])
    text = first["msg"][:200] if rule is None else rule(first.get("ctx", {}))
    value = first.get("input")
    if first["type"] not in {"missing", "json_invalid"} and isinstance(value, _SCALARS):
        text += f", got {shorten(value)}"
    count = error.error_count()
    if count > 1:
        text += f" (the first of {count} problems)"
    return FileInvalid(file, key, text, remedy)
