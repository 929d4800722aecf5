"""Every route of the application, for tests that walk all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fastapi.routing import APIRoute

from lightly.server.app import ROUTERS


def list_routes() -> Iterator[tuple[str, str]]:
    """Yield (method, path template) of every route that the server serves."""
    for route in _list_api_routes():
        for method in sorted(route.methods or ()):
            yield method, route.path


def find_route(method: str, path: str) -> APIRoute:
    """Return the route of a method and a path template."""
    for route in _list_api_routes():
        if route.path == path and method in (route.methods or ()):
            return route
    raise LookupError(f"the server has no route {method} {path}")


def fill_path(path: str, **values: str) -> str:
    """Return a path with its parameters replaced: those given, else an id of nothing."""
    return re.sub(r"\{(\w+)(:path)?\}", lambda m: values.get(m.group(1), "0123456789ab" * 2), path)


def _list_api_routes() -> Iterator[APIRoute]:
    for router in ROUTERS:
        for route in router.routes:
            if not isinstance(route, APIRoute):
                raise TypeError(f"unknown kind of route: {route}")
            yield route
