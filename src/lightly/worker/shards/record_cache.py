"""What is known of images from earlier runs, found again by their bytes and by nothing less.

A record is kept under the SHA-256 of the bytes and everything else that decides about it. So that
known files need not even be read, the version that a listing gives for a file leads to that digest.
Nothing is ever found by a name alone. Each record carries a checksum, so a broken one is a miss.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import struct
import time
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from lightly import __version__
from lightly.worker.shards.cache_file import CacheFile
from lightly.worker.shards.records import GOOD, FileRecord, list_columns, read_row, write_row
from lightly.worker.sources.file_list import InputFile

_KEYS_PER_QUERY = 500
#: How exactly it is known when a record was last used.
_USE_RESOLUTION_S = 24 * 3600
#: What decodes and computes: another version may give other pixels or other vectors.
_LIBRARIES = ("numpy", "onnxruntime", "opencv-python-headless", "pillow", "simplejpeg")
_CHECK_BYTES = 16
_HEADER = struct.Struct("<I")
#: Columns that say under which name, and that, a record was found.
_NOT_KEPT = frozenset({"name", "outcome", "reason", "sha256"})


class RecordCache:
    """Records of good images; may be used from several threads.

    Args:
        path: The file; made if it is not there.
        purpose: What decides about a record beside the bytes: the version of the kernel, the model.
        limit_bytes: How large the file may become.
    """

    def __init__(self, path: Path, *, purpose: str, limit_bytes: int) -> None:
        self._file = CacheFile(path, limit_bytes)
        self._purpose = _hash(purpose, *list_libraries(), *_COLUMNS)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def find_versions(self, files: Sequence[InputFile]) -> dict[str, FileRecord]:
        """Return records by name of those files whose bytes are known without reading them."""
        keys = {file.name: _hash(file.version) for file in files if file.version}
        query = "SELECT version, digest FROM versions WHERE version IN"
        digests = dict(self._select(query, (), set(keys.values())))
        return self._find({name: digests[key] for name, key in keys.items() if key in digests})

    def find_digest(self, name: str, digest: bytes) -> FileRecord | None:
        """Return the record of bytes by their SHA-256, under a name; None if it is not known."""
        return self._find({name: digest}).get(name)

    def keep(self, found: Iterable[tuple[InputFile, FileRecord]]) -> None:
        """Remember good records; of others nothing is known that will be true tomorrow."""
        good = [(file, record) for file, record in found if record.outcome == GOOD]
        versions = [(_hash(file.version), record.sha256) for file, record in good if file.version]
        contents = {one.sha256: self._pack(one) for _, one in good}
        now_s = int(time.time())

        def insert(connection: sqlite3.Connection) -> None:
            for digest, content in contents.items():
                key = (digest, self._purpose)
                known = "SELECT content_id FROM entries WHERE digest = ? AND purpose = ?"
                for (content_id,) in connection.execute(known, key).fetchall():
                    connection.execute("DELETE FROM contents WHERE id = ?", (content_id,))
                stored = connection.execute("INSERT INTO contents (content) VALUES (?)", (content,))
                connection.execute(
                    "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)",
                    (*key, stored.lastrowid, now_s),
                )
            connection.executemany("INSERT OR REPLACE INTO versions VALUES (?, ?)", versions)

        if good:
            self._file.write(insert)

    def keep_versions(self, found: Iterable[tuple[InputFile, FileRecord]]) -> None:
        """Note under which versions known bytes lie now."""
        rows = [(_hash(file.version), record.sha256) for file, record in found if file.version]
        if rows:
            insert = "INSERT OR REPLACE INTO versions VALUES (?, ?)"
            self._file.write(lambda connection: connection.executemany(insert, rows))

    def _find(self, wanted: Mapping[str, bytes]) -> dict[str, FileRecord]:
        query = (
            "SELECT digest, used_s, content FROM entries JOIN contents ON contents.id = content_id"
            " WHERE purpose = ? AND digest IN"
        )
        rows = self._select(query, (self._purpose,), set(wanted.values()))
        contents = {digest: content for digest, _, content in rows}
        self._note_use([digest for digest, used_s, _ in rows if _is_long_ago(used_s)])
        found = {}
        for name, digest in wanted.items():
            record = self._unpack(contents.get(digest), digest, name)
            if record is not None:
                found[name] = record
        return found

    def _select(self, query: str, first: Sequence[bytes], keys: set[bytes]) -> list[Any]:
        ordered = sorted(keys)

        def select(connection: sqlite3.Connection) -> list[Any]:
            rows: list[Any] = []
            for start in range(0, len(ordered), _KEYS_PER_QUERY):
                piece = ordered[start : start + _KEYS_PER_QUERY]
                marks = ",".join("?" * len(piece))
                rows += connection.execute(f"{query} ({marks})", (*first, *piece)).fetchall()
            return rows

        return self._file.read(select, [])

    def _note_use(self, digests: Sequence[bytes]) -> None:
        if digests:
            update = "UPDATE entries SET used_s = ? WHERE digest = ? AND purpose = ?"
            rows = [(int(time.time()), digest, self._purpose) for digest in digests]
            self._file.write(lambda connection: connection.executemany(update, rows))

    def _pack(self, record: FileRecord) -> bytes:
        row = {name: value for name, value in write_row(record).items() if name not in _NOT_KEPT}
        blobs = {name: value for name, value in row.items() if isinstance(value, bytes)}
        texts = {name: value for name, value in row.items() if name not in blobs}
        sizes = [(name, len(value)) for name, value in blobs.items()]
        header = json.dumps([texts, sizes]).encode()
        content = b"".join([_HEADER.pack(len(header)), header, *blobs.values()])
        return self._sign(record.sha256, content) + content

    def _unpack(self, stored: bytes | None, digest: bytes, name: str) -> FileRecord | None:
        """Return a record; None if there is none, or what is stored is not what was written."""
        content = memoryview(stored or b"")[_CHECK_BYTES:]
        if not stored or self._sign(digest, content) != stored[:_CHECK_BYTES]:
            return None
        start = _HEADER.size
        end = start + _HEADER.unpack_from(content)[0]
        texts, sizes = json.loads(bytes(content[start:end]))
        row = {**texts, "name": name, "outcome": GOOD, "sha256": digest}
        for column, size in sizes:
            row[column] = bytes(content[end : end + size])
            end += size
        return read_row(row)

    def _sign(self, digest: bytes, content: bytes | memoryview) -> bytes:
        """Return a checksum that also tells records of others from the wanted one."""
        check = hashlib.blake2b(digest, digest_size=_CHECK_BYTES, key=self._purpose)
        check.update(content)
        return check.digest()


_COLUMNS = tuple(list_columns())


def list_libraries() -> tuple[str, ...]:
    """Return the versions of everything that decodes and computes on this machine."""
    return (__version__, *map(_find_version, _LIBRARIES))


def _hash(*texts: str) -> bytes:
    parts = (text.encode("utf-8", "surrogateescape") for text in texts)
    return hashlib.sha256(b"\0".join(parts)).digest()


def _find_version(library: str) -> str:
    try:
        return f"{library} {version(library)}"
    except PackageNotFoundError:
        return library


def _is_long_ago(used_s: int) -> bool:
    return used_s < time.time() - _USE_RESOLUTION_S
