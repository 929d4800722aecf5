"""Keys of a configuration: either spelling is understood, anything else is refused."""

from __future__ import annotations

import difflib
import functools
import types
import typing
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, RootModel
from pydantic.alias_generators import to_camel

from lightly.openapi_generated.wire.model import WireModel
from lightly.utils.run_configuration.errors import MalformedConfiguration

#: Most characters of the caller's own words that an error repeats.
MAX_SHOWN = 60
#: A key that is less like any known one than this is no slip of the pen.
_LIKENESS = 0.5

Model = type[BaseModel]


def translate_keys(model: Model, value: object, place: str) -> object:
    """Return decoded JSON with its keys as they travel.

    Values that are not what the model says are left as they are: its validation will tell.

    Args:
        model: A wire model, or a union of them.
        value: Decoded JSON with keys in either spelling.
        place: Where the value is, for errors, such as `config.docker`.

    Raises:
        MalformedConfiguration: If a key is unknown or given in both spellings.

    >>> from lightly.openapi_generated.swagger_client.models import DockerWorkerConfigV4Docker
    >>> translate_keys(DockerWorkerConfigV4Docker, {"crops": {"enable_upload": True}}, "docker")
    {'crops': {'enableUpload': True}}
    """
    if not isinstance(value, dict):
        return value
    known = _choose_option(model, value)
    if known is None:
        return value
    spellings = _list_spellings(known)
    translated: dict[str, Any] = {}
    for key, inner in value.items():
        name = spellings.get(key)
        if name is None:
            raise _describe_unknown(key, known, place)
        if name in translated:
            raise MalformedConfiguration(
                f"{place}: '{name}' is given twice, in two spellings. Leave one of them out."
            )
        translated[name] = _translate_inner(known, name, inner, f"{place}.{name}")
    return translated


def _translate_inner(model: type[WireModel], name: str, value: object, place: str) -> object:
    inner = _find_models(model)[name]
    if inner is None:
        return value
    if isinstance(value, list):
        return [translate_keys(inner, item, f"{place}[{at}]") for at, item in enumerate(value)]
    return translate_keys(inner, value, place)


def _choose_option(model: Model, value: dict[str, Any]) -> type[WireModel] | None:
    """Return the model itself, or of a union the one that `value` is meant for."""
    if issubclass(model, WireModel):
        return model
    if not issubclass(model, RootModel):
        return None
    field = model.model_fields["root"]
    for option in typing.get_args(field.annotation):
        tag = option.model_fields[str(field.discriminator)].annotation
        if value.get(str(field.discriminator)) in typing.get_args(tag):
            chosen: type[WireModel] = option
            return chosen
    return None


@functools.cache
def _list_spellings(model: type[WireModel]) -> dict[str, str]:
    """Return the wire name of every spelling of every key."""
    found: dict[str, str] = {}
    for attribute, field in model.model_fields.items():
        name = field.alias or attribute
        found |= dict.fromkeys((name, attribute, to_camel(attribute)), name)
    return found


@functools.cache
def _find_models(model: type[WireModel]) -> dict[str, Model | None]:
    """Return the model of the objects below every key; None where there is no model."""
    return {
        field.alias or attribute: next(_iterate_models(field.annotation), None)
        for attribute, field in model.model_fields.items()
    }


def _iterate_models(annotation: Any) -> Iterator[Model]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif typing.get_origin(annotation) in {list, typing.Union, types.UnionType, typing.Annotated}:
        for inner in typing.get_args(annotation):
            yield from _iterate_models(inner)


def _describe_unknown(key: str, model: type[WireModel], place: str) -> MalformedConfiguration:
    known = _list_spellings(model)
    shown = ascii(key[:MAX_SHOWN])
    # Long keys are compared by their beginning: comparing takes time with the square of the length.
    close = difflib.get_close_matches(key[:MAX_SHOWN], known, n=1, cutoff=_LIKENESS)
    if close:
        remedy = f"Did you mean '{close[0]}'?"
    else:
        remedy = f"Known are: {', '.join(sorted(set(known.values())))}."
    return MalformedConfiguration(f"{place}: option {shown} does not exist. {remedy}")
