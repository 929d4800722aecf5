"""What lies where in a backup: a tar file of Parquet tables, objects and a closing seal.

    manifest.json          format, schema, tables
    keys/NAME              key files of the data folder, unless they were left out
    tables/NAME.parquet    rows in no promised order
    objects/KEY            bytes
    complete.json          counts; the last member, so a file without it was cut off

Tables do not depend on the database that they came from: SQLite goes in, PostgreSQL comes out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import orjson

from lightly._kit.errors import BadInput
from lightly.server.secrets.keys import KEY_FILE
from lightly.server.secrets.sealing import KEYS_FILE

FORMAT = 1
MANIFEST = "manifest.json"
KEYS = "keys/"
TABLES = "tables/"
OBJECTS = "objects/"
SEAL = "complete.json"
#: What lies in the data folder and is in no database: without it tokens and secrets are lost.
KEY_FILES = (KEY_FILE, KEYS_FILE)
#: Rows that are held in memory at once.
CHUNK_ROWS = 10_000

#: Told what is being done and how many of it are done.
Progress = Callable[[str, int], None]


class BackupInvalid(BadInput):
    """This file is not a whole backup."""


@dataclass(frozen=True)
class Manifest:
    """What a backup begins with.

    Attributes:
        format: Of this layout.
        release: Of the software that wrote it.
        schema: Revision of the database's schema.
        key_fingerprint: Tells whether a key is the server's, and nothing else.
        created_at_ms: When.
        tables: Names in the order in which rows can be inserted.
    """

    format: int
    release: str
    schema: str
    key_fingerprint: str
    created_at_ms: int
    tables: tuple[str, ...]

    def write(self) -> bytes:
        """Return it as JSON."""
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2)


def read_manifest(content: bytes) -> Manifest:
    """Return the manifest.

    Raises:
        BackupInvalid: If it is none, or of a newer layout.
    """
    try:
        values = orjson.loads(content)
        manifest = Manifest(**{**values, "tables": tuple(values["tables"])})
    except (orjson.JSONDecodeError, TypeError, KeyError) as error:
        raise BackupInvalid from error
    if manifest.format != FORMAT:
        raise BackupInvalid(
            f"This backup has layout {manifest.format}, this release reads {FORMAT}. "
            "Use the release that wrote it."
        )
    return manifest
