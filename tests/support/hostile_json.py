"""Bodies that no honest client sends."""

from __future__ import annotations

import gzip
import json
from typing import Any

_DEPTH = 100_000
_DIGITS = 10_000

#: Never the JSON that a route of the contract takes: each must be refused with a 4xx.
HOSTILE_BODIES: dict[str, bytes] = {
    "empty": b"",
    "blank": b" \n ",
    "null": b"null",
    "number": b"1",
    "string": b'"text"',
    "list": b"[]",
    "list of objects": b'[{"name": "birds"}]',
    "empty object in a list, deep": b"[" * 900 + b"{}" + b"]" * 900,
    "brackets that never close": b"[" * _DEPTH,
    "braces that never close": b'{"a":' * _DEPTH,
    "deep lists": b"[" * _DEPTH + b"]" * _DEPTH,
    "deep objects": b'{"a":' * _DEPTH + b"1" + b"}" * _DEPTH,
    "deep under a name": b'{"name":' + b"[" * _DEPTH + b"]" * _DEPTH + b"}",
    "NaN": b'{"name": NaN}',
    "infinity": b'{"name": -Infinity}',
    "more than a double": b'{"name": 1e999}',
    "many digits": b'{"name": ' + b"9" * _DIGITS + b"}",
    "many digits after the point": b'{"name": 0.' + b"9" * _DIGITS + b"}",
    "many digits in the exponent": b'{"name": 1e' + b"9" * _DIGITS + b"}",
    "a lone surrogate, escaped": b'{"name": "birds \\ud800"}',
    "a lone surrogate as a key": b'{"\\udfff": 1}',
    "a lone surrogate in bytes": b'{"name": "birds \xed\xa0\x80"}',
    "invalid UTF-8": b'{"name": "birds \xff\xfe"}',
    "overlong UTF-8": b'{"name": "\xc0\xaf\xc0\xae"}',
    "UTF-16": json.dumps({"name": "birds"}).encode("utf-16"),
    "UTF-32": json.dumps({"name": "birds"}).encode("utf-32"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "NUL bytes": b"\x00" * 1000,
    "a NUL byte in a string": b'{"name": "bi\x00rds"}',
    "a NUL as a key": b'{"\\u0000": 1}',
    "control characters": b'{"name": "bi\x01\x1f\nrds"}',
    "trailing comma": b'{"name": "birds",}',
    "two values": b"{}{}",
    "text behind the value": b'{"a": 1} and more',
    "single quotes": b"{'name': 'birds'}",
    "comment": b'{"name": "birds" /* no */}',
    "a form": b"name=birds&type=Images",
    "XML": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    "YAML": b"!!python/object/apply:os.system ['true']",
    "pickle": b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x93\x94\x8c\x04true\x94\x85\x94R.",
    "gzip": gzip.compress(b"{}"),
    "prototype": b'{"__proto__": {"isAdmin": true}}',
    "dunder": b'{"__class__": "User", "__init__": {"__globals__": {}}}',
    "an empty key": b'{"": 1}',
    "a long key": b'{"' + b"k" * 1_000_000 + b'": 1}',
    "many keys": b"{" + b",".join(b'"key%d":1' % number for number in range(100_000)) + b"}",
    "keys that repeat": b"{" + b",".join(b'"key":1' for _ in range(100_000)) + b"}",
}

#: Content types that are not JSON, each with a body of its kind.
OTHER_CONTENT_TYPES: dict[str, bytes] = {
    "application/x-www-form-urlencoded": b"name=birds",
    "multipart/form-data; boundary=x": b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n'
    b"birds\r\n--x--\r\n",
    "text/csv": b"name\nbirds\n",
    "application/xml": b"<name>birds</name>",
    "application/msgpack": b"\x81\xa4name\xa5birds",
    "application/json; charset=utf-16": json.dumps({"name": "birds"}).encode("utf-16-le"),
    "\xff\xfe": b"birds",
}

#: Values for any one field. Some fields take some of them.
HOSTILE_VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    -0.0,
    1e308,
    5e-324,
    2**31,
    2**53 + 1,
    2**63,
    2**64 - 1,
    -(2**63) - 1,
    "",
    " ",
    "\u0000",
    "birds\u0000",
    "a\nb",
    "\u202egpj.exe",
    "\ufffe\uffff",
    "🦜" * 1000,
    "x" * 3_000,
    "x" * 100_000,
    "birds " + "x" * 10_000,
    "../../etc/passwd",
    "'; DROP TABLE datasets; --",
    "%s%n{0}{{7*7}}${7*7}",
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "0x" + "f" * 10_000,
    "0b1",
    "f" * 24,
    "0" * 24,
    [],
    [None],
    [[]],
    [0] * 10_000,
    {},
    {"": None},
    {"id": "f" * 24},
]


def nest(depth: int) -> Any:
    """Return a value of lists and objects, so many levels deep."""
    value: Any = 1
    for level in range(depth):
        value = [value] if level % 2 else {"a": value}
    return value
