"""Checksums that stores send along with a file."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping

_GOOGLE_MD5 = re.compile(r"md5=([A-Za-z0-9+/]{22}==)")
_MD5_BYTES = 16
_ENCODINGS, _AS_IT_IS = ("Content-Encoding", "x-goog-stored-content-encoding"), "identity"


def find_announced_md5(headers: Mapping[str, str]) -> str | None:
    """Return the MD5 that a store says the whole file has, in hex; None if it says nothing.

    Tags of S3 look like one and are another thing for encrypted objects, so they do not count. Nor
    does that of a file which the store keeps compressed and unpacks on its way.

    Args:
        headers: Of the answer.

    Source: `x-goog-hash` of Cloud Storage; `Content-MD5` of Azure.

    >>> find_announced_md5({"x-goog-hash": "crc32c=AAAAAA==,md5=1B2M2Y8AsgTpgAmY7PhCfg=="})
    'd41d8cd98f00b204e9800998ecf8427e'
    >>> find_announced_md5({"Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg==", "Content-Encoding": "gzip"})
    """
    if any(headers.get(name, _AS_IT_IS) != _AS_IT_IS for name in _ENCODINGS):
        return None
    google = _GOOGLE_MD5.search(headers.get("x-goog-hash", ""))
    text = google[1] if google else headers.get("Content-MD5", "")
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return content.hex() if len(content) == _MD5_BYTES else None
