"""Rules for single values that pydantic does not have ready-made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


def is_none(value: object) -> bool:
    """Tell pydantic which optional fields stay off the wire."""
    return value is None


@dataclass(frozen=True, slots=True)
class Number:
    """A JSON number: int or float, kept as given; no bool, no text, no NaN, no infinity.

    Args:
        ge: Smallest value allowed.
        gt: Value that must be exceeded.
        le: Largest value allowed.
    """

    ge: float | None = None
    gt: float | None = None
    le: float | None = None

    def __get_pydantic_core_schema__(
        self, source: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Accept an integer or a finite float within the bounds; one message covers both."""
        bounds: dict[str, Any] = {
            "ge": self.ge,
            "gt": self.gt,
            "le": self.le,
        }
        return core_schema.union_schema(
            [
                core_schema.int_schema(strict=True, **bounds),
                core_schema.float_schema(strict=True, allow_inf_nan=False, **bounds),
            ],
            custom_error_type="number_type",
            custom_error_message=self._rule(),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe it as one number instead of a union."""
        names = {"minimum": self.ge, "exclusiveMinimum": self.gt, "maximum": self.le}
        return {"type": "number"} | {
            key: value for key, value in names.items() if value is not None
        }

    def _rule(self) -> str:
        bounds = [
            f"{words} {bound}"
            for words, bound in (
                ("greater than or equal to", self.ge),
                ("greater than", self.gt),
                ("less than or equal to", self.le),
            )
            if bound is not None
        ]
        return " ".join(["Input should be a finite number", " and ".join(bounds)]).strip()


class UniqueItems:
    """A list that holds no item twice."""

    def __get_pydantic_core_schema__(
        self, source: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Check the list after its items."""
        return core_schema.no_info_after_validator_function(_refuse_repeats, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Add the rule to the description of the list."""
        return handler(schema) | {"uniqueItems": True}


def _refuse_repeats(values: list[Any]) -> list[Any]:
    if len(set(values)) == len(values):
        return values
    raise PydanticCustomError("unique_items", "Input should not contain the same item twice")


def _refuse_non_integer(value: object) -> object:
    # Looking an enum member up by value would take 16.0 for 16 and "16" for 16.
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise PydanticCustomError("int_type", "Input should be a valid integer")


INTEGER_ENUM = BeforeValidator(_refuse_non_integer)
"""Annotation of fields that hold an integer enum."""
