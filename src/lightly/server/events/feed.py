"""Streams of events: one per open page, all fed by one look at the database.

As long as nothing is committed, by whichever server, nobody is asked (`db.changes`). When something
is, each topic is asked once for all pages of a user that watch it, at most every `LOOK_INTERVAL_S`.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Hashable
from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool

from lightly.server.auth.users import User
from lightly.server.errors import ApiError, NotAuthenticated, TooManyAtOnce, Unavailable
from lightly.server.events.frames import HEARTBEAT, RETRY, write_event, write_gone
from lightly.server.events.topics import Event, Mark, Topic
from lightly.server.platform import PlatformState

log = logging.getLogger("lightly.server")

#: How often it is asked whether anything changed, which costs next to nothing.
LOOK_INTERVAL_S = 0.5
#: How often topics are asked though nothing changed: workers that fall silent commit nothing.
IDLE_INTERVAL_S = 10.0
#: How often a silent stream shows that it lives; then, too, it is asked whether it still may.
HEARTBEAT_S = 15.0
#: Streams of one user: as many windows as somebody works in. Of one server: each takes a socket.
MAX_STREAMS_PER_USER = 24
MAX_STREAMS = 2_000
#: Events that wait for a page which does not take them; then it has to begin again.
MAX_PENDING = 2_000


@dataclass(eq=False)
class Stream:
    """One page that listens. Only the event loop touches it.

    Attributes:
        user_id: Who listens.
        mark: Up to where it was told.
        opened_at_s: When it was opened, by the loop's clock.
    """

    user_id: str
    mark: Mark
    opened_at_s: float
    is_heard: bool = False
    pending: deque[Event | ApiError] = field(default_factory=deque)
    has_news: asyncio.Event = field(default_factory=asyncio.Event)
    is_over: bool = False

    def push(self, events: list[Event] | ApiError) -> None:
        """Add what the page is to be told."""
        self.pending.extend([events] if isinstance(events, ApiError) else events)
        self.is_over = self.is_over or len(self.pending) > MAX_PENDING
        self.has_news.set()

    def end(self) -> None:
        """Let the page connect again."""
        self.is_over = True
        self.has_news.set()

    def take(self) -> bytes:
        """Return what there is to be told, as text of the stream."""
        frames = []
        while self.pending:
            event = self.pending.popleft()
            if isinstance(event, ApiError):
                frames.append(write_gone(event))
                self.is_over = True
            elif event.log_start is None or event.log_start >= self.mark.log_end:
                log_end = self.mark.log_end if event.log_start is None else event.log_end
                self.mark = Mark(max(self.mark.at_ms, event.at_ms), log_end)
                frames.append(write_event(event, self.mark))
        self.has_news.clear()
        return b"".join(frames)


@dataclass(eq=False)
class _Watched:
    """A topic, and who listens."""

    topic: Topic
    streams: set[Stream] = field(default_factory=set)


#: What somebody wants to watch: its name, and how it is made.
Wish = tuple[Hashable, Callable[[User], Topic]]


class Feed:
    """All streams of one server process.

    Args:
        platform: The server.
    """

    def __init__(self, platform: PlatformState) -> None:
        self._platform = platform
        self._lock = threading.Lock()
        self._watched: dict[Hashable, _Watched] = {}
        self._streams: set[Stream] = set()
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_stopped = False

    async def open(self, caller: User, wishes: list[Wish], mark: Mark | None) -> Stream:
        """Begin a stream.

        Args:
            caller: Who listens.
            wishes: What to.
            mark: Up to where the page was told by an earlier stream.

        Raises:
            TooManyAtOnce: If there are too many streams, of this user or of all.
            ApiError: If the user may not watch one of these.
        """
        self._loop = asyncio.get_running_loop()
        of_user = sum(stream.user_id == caller.id for stream in self._streams)
        if of_user >= MAX_STREAMS_PER_USER or len(self._streams) >= MAX_STREAMS:
            raise TooManyAtOnce("Too many pages listen at once. Close some of them.")
        if self._is_stopped:
            raise Unavailable
        stream = Stream(caller.id, mark or Mark(0, 0), self._loop.time())
        self._streams.add(stream)
        try:
            await run_in_threadpool(self._attach, stream, caller, wishes, mark)
        except BaseException:
            self.close(stream)
            raise
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look_again_and_again())
        return stream

    def close(self, stream: Stream) -> None:
        """Forget a stream."""
        self._streams.discard(stream)
        # A look at the database may be under way; it must not keep the event loop.
        for watched in list(self._watched.values()):
            watched.streams.discard(stream)

    def stop(self) -> None:
        """End all streams: the server is about to end. May be called from a signal handler."""
        self._is_stopped = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end_all)

    async def listen(
        self, stream: Stream, renew: Callable[[], object], seconds: float
    ) -> AsyncIterator[bytes]:
        """Yield a stream's text until it is over.

        Args:
            stream: Opened before.
            renew: Raises `NotAuthenticated` when the caller's token or session has ended.
            seconds: How long the stream lasts.
        """
        loop = asyncio.get_running_loop()
        ends_at_s = loop.time() + seconds
        stream.is_heard = True
        try:
            yield RETRY + stream.take()
            while not stream.is_over and (left_s := ends_at_s - loop.time()) > 0:
                try:
                    await asyncio.wait_for(stream.has_news.wait(), min(HEARTBEAT_S, left_s))
                    yield stream.take()
                except TimeoutError:
                    await run_in_threadpool(renew)
                    yield HEARTBEAT
        except (NotAuthenticated, Unavailable):
            # The page asks again and gets the answer that it has to get.
            return
        finally:
            self.close(stream)

    def _attach(self, stream: Stream, caller: User, wishes: list[Wish], mark: Mark | None) -> None:
        with self._lock, self._platform.database.snapshot() as connection:
            self._drop_unheard()
            for name, make in wishes:
                key = (caller, name)
                watched = self._watched.get(key)
                if watched is None:
                    watched = _Watched(make(caller))
                    watched.topic.begin(connection)
                    self._watched[key] = watched
                # In this order, and under the lock: no event is missed, none overtakes another.
                self._tell(self._find_listening(watched), watched.topic.poll(connection))
                self._tell([stream], watched.topic.catch_up(connection, mark))
                watched.streams.add(stream)

    def _drop_unheard(self) -> None:
        """Forget topics that nobody listens to any more. The lock is held."""
        for key, watched in list(self._watched.items()):
            if not self._find_listening(watched):
                del self._watched[key]

    def _find_listening(self, watched: _Watched) -> list[Stream]:
        return [stream for stream in list(watched.streams) if stream in self._streams]

    def _tell(self, streams: list[Stream], events: list[Event] | ApiError) -> None:
        if self._loop is None or not events:
            return
        for stream in streams:
            self._loop.call_soon_threadsafe(stream.push, events)

    async def _look_again_and_again(self) -> None:
        seen: Hashable = None
        for number in itertools.count():
            await asyncio.sleep(LOOK_INTERVAL_S)
            if not self._streams:
                self._watched.clear()
                return
            is_due = number % int(IDLE_INTERVAL_S / LOOK_INTERVAL_S) == 0
            if is_due:
                self._close_unheard()
            try:
                seen = await run_in_threadpool(self._look, None if is_due else seen)
            except ApiError as error:
                log.warning("pages hear no news for now: %s", error)
                await asyncio.sleep(IDLE_INTERVAL_S)

    def _look(self, seen: Hashable) -> Hashable:
        stamp = self._platform.database.stamps.read()
        if stamp == seen:
            return seen
        with self._lock, self._platform.database.snapshot() as connection:
            self._drop_unheard()
            for key, watched in list(self._watched.items()):
                streams = self._find_listening(watched)
                try:
                    self._tell(streams, watched.topic.poll(connection))
                except ApiError as error:
                    self._tell(streams, error)
                    del self._watched[key]
        return stamp

    def _close_unheard(self) -> None:
        """Forget streams of pages that went away before the answer began."""
        before_s = asyncio.get_running_loop().time() - HEARTBEAT_S
        for stream in list(self._streams):
            if not stream.is_heard and stream.opened_at_s < before_s:
                self.close(stream)

    def _end_all(self) -> None:
        for stream in self._streams:
            stream.end()
