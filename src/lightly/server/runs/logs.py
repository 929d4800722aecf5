"""The log of a run: appended by whoever works on it, read from a position on, bounded in size.

The position of an entry never changes. When a log becomes too long its oldest entries go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa

from lightly.openapi_generated.swagger_client.models.docker_run_log_create_entry_data import (
    DockerRunLogCreateEntryData,
)
from lightly.server.auth.users import User
from lightly.server.db.engine import insert_rows
from lightly.server.db.run_tables import run_log_entries
from lightly.server.errors import MalformedRequest, PayloadTooLarge
from lightly.server.http.requests import decode_json, parse_body
from lightly.server.jobs.repository import read_database_ms
from lightly.server.platform import PlatformState
from lightly.server.runs import log_repository
from lightly.server.runs.access import load_run, load_run_to_write
from lightly.server.runs.lifetimes import extend_contract_lease
from lightly.server.runs.models import Run
from lightly.server.runs.texts import clean_text

#: Most entries of one request.
MAX_ENTRIES = 10_000
#: Most that is kept of one run: a day of a chatty worker. The oldest quarter goes when it is full.
MAX_LOG_BYTES = 32 * 1024 * 1024
#: Most of one answer; who reads goes on with its cursor.
MAX_ANSWER_BYTES = 4 * 1024 * 1024
MAX_ORIGIN_CHARACTERS = 255
#: Where entries of the server itself say that they come from.
SERVER_GROUP = "server"
_COLUMNS = ["run_id", "number", "size_bytes", "entry_json"]
#: Positions that no log reaches; databases refuse numbers of more than 64 bits.
_MAX_CURSOR = 2**53


@dataclass(frozen=True)
class LogEntry:
    """What happened.

    Attributes:
        ts: When, milliseconds, by the clock of who says it.
        level: A word of the contract's `DockerRunLogLevel`.
        msg: For people.
        group: What kind of thing it is about.
        origin: Which part of the worker says it.
        state: Of the run at that moment; None for its present one.
        load: Use of processor and memory, percent.
    """

    ts: int
    level: str
    msg: str
    group: str = SERVER_GROUP
    origin: str | None = None
    state: str | None = None
    load: dict[str, float] | None = None


class LogPart(NamedTuple):
    """Some entries as JSON text, and the position behind them."""

    cursor: int
    entries: list[str]


def append_log(platform: PlatformState, caller: User, run_id: str, body: bytes) -> None:
    """Append the entries of a request to the log of a run; errors as in `load_run_to_write`."""
    entries = _read_entries(body)
    with platform.database.write() as connection:
        run = load_run_to_write(connection, caller, run_id)
        append_entries(connection, run, entries)
        extend_contract_lease(connection, platform.settings, run, read_database_ms(connection))


def read_log(platform: PlatformState, caller: User, run_id: str, cursor: int) -> LogPart:
    """Return what the log of a run has from a position on, up to `MAX_ANSWER_BYTES`.

    Args:
        platform: The server.
        caller: Who asks.
        run_id: The run.
        cursor: The position, 0 for the beginning.
    """
    with platform.database.read() as connection:
        run = load_run(connection, caller, run_id)
        start = min(cursor, run.log_end, _MAX_CURSOR)
        rows = log_repository.list_entries(connection, run_id, start, MAX_ANSWER_BYTES)
    if not rows:
        return LogPart(start, [])
    texts = [text for _, text in rows]
    first_number = rows[0][0]
    if start < first_number:
        texts.insert(0, _tell_dropped(first_number - start, texts[0]))
    return LogPart(rows[-1][0] + 1, texts)


def append_entries(connection: sa.Connection, run: Run, entries: Sequence[LogEntry]) -> None:
    """Append to the log of a run.

    Args:
        connection: An open write transaction.
        run: The run; its state is what entries without one get.
        entries: In their order.
    """
    if not entries:
        return
    texts = [_write_entry(entry, run.state) for entry in entries]
    sizes = [len(text.encode()) for text in texts]
    place = log_repository.reserve(connection, run.id, len(entries), sum(sizes))
    rows = [
        (run.id, place.start + number, size, text)
        for number, (size, text) in enumerate(zip(sizes, texts, strict=True))
    ]
    insert_rows(connection, run_log_entries, _COLUMNS, rows)
    if place.kept_bytes > MAX_LOG_BYTES:
        log_repository.trim(connection, run.id, place.kept_bytes - 3 * MAX_LOG_BYTES // 4)


def _read_entries(body: bytes) -> list[LogEntry]:
    content = decode_json(body)
    if not isinstance(content, list):
        raise MalformedRequest("body: a list of log entries is expected.")
    if len(content) > MAX_ENTRIES:
        raise PayloadTooLarge(f"At most {MAX_ENTRIES} log entries go into one request.")
    return [_read_entry(item) for item in content]


def _read_entry(item: object) -> LogEntry:
    entry = parse_body(DockerRunLogCreateEntryData, item)
    load = entry.load.to_dict(by_alias=True) if entry.load else None
    return LogEntry(
        ts=entry.ts,
        level=entry.level.value,
        msg=entry.msg,
        group=entry.group,
        origin=entry.origin,
        state=entry.state.value if entry.state else None,
        load={name: value for name, value in (load or {}).items() if value is not None} or None,
    )


def _write_entry(entry: LogEntry, state: str) -> str:
    content: dict[str, Any] = {
        "ts": entry.ts,
        "level": entry.level,
        "group": clean_text(entry.group, MAX_ORIGIN_CHARACTERS),
        "msg": clean_text(entry.msg),
        "state": entry.state or state,
    }
    if entry.origin is not None:
        content["origin"] = clean_text(entry.origin, MAX_ORIGIN_CHARACTERS)
    if entry.load is not None:
        content["load"] = entry.load
    return orjson.dumps(content).decode()


def _tell_dropped(count: int, next_entry: str) -> str:
    following = orjson.loads(next_entry)
    entry = LogEntry(
        ts=following["ts"],
        level="WARNING",
        msg=f"{count} older entries are gone: at most {MAX_LOG_BYTES} bytes of a log are kept.",
    )
    return _write_entry(entry, following["state"])
