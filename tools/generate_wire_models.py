"""Generate the wire models, and calls that take and return them, from the contract.

    python -m tools.generate_wire_models [--output FOLDER]

Reads `openapi/openapi.json` and rewrites the packages `swagger_client` and `swagger_codegen` below
`src/lightly/openapi_generated`. One schema becomes one module, so that a program that needs one
model does not pay for all. The result depends on the contract alone; a test compares it byte for
byte.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tools.wire_calls import list_classes, render_calls
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

REPOSITORY = Path(__file__).resolve().parent.parent
CONTRACT = REPOSITORY / "openapi" / "openapi.json"
TARGET = REPOSITORY / "src" / "lightly" / "openapi_generated"
MAX_LINE = 100
#: Errors that newer published clients keep in `exceptions`; older ones had the first in `rest`.
EXCEPTIONS = (
    "ApiException",
    "ForbiddenException",
    "NotFoundException",
    "OpenApiException",
    "ServiceException",
    "UnauthorizedException",
)

Schema = Mapping[str, Any]


class ModuleSource:
    """Python source of one generated module: its imports and its body."""

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self._schemas = schemas
        self._imports: dict[str, set[str]] = {}

    def use(self, module: str, name: str) -> str:
        """Import `name` from `module` and return it."""
        self._imports.setdefault(module, set()).add(name)
        return name

    def render(self, body: str) -> str:
        """Return the complete text of the module."""
        groups: dict[str, list[str]] = {}
        for module, names in sorted(self._imports.items()):
            group = module.partition(".")[0] if "." in module or module == "pydantic" else ""
            line = f"from {module} import {', '.join(sorted(names))}"
            groups.setdefault(group, []).append(line)
        # Standard library, then pydantic, then our own.
        ordered = [groups[group] for group in ("", "pydantic", "lightly") if group in groups]
        imports = "\n\n".join("\n".join(lines) for lines in ordered)
        return f"{HEADER}\n{imports}\n\n\n{body}"

    def annotation(self, schema: Schema) -> str:
        """Return the type annotation that accepts exactly what `schema` accepts."""
        if "$ref" in schema:
            return self._reference(schema["$ref"])
        if "oneOf" in schema:
            return " | ".join(self.annotation(option) for option in schema["oneOf"])
        type_name = schema.get("type", "any")
        if isinstance(type_name, list):
            return " | ".join(self.annotation({**schema, "type": one}) for one in type_name)
        render = {
            "any": lambda _: self.use("typing", "Any"),
            "array": self._array,
            "boolean": lambda _: self.use("pydantic", "StrictBool"),
            "integer": self._integer,
            "null": lambda _: "None",
            "number": self._number,
            "object": self._object,
            "string": self._string,
        }
        return render[type_name](schema)

    def _reference(self, reference: str) -> str:
        name = reference.rpartition("/")[2]
        self.use(f"{MODELS}.{to_snake_case(name)}", name)
        if self._schemas[name].get("type") == "integer":
            return self._annotated(name, self.use(f"{ROOT}.wire.values", "INTEGER_ENUM"))
        return name

    def _string(self, schema: Schema) -> str:
        if "enum" in schema:
            values = ", ".join(quote(value) for value in schema["enum"])
            return f"{self.use('typing', 'Literal')}[{values}]"
        rules = {"min_length": schema.get("minLength"), "max_length": schema.get("maxLength")}
        if "pattern" in schema:
            # The contract escapes slashes as JavaScript wants it.
            rules["pattern"] = schema["pattern"].replace("\\/", "/")
        if not _arguments(rules):
            return self.use("pydantic", "StrictStr")
        constraints = self.use("pydantic", "StringConstraints")
        return self._annotated("str", f"{constraints}({_arguments({'strict': True, **rules})})")

    def _integer(self, schema: Schema) -> str:
        bounds = _bounds(schema)
        if not _arguments(bounds):
            return self.use("pydantic", "StrictInt")
        field = self.use("pydantic", "Field")
        return self._annotated("int", f"{field}({_arguments({'strict': True, **bounds})})")

    def _number(self, schema: Schema) -> str:
        number = self.use(f"{ROOT}.wire.values", "Number")
        return self._annotated("float", f"{number}({_arguments(_bounds(schema))})")

    def _array(self, schema: Schema) -> str:
        items = f"list[{self.annotation(schema['items'])}]"
        sizes = _arguments(
            {"min_length": schema.get("minItems"), "max_length": schema.get("maxItems")}
        )
        rules = [f"{self.use('pydantic', 'Field')}({sizes})"] if sizes else []
        if schema.get("uniqueItems"):
            rules.append(f"{self.use(f'{ROOT}.wire.values', 'UniqueItems')}()")
        return self._annotated(items, *rules) if rules else items

    def _object(self, schema: Schema) -> str:
        values = schema.get("additionalProperties", True)
        text = self.annotation({} if values is True else values)
        return f"dict[{self.use('pydantic', 'StrictStr')}, {text}]"

    def _annotated(self, base: str, *rules: str) -> str:
        return f"{self.use('typing', 'Annotated')}[{', '.join([base, *rules])}]"


def render_schema(name: str, schema: Schema, schemas: Mapping[str, Schema]) -> str:
    """Return the text of the module of one schema."""
    module = ModuleSource(schemas)
    if "enum" in schema:
        return module.render(render_enum(name, schema, module))
    if "oneOf" in schema:
        return module.render(render_union(name, schema, module))
    return module.render(render_object(name, schema, module))


def render_enum(name: str, schema: Schema, module: ModuleSource) -> str:
    """Return an enum class whose members compare equal to what is on the wire."""
    base = module.use("enum", "IntEnum" if schema["type"] == "integer" else "StrEnum")
    members = {enum_member(value): value for value in schema["enum"]}
    aliases = {
        enum_member(value, spell_out=False): value
        for value in schema["enum"]
        if isinstance(value, str)
    }
    lines = [f"    {member} = {quote(value)}" for member, value in (members | aliases).items()]
    return f'class {name}({base}):\n    """`{name}` of the wire contract."""\n\n' + join_lines(
        lines
    )


def render_union(name: str, schema: Schema, module: ModuleSource) -> str:
    """Return a class that holds one of several objects."""
    base = module.use(f"{ROOT}.wire.model", "WireUnion")
    options = "\n    | ".join(module.annotation(option) for option in schema["oneOf"])
    if "discriminator" in schema:
        field = module.use("pydantic", "Field")
        rule = f"{field}(discriminator={quote(schema['discriminator']['propertyName'])})"
        options = f"{module.use('typing', 'Annotated')}[\n    {options},\n    {rule}\n    ]"
    return f'class {name}({base}[\n    {options}\n]):\n    """`{name}` of the wire contract."""\n'


def render_object(name: str, schema: Schema, module: ModuleSource) -> str:
    """Return a model class."""
    base = module.use(f"{ROOT}.wire.model", "WireModel")
    is_open = schema.get("additionalProperties") is not False
    head = f"class {name}({base}{', extra=' + quote('allow') if is_open else ''}):"
    fields = [
        render_field(wire_name, field, wire_name in schema.get("required", ()), module)
        for wire_name, field in schema.get("properties", {}).items()
    ]
    return f'{head}\n    """`{name}` of the wire contract."""\n\n' + join_lines(fields)


def render_field(wire_name: str, schema: Schema, is_required: bool, module: ModuleSource) -> str:
    """Return one attribute of a model.

    Optional fields take null like the published clients do, and stay off the wire when None.
    Required fields that may be null are always written, but may be missing from what is read:
    published clients leave them out.
    """
    attribute = attribute_name(wire_name)
    annotation = module.annotation(schema)
    takes_null = annotation == "Any" or annotation.endswith("| None")
    options = {"alias": quote(wire_name)} if attribute != wire_name else {}
    if not is_required or takes_null:
        annotation = annotation if takes_null else f"{annotation} | None"
        options["default"] = repr(schema["default"]) if "default" in schema else "None"
    if not is_required:
        options["exclude_if"] = module.use(f"{ROOT}.wire.values", "is_none")
    if not options:
        return f"    {attribute}: {annotation}"
    if list(options) == ["default"]:
        return f"    {attribute}: {annotation} = {options['default']}"
    arguments = ", ".join(f"{key}={value}" for key, value in options.items())
    head = f"    {attribute}: {annotation} = {module.use('pydantic', 'Field')}("
    if len(head) + len(arguments) < MAX_LINE:
        return f"{head}{arguments})"
    return f"{head}\n        {arguments}\n    )"


def render_models_package(names: Iterable[str]) -> str:
    """Return the `__init__.py` of the models: names are imported when first used."""
    docstring = "Objects and enums of the wire contract; each is imported when first used."
    return render_lazy_package(docstring, MODELS, sorted(names))


def render_alias_package(docstring: str) -> str:
    """Return an `__init__.py` that offers all names of the models package."""
    return f'''{HEADER}
"""{docstring}"""

from typing import TYPE_CHECKING

from {MODELS} import __all__ as __all__
from {ROOT}.wire.exports import export_lazily

if TYPE_CHECKING:
    from {MODELS} import *
else:
    __getattr__, __dir__ = export_lazily(__name__, dict.fromkeys(__all__, "{MODELS}"))
'''


def render_exceptions(names: Iterable[str]) -> str:
    """Return a module that offers errors where programs look for them."""
    imports = [f"from {ROOT}.wire.exceptions import {name} as {name}" for name in names]
    return f"{HEADER}\n{join_lines(imports)}"


def enum_member(value: str | int, *, spell_out: bool = True) -> str:
    """Return the member name for an enum value.

    Newer published clients spell out hyphens and set digits off (`US_MINUS_EAST_MINUS_1`); with
    `spell_out=False` the older plain form (`US_EAST_1`).
    """
    if isinstance(value, int):
        return f"NUMBER_{value}"
    if spell_out:
        value = re.sub(r"_(\d)([A-Z])", r"_\1_\2", value.replace("-", "_MINUS_"))
    return re.sub(r"\W", "_", value).strip("_").upper()


def _bounds(schema: Schema) -> dict[str, Any]:
    keywords = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum"}
    return {name: schema.get(keyword_) for name, keyword_ in keywords.items()}


def _arguments(values: Mapping[str, Any]) -> str:
    texts = {
        # Backslashes are common in patterns, quotes do not occur.
        name: f'r"{value}"' if isinstance(value, str) else repr(value)
        for name, value in values.items()
        if value is not None
    }
    return ", ".join(f"{name}={text}" for name, text in texts.items())


def read_document(contract: Path) -> dict[str, Any]:
    """Return the contract."""
    document: dict[str, Any] = json.loads(contract.read_text("utf-8"))
    return document


def read_schemas(contract: Path) -> dict[str, Schema]:
    """Return the schemas that are part of the contract, without helpers of its generator."""
    schemas = read_document(contract)["components"]["schemas"]
    return {
        name: schema for name, schema in schemas.items() if "x-generator-artifact" not in schema
    }


def render_all(schemas: Mapping[str, Schema]) -> Iterator[tuple[str, str]]:
    """Yield path below the target folder and text of every generated file."""
    yield "swagger_client/models/__init__.py", render_models_package(schemas)
    old_name = "The wire models under the name that older documentation used."
    yield "swagger_codegen/models/__init__.py", render_alias_package(old_name)
    for package in ("swagger_client", "swagger_codegen"):
        yield f"{package}/exceptions.py", render_exceptions(EXCEPTIONS)
        yield f"{package}/rest.py", render_exceptions(["ApiException"])
    for name, schema in schemas.items():
        module = to_snake_case(name)
        yield f"swagger_client/models/{module}.py", render_schema(name, schema, schemas)
        alias = f"{HEADER}\nfrom {MODELS}.{module} import {name} as {name}\n"
        yield f"swagger_codegen/models/{module}.py", alias


def render_roots(classes: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the packages that offer everything: models, calls, the error of all calls."""
    docstrings = {
        "swagger_client": "Wire models, calls that take and return them, and their errors.",
        "swagger_codegen": "The same as `swagger_client`, as older documentation spelled it.",
    }
    modules = {name: f"{CALLS}.{to_snake_case(name)}" for name in classes}
    modules["ApiException"] = f"{ROOT}.wire.exceptions"
    for package, docstring in docstrings.items():
        yield f"{package}/__init__.py", render_root(docstring, modules)


def render_root(docstring: str, modules: Mapping[str, str]) -> str:
    """Return an `__init__.py` that offers all models and the names of `modules`."""
    imports = [
        f"    from {module} import {name} as {name}" for name, module in sorted(modules.items())
    ]
    entries = [f'    "{name}": "{module}",' for name, module in sorted(modules.items())]
    return f'''{HEADER}
"""{docstring}"""

from typing import TYPE_CHECKING

from {MODELS} import __all__ as _MODEL_NAMES
from {ROOT}.wire.exports import export_lazily

_MODULE_OF_NAME = {{
    **dict.fromkeys(_MODEL_NAMES, "{MODELS}"),
{join_lines(entries)}}}

__all__ = list(_MODULE_OF_NAME)

if TYPE_CHECKING:
    from {MODELS} import *
{join_lines(imports)}
_SUBMODULES = ("api", "exceptions", "models", "rest")

if not TYPE_CHECKING:
    __getattr__, __dir__ = export_lazily(__name__, _MODULE_OF_NAME, _SUBMODULES)
'''


def write_models(contract: Path, target: Path) -> None:
    """Replace the generated packages below `target`."""
    for package in ("swagger_client", "swagger_codegen"):
        shutil.rmtree(target / package, ignore_errors=True)
    document = read_document(contract)
    files = itertools.chain(
        render_all(read_schemas(contract)),
        render_roots(list_classes(document)),
        render_calls(document),
    )
    for path, text in files:
        file = target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")


def main() -> None:
    """Run as a program."""
    parser = argparse.ArgumentParser(description="Generate the wire models from the contract.")
    parser.add_argument("--output", type=Path, default=TARGET, help="folder of the packages")
    write_models(CONTRACT, parser.parse_args().output)


if __name__ == "__main__":
    main()
