"""Which published client is asking: a few answers have to differ from client to client.

This is the only place that reads the User-Agent. Nothing about access depends on it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header

#: Of clients 1.1 and 1.2, which were made by another generator and give no version.
_SWAGGER_AGENT = "Swagger-Codegen/"
#: Of clients since 1.3.
_VERSIONED_AGENT = re.compile(r"Lightly/(\d{1,4})\.(\d{1,4})")


@dataclass(frozen=True)
class AskingClient:
    """What the User-Agent tells of a client.

    Attributes:
        is_swagger: Whether it is a client of 1.1 or 1.2.
        version: (major, minor) of a client since 1.3; None of everything else.
    """

    is_swagger: bool
    version: tuple[int, int] | None

    @property
    def takes_last_embedding(self) -> bool:
        """Whether it takes the last embedding of a list for the newest; since 1.3 the first."""
        return self.is_swagger

    @property
    def expects_organizations(self) -> bool:
        """Whether it fails without `organizations` in access configurations: up to 1.3."""
        return self.is_swagger or self._is_before(1, 4)

    @property
    def expects_bare_task_schemas(self) -> bool:
        """Whether it takes prediction task schemas as a list: up to 1.3; since 1.4 an object."""
        return self.is_swagger or self._is_before(1, 4)

    @property
    def knows_default_workers(self) -> bool:
        """Whether it knows `isDefault` of workers; 1.4 fails when it meets it."""
        return not (self.is_swagger or self._is_before(1, 5))

    @property
    def knows_log_details(self) -> bool:
        """Whether it knows group, origin and load of log entries; 1.4 fails when it meets them."""
        return not (self.is_swagger or self._is_before(1, 5))

    def _is_before(self, *version: int) -> bool:
        return self.version is not None and self.version < version


def read_user_agent(user_agent: str) -> AskingClient:
    """Return what a User-Agent tells.

    >>> read_user_agent("Lightly/1.4.26 (Linux/6.1; x86_64; ;) python/3.11.4").version
    (1, 4)
    """
    match = _VERSIONED_AGENT.match(user_agent)
    version = (int(match[1]), int(match[2])) if match else None
    return AskingClient(user_agent.startswith(_SWAGGER_AGENT), version)


async def _find_client(
    user_agent: Annotated[str, Header(alias="User-Agent")] = "",
) -> AskingClient:
    return read_user_agent(user_agent)


Client = Annotated[AskingClient, Depends(_find_client)]
