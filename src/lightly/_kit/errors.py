"""The root of all errors of ours.

LightlyError
├── BadInput          the caller's value breaks a rule
├── LimitExceeded     a named limit was crossed
└── (each layer adds its own below its own module)
"""

from __future__ import annotations


class LightlyError(Exception):
    """Something went wrong in Lightly."""

    code = "lightly_error"

    def __init__(self, message: str | None = None, **context: object) -> None:
        super().__init__(message or (self.__doc__ or self.code).strip())
        self.context = context


class BadInput(LightlyError, ValueError):
    """A value breaks a rule. The message names the value, the rule and the remedy."""

    code = "bad_input"


class LimitExceeded(LightlyError):
    """A named limit was crossed."""

    code = "limit_exceeded"
