"""Counting what was called, and keeping what came of it."""

from __future__ import annotations

import functools
import inspect
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from battery.surface import Target

Step = Callable[[Any], None]
Line = tuple[int, int]
FIRST: Line = (1, 1)
LAST: Line = (9, 9)
#: Stands for this package, which has what every release has.
OURS: Line = (2, 0)


@dataclass(frozen=True)
class Lines:
    """Which release lines something is for.

    Attributes:
        since: The first one.
        until: The last one.
        ours: Whether it is for this package too, even if that is beyond `until`.
    """

    since: Line
    until: Line
    ours: bool

    def __contains__(self, line: Line) -> bool:
        return self.since <= line <= self.until or (self.ours and line == OURS)


#: In the order of their definition.
STEPS: list[tuple[Lines, tuple[str, ...], Step]] = []
#: What cannot work, whatever a server does: name and reason.
IMPOSSIBLE: list[tuple[Lines, str, str]] = []


def step(
    *names: str, since: Line = FIRST, until: Line = LAST, ours: bool = False
) -> Callable[[Step], Step]:
    """Register a function that calls some public names and asserts what they do.

    Args:
        names: What the function calls itself, not through something else that it calls.
        since: The first release line that it is for.
        until: The last one.
        ours: Whether it is for this package too.
    """

    def register(function: Step) -> Step:
        assert "assert" in inspect.getsource(function), f"{function.__name__} asserts nothing"
        STEPS.append((Lines(since, until, ours), names, function))
        return function

    return register


def cannot_work(name: str, reason: str, *, since: Line = FIRST, until: Line = LAST) -> None:
    """Note why a name cannot work against any server; a step calls it all the same."""
    IMPOSSIBLE.append((Lines(since, until, ours=False), name, reason))


class Ledger:
    """What of a client was called, and how it ended.

    Args:
        targets: Everything public; each is replaced by itself with a counter around it.
    """

    def __init__(self, targets: list[Target]) -> None:
        self.outcomes: dict[str, str | None] = {target.name: "was not called" for target in targets}
        self._called: set[str] = set()
        self._depth = 0
        for target in targets:
            self._wrap(target)

    def run(self, line: Line, world: object) -> None:
        """Run all steps for a release line."""
        for lines, names, function in STEPS:
            if line in lines:
                self._run_step(names, function, world)
        for lines, name, reason in IMPOSSIBLE:
            if line in lines and self.outcomes.get(name, "") is None:
                self.outcomes[name] = f"cannot work: {reason}"

    def _run_step(self, names: tuple[str, ...], function: Step, world: object) -> None:
        self._called.clear()
        self._depth = 0
        failure = None
        try:
            function(world)
        except Exception as error:  # noqa: BLE001  one failing step must not hide the others
            traceback.print_exc()
            failure = f"{function.__name__}: {type(error).__name__}: {str(error)[:500]}"
        # Of other release lines, names may be missing.
        for name in self.outcomes.keys() & set(names):
            if failure is not None:
                self.outcomes[name] = failure
            elif name in self._called:
                self.outcomes[name] = None
            else:
                self.outcomes[name] = f"{function.__name__} does not call it"

    def _wrap(self, target: Target) -> None:
        value = inspect.getattr_static(target.owner, target.attribute)
        wrapped: object
        if isinstance(value, property):
            wrapped = property(
                self._count(target.name, value.fget),
                value.fset and self._count(target.name, value.fset),
            )
        elif isinstance(value, (classmethod, staticmethod)):
            wrapped = type(value)(self._count(target.name, value.__func__))
        else:
            wrapped = self._count(target.name, value)
        setattr(target.owner, target.attribute, wrapped)

    def _count(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def counted(*args: Any, **kwargs: Any) -> Any:
            # What the client calls by itself, also in its threads, is not called by a step.
            if threading.current_thread() is not threading.main_thread():
                return function(*args, **kwargs)
            if self._depth == 0:
                self._called.add(name)
            self._depth += 1
            try:
                return function(*args, **kwargs)
            finally:
                self._depth -= 1

        return counted
