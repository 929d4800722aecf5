"""The table of routes finds what trying one route after the other would find."""

from __future__ import annotations

import inspect

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import Match, Route

from lightly.server.app import ROUTERS
from lightly.server.http.route_table import RouteTable

ROUTES = [route for router in ROUTERS for route in router.routes]
TABLE = RouteTable(ROUTES)
SEGMENTS = sorted({part for route in TABLE.routes for part in route.path.split("/")})
METHODS = st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "BREW"])


def make_scope(method, path):
    return {"type": "http", "method": method, "path": path, "headers": []}


def try_one_after_the_other(scope):
    partial = None
    for route in TABLE.routes:
        match, _ = route.matches(scope)
        if match is Match.FULL:
            return match, route
        if match is Match.PARTIAL and partial is None:
            partial = route
    return (Match.NONE, None) if partial is None else (Match.PARTIAL, partial)


def look_up(scope):
    match, child_scope = TABLE.matches(scope)
    return match, child_scope.get("route")


@given(
    METHODS,
    st.lists(st.sampled_from([*SEGMENTS, "", "a1" * 12, "x y"]), max_size=9).map("/".join),
)
def test_any_path_gets_the_route_that_comes_first(method, path):
    scope = make_scope(method, f"/{path}")

    assert look_up(scope) == try_one_after_the_other(scope)


@pytest.mark.parametrize("route", TABLE.routes, ids=lambda route: route.path)
def test_each_route_is_found_as_before(route):
    for method in route.methods:
        path = route.path_format.replace("{", "").replace("}", "")
        scope = make_scope(method, path)

        assert look_up(scope) == try_one_after_the_other(scope)


def test_a_name_may_have_slashes_where_the_route_says_so():
    match, child_scope = TABLE.matches(make_scope("GET", "/blobs/a/b/c"))

    assert match is Match.FULL
    assert child_scope["path_params"] == {"key": "a/b/c"}


def test_the_methods_of_a_path_are_listed_whatever_was_asked():
    assert TABLE.list_methods("/blobs/a/b") == ["GET", "HEAD", "PUT"]
    assert TABLE.list_methods("/nothing/here") == []


def test_only_routes_of_the_api_are_laid_out():
    router = APIRouter(routes=[Route("/page", lambda _request: None)])

    with pytest.raises(TypeError, match="/page"):
        RouteTable(router.routes)


def test_no_parameter_costs_a_change_of_threads():
    # What asks the database has to run in a thread; what only reads the request must not.
    asks_the_database = {"_open_export"}

    assert {call.__name__ for route in TABLE.routes for call in list_blocking(route)} == (
        asks_the_database
    )


def list_blocking(route: APIRoute):
    pending = list(route.dependant.dependencies)
    while pending:
        dependant = pending.pop()
        pending += dependant.dependencies
        if dependant.call is not None and not inspect.iscoroutinefunction(dependant.call):
            yield dependant.call
