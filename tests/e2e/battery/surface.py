"""Finding what is public in a client: nobody has to remember a name."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from types import ModuleType

#: Modules that carry the calls of all others; every method of the client goes through them.
PLUMBING = frozenset({"patch", "retry_utils", "swagger_api_client", "swagger_rest_client"})
CLIENT = "ApiWorkflowClient"
#: Of this package: the modules and classes that its documents or those releases name.
OUR_MODULES = frozenset(
    {"api_workflow_client", "api_workflow_compute_worker", "bitmask", "download", "serve"}
    | {"upload", "utils"}
)
OUR_CLASSES = frozenset({CLIENT, "BitMask", "ComputeWorkerRunInfo"})


class Target:
    """Something public.

    Args:
        owner: The module or class that has it.
        attribute: Its name there.
        name: What it is called in reports.
    """

    def __init__(self, owner: object, attribute: str, name: str) -> None:
        self.owner = owner
        self.attribute = attribute
        self.name = name


def list_targets(*, ours: bool) -> list[Target]:
    """Return all public functions, methods and properties below `lightly.api`.

    Methods of the client are named by themselves, others by class or module: `get_filenames`,
    `BitMask.to_hex`, `download.download_image`.

    Args:
        ours: Whether this is our package, whose other modules are nobody's to call.
    """
    targets: dict[str, Target] = {}
    for module in _import_modules():
        if ours and module.__name__.rpartition(".")[2] not in OUR_MODULES:
            continue
        for name, value in vars(module).items():
            if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
                continue
            found = []
            if inspect.isfunction(value):
                short_name = module.__name__.removeprefix("lightly.api.")
                found = [Target(module, name, f"{short_name}.{name}")]
            elif inspect.isclass(value) and (not ours or name in OUR_CLASSES):
                found = _list_members(value)
            targets |= {target.name: target for target in found}
    return [targets[name] for name in sorted(targets)]


def _import_modules() -> list[ModuleType]:
    package = importlib.import_module("lightly.api")
    modules = []
    for info in pkgutil.walk_packages(package.__path__, "lightly.api."):
        last_name = info.name.rpartition(".")[2]
        if last_name not in PLUMBING and not last_name.startswith("_"):
            modules.append(_import_module(info.name))
    return modules


def _import_module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as missing:
        if missing.name != "torch":
            raise
    # Only the file server of 1.5 needs it, for a list of file extensions.
    stand_ins = importlib.import_module("torch_stand_ins")
    stand_ins.install()
    return importlib.import_module(name)


def _list_members(owner: type) -> list[Target]:
    prefix = "" if owner.__name__ == CLIENT else f"{owner.__name__}."
    return [
        Target(owner, name, f"{prefix}{name}")
        for name in dir(owner)
        if not name.startswith("_") and _is_own(owner, name)
    ]


def _is_own(owner: type, name: str) -> bool:
    """Tell whether a member was written for this package: enums and exceptions inherit many."""
    value = inspect.getattr_static(owner, name)
    if isinstance(value, (classmethod, staticmethod)):
        value = value.__func__
    if isinstance(value, property):
        value = value.fget
    return inspect.isfunction(value) and value.__module__.startswith("lightly.api")
