"""What is wrong with a value, in words: which one, which rule, what to do."""

from __future__ import annotations

import difflib
import re
from typing import Any

from pydantic_core import ErrorDetails

from lightly.utils.run_configuration.keys import MAX_SHOWN

_RULE = re.compile(r"^(?:Input|String|List|Value) should ")
_ITEMS = re.compile(r"(\bat (?:least|most) \d+ items?) after validation, not \d+")
#: Words for where pydantic names its own classes.
_OBJECT_ERRORS = frozenset({"model_type", "model_attributes_type", "dict_type"})
_REMEDIES = {
    "bool_type": "Write true or false, without quotes.",
    "int_type": "Write a whole number, without quotes.",
    "number_type": "Write a number, without quotes.",
    "string_type": "Write a text in quotes.",
    "list_type": "Put it into a list.",
}


def describe_problem(error: ErrorDetails, content: object, place: str) -> str:
    """Return a sentence on the first thing that a wire model refuses.

    Args:
        error: One of the errors of the model.
        content: What was validated.
        place: Where that is, such as `config`.
    """
    path, value = _locate(error["loc"], content)
    where = f"{place}{path}"
    context = error.get("ctx", {})
    if error["type"] == "missing":
        return f"{where}: is required. Add it."
    if error["type"] == "union_tag_not_found":
        return f"{where}: needs {context['discriminator']}. Add it."
    if error["type"] == "union_tag_invalid":
        return f"{where}: {context['discriminator']} must be one of {context['expected_tags']}."
    if error["type"] in _OBJECT_ERRORS:
        return f"{where}: must be an object of options. Got {_show(value)}."
    rule = _ITEMS.sub(r"\1", _RULE.sub("must ", error["msg"]))
    sentences = [f"{where}: {rule}."]
    if not isinstance(value, dict | list):
        sentences.append(f"Got {_show(value)}.")
    if isinstance(value, str | int | float):
        sentences.append(_REMEDIES.get(error["type"]) or _suggest(error, value))
    return " ".join(filter(None, sentences))


def _locate(location: tuple[int | str, ...], content: object) -> tuple[str, object]:
    """Return the path of a value and the value; tags of unions are no part of the path."""
    path, value = "", content
    for number, part in enumerate(location):
        if isinstance(part, int) and isinstance(value, list) and part < len(value):
            path, value = f"{path}[{part}]", value[part]
        elif isinstance(value, dict) and part in value:
            path, value = f"{path}.{part}", value[part]
        elif isinstance(value, dict) and number == len(location) - 1:
            return f"{path}.{part}", None
    return path, value


def _show(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if value is None:
        return "nothing"
    return ascii(value)[:MAX_SHOWN]


def _suggest(error: ErrorDetails, value: object) -> str:
    if error["type"] not in {"enum", "literal_error"} or not isinstance(value, str):
        return ""
    allowed = re.findall(r"'([^']*)'", str(error.get("ctx", {}).get("expected", "")))
    lowered = {text.lower(): text for text in allowed}
    close = difflib.get_close_matches(value[:MAX_SHOWN].lower(), lowered, n=1)
    return f"Did you mean '{lowered[close[0]]}'?" if close else ""
