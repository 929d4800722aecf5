"""What every request can reach: settings, database, blobs, clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from lightly._kit.clock import Clock
from lightly.server.auth.lent_tokens import LentTokens
from lightly.server.auth.token_cache import TokenCache
from lightly.server.auth.users import User
from lightly.server.columns.similarity import OpenVectors
from lightly.server.columns.store import ColumnStore
from lightly.server.datasources.buckets.cache import StoreCache
from lightly.server.db.engine import Database
from lightly.server.errors import NotAuthenticated
from lightly.server.runs.quiet_polls import QuietPolls
from lightly.server.secrets.keys import ServerKeys
from lightly.server.settings import Settings
from lightly.server.storage.blobs import BlobStore
from lightly.server.workers.signs_of_life import SignsOfLife

if TYPE_CHECKING:
    from lightly.server.jobs.service import JobService


@dataclass(frozen=True)
class PlatformState:
    """The parts of one running server."""

    settings: Settings
    database: Database
    blobs: BlobStore
    keys: ServerKeys
    clock: Clock
    jobs: JobService
    token_cache: TokenCache = field(default_factory=TokenCache)
    lent_tokens: LentTokens = field(default_factory=LentTokens)
    quiet_polls: QuietPolls = field(default_factory=QuietPolls)
    signs_of_life: SignsOfLife = field(default_factory=SignsOfLife)
    stores: StoreCache = field(default_factory=StoreCache)
    columns: ColumnStore = field(default_factory=ColumnStore)
    vectors: OpenVectors = field(default_factory=OpenVectors)


async def get_platform(request: Request) -> PlatformState:
    """Return the parts of the server that answers this request.

    Asynchronous like `get_caller`, so that it costs no hop to another thread.
    """
    platform: PlatformState = request.app.state.platform
    return platform


async def get_caller(request: Request) -> User:
    """Return who makes this request. The authentication middleware has set it."""
    caller = request.scope.get("caller")
    if not isinstance(caller, User):
        raise NotAuthenticated
    return caller


Platform = Annotated[PlatformState, Depends(get_platform)]
Caller = Annotated[User, Depends(get_caller)]
