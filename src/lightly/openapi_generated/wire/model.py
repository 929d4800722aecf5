"""Base classes of the generated wire models.

Requests and answers are refused unless they fit the contract exactly: types are not converted,
unknown keys are errors. A caller that must tolerate unknown keys (a server facing older clients, a
client facing a newer server) says so with ``from_dict(..., ignore_unknown=True)``.
"""

from __future__ import annotations

import pprint
from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, RootModel
from pydantic_core import CoreSchema
from pydantic_core import from_json as parse_json

RootT = TypeVar("RootT")


def _stop_lists_at_first_error(schema: object) -> None:
    if isinstance(schema, list | tuple):
        for inner in schema:
            _stop_lists_at_first_error(inner)
    elif isinstance(schema, dict):
        if schema.get("type") == "list":
            schema["fail_fast"] = True
        for inner in schema.values():
            _stop_lists_at_first_error(inner)


class _WireForm(BaseModel):
    """Conversions between a model and what travels on the wire."""

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[BaseModel], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Let lists end at their first bad item: a million bad ones would be a million errors."""
        schema = handler(source)
        _stop_lists_at_first_error(schema)
        return schema

    @classmethod
    def from_dict(cls, obj: object, *, ignore_unknown: bool = False) -> Self:
        """Build the model from decoded JSON.

        Args:
            obj: What `json.loads` returned. Keys are wire names (`datasetId`), not attribute
                names (`dataset_id`).
            ignore_unknown: Drop keys that the contract does not know, at every depth, instead of
                refusing them. Free-form objects such as `customMetaData` keep all their keys.

        Raises:
            pydantic.ValidationError: If `obj` breaks a rule of the contract. Its `errors()` name
                each place and rule.
        """
        return cls.model_validate(
            obj, by_alias=True, by_name=False, extra="ignore" if ignore_unknown else None
        )

    @classmethod
    def from_json(cls, text: str | bytes, *, ignore_unknown: bool = False) -> Self:
        """Build the model from JSON text; NaN and infinities are refused everywhere.

        Raises:
            ValueError: If `text` is no JSON.
            pydantic.ValidationError: If it breaks a rule of the contract.
        """
        parsed = parse_json(text, allow_inf_nan=False)
        return cls.from_dict(parsed, ignore_unknown=ignore_unknown)

    def to_json(self, by_alias: bool = False) -> str:
        """Return the model as JSON text; see `to_dict`."""
        return self.model_dump_json(by_alias=by_alias)


class WireModel(_WireForm):
    """An object of the wire contract.

    Attributes are snake_case, the wire is camelCase; constructors take either.

    >>> from lightly.openapi_generated.swagger_client.models import TagBitMaskResponse
    >>> TagBitMaskResponse(bit_mask_data="0x59").to_dict(by_alias=True)
    {'bitMaskData': '0x59'}
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(
        # Building a validator costs more than the class itself and most processes use few models.
        defer_build=True,
        extra="forbid",
        validate_assignment=True,
        validate_by_alias=True,
        validate_by_name=True,
    )

    def to_dict(self, by_alias: bool = False) -> dict[str, Any]:
        """Return the model as JSON-ready dictionary.

        Args:
            by_alias: Use wire names, which `from_dict` takes. By default keys are attribute names,
                as in all published clients.

        Returns:
            A dictionary without the optional fields that are None. Required fields that may be
            null are kept, and nothing is removed from free-form objects.
        """
        return self.model_dump(mode="json", by_alias=by_alias)

    def to_str(self, by_alias: bool = False) -> str:
        """Return the model for people to read."""
        return pprint.pformat(self.to_dict(by_alias=by_alias))


class WireUnion(_WireForm, RootModel[RootT], Generic[RootT]):
    """One of several objects of the wire contract, told apart by a field such as `type`.

    Attributes of the object can be read directly or through `actual_instance`.

    >>> from lightly.openapi_generated.swagger_client.models import DatasourceConfig
    >>> config = DatasourceConfig.from_dict(
    ...     {"type": "LOCAL", "purpose": "INPUT_OUTPUT", "fullPath": "photos"}
    ... )
    >>> type(config.actual_instance).__name__, config.full_path
    ('DatasourceConfigLOCAL', 'photos')
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(defer_build=True, validate_assignment=True)

    @property
    def actual_instance(self) -> RootT:
        """The object itself."""
        return self.root

    def to_dict(self, by_alias: bool = False) -> dict[str, Any]:
        """Return the object as JSON-ready dictionary; see `WireModel.to_dict`."""
        dumped: dict[str, Any] = self.model_dump(mode="json", by_alias=by_alias)
        return dumped

    def to_str(self, by_alias: bool = False) -> str:
        """Return the object for people to read."""
        return pprint.pformat(self.to_dict(by_alias=by_alias))

    def keys(self) -> list[str]:
        """Return the wire names of the object's fields; with `[]` this makes a dictionary of it."""
        return list(self.to_dict(by_alias=True))

    def __getitem__(self, wire_name: str) -> Any:
        """Return a field by its wire name, as in the dictionary that older clients returned."""
        return self.to_dict(by_alias=True)[wire_name]

    def __getattr__(self, name: str) -> Any:
        # Only called for names that the union itself does not have. Copying and pickling look for
        # dunder names before `root` exists.
        if name.startswith("__") or name == "root":
            raise AttributeError(name)
        return getattr(self.root, name)
