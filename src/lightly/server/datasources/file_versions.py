"""What stands for the bytes of files in listings: a worker knows by it what it has seen before.

Whoever gets a version can use what was found out about bytes without showing them. So it is no tag
of a store, which users with a store of their own could make up, but keyed: by the server, the
place, and the credentials that open it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Self

import orjson

from lightly.server.datasources.models import Datasource
from lightly.server.datasources.service import read_secrets
from lightly.server.datasources.stores import FoundFile
from lightly.server.platform import PlatformState

_VERSION_BYTES = 24
_PURPOSE = "file-version"


@dataclass(frozen=True, repr=False)
class VersionMaker:
    """Makes versions for the files of one datasource.

    Attributes:
        key: Of the datasource as it is configured now.
    """

    key: bytes

    @classmethod
    def open(cls, platform: PlatformState, datasource: Datasource) -> Self:
        """Return what makes versions for a datasource; two of the same content share them."""
        scope = [
            datasource.type,
            datasource.full_path,
            datasource.settings,
            read_secrets(platform, datasource),
        ]
        content = orjson.dumps(scope, option=orjson.OPT_SORT_KEYS)
        return cls(hashlib.blake2b(content, key=platform.keys.derive(_PURPOSE)).digest())

    def make(self, file: FoundFile) -> str | None:
        """Return the version of a file; None if nothing tells when its bytes change."""
        state = file.find_state()
        if state is None:
            return None
        content = f"{file.name}\0{state}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(content, key=self.key, digest_size=_VERSION_BYTES).hexdigest()
