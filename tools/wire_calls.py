"""Python source of the classes that call the operations of the contract one to one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tools.wire_names import (
    CALLS,
    HEADER,
    MODELS,
    ROOT,
    attribute_name,
    join_lines,
    quote,
    render_lazy_package,
    to_snake_case,
)

_TYPES = {"boolean": "bool", "integer": "int", "number": "float", "string": "str"}


@dataclass(frozen=True)
class Parameter:
    """A parameter of a method.

    Attributes:
        name: In Python.
        wire_name: In path or query; empty for the body.
        place: `path`, `query` or `body`.
        annotation: Its type.
        is_required: Whether it has no default.
    """

    name: str
    wire_name: str
    place: str
    annotation: str
    is_required: bool


@dataclass(frozen=True)
class Operation:
    """An operation of the contract.

    Attributes:
        class_name: The class that has its method.
        name: The method.
        request: HTTP method and path.
        parameters: In the order of the method; required ones come first.
        answer: Model in the answer, in brackets if it is a list; empty if it is handed through.
        result: Type of the result.
    """

    class_name: str
    name: str
    request: str
    parameters: tuple[Parameter, ...]
    answer: str
    result: str


def read_operations(document: Mapping[str, Any]) -> list[Operation]:
    """Return the operations of a contract that published clients have a method for."""
    return [
        _read_operation(method, path, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if "x-client-method" in operation
    ]


def render_calls(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield path below the target folder and text of every module with calls."""
    operations = read_operations(document)
    names = list_classes(document)
    docstring = (
        "Calls of the operations of the wire contract; each class is imported when first used."
    )
    package = render_lazy_package(docstring, CALLS, names)
    yield "swagger_client/api/__init__.py", package
    yield "swagger_codegen/api/__init__.py", package
    for name in names:
        own = [operation for operation in operations if operation.class_name == name]
        module = to_snake_case(name)
        yield f"swagger_client/api/{module}.py", render_class(name, own)
        alias = f"{HEADER}\nfrom {CALLS}.{module} import {name} as {name}\n"
        yield f"swagger_codegen/api/{module}.py", alias


def list_classes(document: Mapping[str, Any]) -> list[str]:
    """Return the names of all classes."""
    return sorted({operation.class_name for operation in read_operations(document)})


def render_class(name: str, operations: list[Operation]) -> str:
    """Return the module of one class."""
    methods = "\n".join(_render_method(operation) for operation in operations)
    models = sorted(
        {model for operation in operations for model in _find_models(operation)},
    )
    imports = [f"    from {MODELS}.{to_snake_case(model)} import {model}" for model in models]
    checked = f"\nif TYPE_CHECKING:\n{join_lines(imports)}" if imports else ""
    typing = "from typing import TYPE_CHECKING\n\n" if imports else ""
    return f'''{HEADER}
from __future__ import annotations

{typing}from {ROOT}.wire.calls import WireApi
{checked}

class {name}(WireApi):
    """Operations of the wire contract."""

{methods}'''


def _read_operation(method: str, path: str, operation: Mapping[str, Any]) -> Operation:
    class_name, _, name = operation["x-client-method"].partition(".")
    parameters = [_read_parameter(one) for one in operation.get("parameters", [])]
    if "requestBody" in operation:
        parameters.append(_read_body(operation["requestBody"]))
    answer, result = _read_answer(operation["responses"])
    # The sort is stable: within both halves the order stays that of the contract.
    ordered = sorted(parameters, key=lambda parameter: not parameter.is_required)
    return Operation(class_name, name, f"{method.upper()} {path}", tuple(ordered), answer, result)


def _read_parameter(parameter: Mapping[str, Any]) -> Parameter:
    return Parameter(
        attribute_name(parameter["name"]),
        parameter["name"],
        parameter["in"],
        _annotate(parameter["schema"]),
        parameter.get("required", False),
    )


def _read_body(body: Mapping[str, Any]) -> Parameter:
    schema = next(iter(body["content"].values()))["schema"]
    reference = schema.get("$ref") or schema["items"]["$ref"]
    name = to_snake_case(reference.rpartition("/")[2])
    return Parameter(name, "", "body", _annotate(schema), is_required=True)


def _read_answer(responses: Mapping[str, Any]) -> tuple[str, str]:
    for status, response in responses.items():
        if status.startswith("2") and response.get("content"):
            # Texts come as text or as JSON; both arrive as str.
            content = response["content"]
            schema = content.get("application/json", next(iter(content.values())))["schema"]
            result = _annotate(schema)
            if "$ref" in schema:
                return result, result
            if "$ref" in schema.get("items", {}):
                return f"[{result[5:-1]}]", result
            return "", result
    return "", "None"


def _annotate(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if schema.get("type") == "array":
        return f"list[{_annotate(schema['items'])}]"
    return _TYPES.get(str(schema.get("type")), "object")


def _find_models(operation: Operation) -> set[str]:
    annotations = [operation.result, *(one.annotation for one in operation.parameters)]
    words = {word for text in annotations for word in text.replace("]", "").split("[")}
    return {word for word in words if word[0].isupper() and word != "None"}


def _render_method(operation: Operation) -> str:
    signature = ["self"]
    for one in operation.parameters:
        default = "" if one.is_required else " | None = None"
        signature.append(f"{one.name}: {one.annotation}{default}")
    arguments = [quote(operation.request)]
    for keyword, place in (("path_values", "path"), ("query", "query")):
        values = [
            f"{quote(one.wire_name)}: {one.name}"
            for one in operation.parameters
            if one.place == place
        ]
        if values:
            arguments.append(f"{keyword}={{{', '.join(values)}}}")
    arguments += [f"body={one.name}" for one in operation.parameters if one.place == "body"]
    arguments += [f"answer={quote(operation.answer)}"] if operation.answer else []
    call = f"self._call({', '.join(arguments)})"
    lines = (
        [f"        {call}"]
        if operation.result == "None"
        else [f"        result: {operation.result} = {call}", "        return result"]
    )
    return f'''    def {operation.name}({", ".join(signature)}) -> {operation.result}:
        """`{operation.request}`."""
{join_lines(lines)}'''
