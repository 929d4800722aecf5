"""Finding the route of a request without trying all of them.

The framework tries one route after the other. With two hundred of them that costs more than most
answers do, so they are laid out by the segments of their paths, and only those are tried that have
the same ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send


@dataclass
class _Node:
    """What follows a beginning of paths.

    Attributes:
        ending: Routes that end here, each with its place among all.
        open_ended: Routes whose last parameter takes whatever follows, slashes included.
        named: What follows, by the next segment.
        any_name: What follows a parameter.
    """

    ending: list[tuple[int, APIRoute]] = field(default_factory=list)
    open_ended: list[tuple[int, APIRoute]] = field(default_factory=list)
    named: dict[str, _Node] = field(default_factory=dict)
    any_name: _Node | None = None


class RouteTable(BaseRoute):
    """Serves many routes as if they were tried in their order.

    Args:
        routes: All routes; of those that take the same request the first one gets it.
    """

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self.routes = [_check_kind(route) for route in routes]
        self._root = _Node()
        for place, route in enumerate(self.routes):
            self._add(place, route)

    def list_methods(self, path: str) -> list[str]:
        """Return the methods that a path takes."""
        found = (route for route in self._find(path) if route.path_regex.match(path))
        return sorted({method for route in found for method in route.methods or ()})

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return how well a request fits the best route, and what that route says of it."""
        if scope["type"] != "http":
            return Match.NONE, {}
        best: tuple[Match, Scope] = (Match.NONE, {})
        for route in self._find(scope["path"]):
            match, child_scope = route.matches(scope)
            if match is Match.FULL:
                return match, child_scope
            if match is Match.PARTIAL and best[0] is Match.NONE:
                best = (match, child_scope)
        return best

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that fits one of the routes."""
        await scope["route"].handle(scope, receive, send)

    def _add(self, place: int, route: APIRoute) -> None:
        node = self._root
        for segment in route.path.split("/"):
            if "{" not in segment:
                node = node.named.setdefault(segment, _Node())
            elif ":path}" in segment:
                node.open_ended.append((place, route))
                return
            else:
                node.any_name = node.any_name or _Node()
                node = node.any_name
        node.ending.append((place, route))

    def _find(self, path: str) -> list[APIRoute]:
        """Return the routes that may take a path, in their order."""
        found = sorted(_walk(self._root, path.split("/"), 0), key=lambda entry: entry[0])
        return [route for _place, route in found]


def _check_kind(route: BaseRoute) -> APIRoute:
    if not isinstance(route, APIRoute):
        raise TypeError(f"Only routes of the API can be laid out, not {route!r}.")
    return route


def _walk(node: _Node, segments: list[str], position: int) -> Iterator[tuple[int, APIRoute]]:
    yield from node.open_ended
    if position == len(segments):
        yield from node.ending
        return
    named = node.named.get(segments[position])
    if named is not None:
        yield from _walk(named, segments, position + 1)
    if node.any_name is not None:
        yield from _walk(node.any_name, segments, position + 1)
