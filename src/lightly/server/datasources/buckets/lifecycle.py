"""When a bucket removes its objects by itself: the lifecycle rules of S3, its kin and GCS.

Only rules that remove what a listing shows are of account. A rule that also asks for tags, which no
listing tells, is taken to mean every object that it may mean. Sources: "Lifecycle configuration
elements" of S3, and "Lifecycle configuration for Cloud Storage buckets" in XML.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from lightly.server.datasources.buckets.raw_listing import find_text, parse_xml

_DAY_S = 24 * 3600


@dataclass(frozen=True)
class ExpiryRule:
    """What is removed when.

    Attributes:
        prefixes: Keys that begin with one of these.
        suffixes: And end with one of these; any if there are none.
        after_days: So long after an object was written; None for a fixed moment.
        at_s: The fixed moment.
        ends_with_day: Whether the day of removal is rounded up to midnight UTC, as S3 does.
        least_bytes: Only objects of this size or more.
        most_bytes: Only objects of this size or less.
    """

    prefixes: tuple[str, ...] = ("",)
    suffixes: tuple[str, ...] = ("",)
    after_days: float | None = None
    at_s: float | None = None
    ends_with_day: bool = False
    least_bytes: int = 0
    most_bytes: float = math.inf

    def find_expiry_s(self, key: str, size_bytes: int, modified_at_s: float) -> float | None:
        """Return when the rule removes an object; None if it does not mean it."""
        if not (key.startswith(self.prefixes) and key.endswith(self.suffixes)):
            return None
        if not self.least_bytes <= size_bytes <= self.most_bytes:
            return None
        if self.after_days is None:
            return self.at_s
        moment_s = modified_at_s + self.after_days * _DAY_S
        return math.ceil(moment_s / _DAY_S) * _DAY_S if self.ends_with_day else moment_s


def find_expiry_s(
    rules: Sequence[ExpiryRule], key: str, size_bytes: int, modified_at_s: float
) -> float | None:
    """Return when an object is removed, in seconds since 1970; None if no rule does that."""
    found = (rule.find_expiry_s(key, size_bytes, modified_at_s) for rule in rules)
    return min((moment_s for moment_s in found if moment_s is not None), default=None)


def parse_rules(body: bytes) -> list[ExpiryRule]:
    """Return the rules of a bucket that remove objects.

    Args:
        body: The lifecycle configuration, XML.

    Raises:
        OSError: If it is cut off, or no XML.
        ValueError: If a number or date in it is none.

    >>> parse_rules(b"<LifecycleConfiguration><Rule><Status>Enabled</Status><Prefix>a/</Prefix>"
    ...     b"<Expiration><Days>3</Days></Expiration></Rule></LifecycleConfiguration>")[0].prefixes
    ('a/',)
    """
    root = parse_xml(body)
    return [rule for entry in root.iterfind("{*}Rule") for rule in _read_rule(entry)]


def _read_rule(entry: ET.Element) -> Iterator[ExpiryRule]:
    if entry.find("{*}Action") is None:
        yield from _read_s3_rule(entry)
    elif entry.find("{*}Action/{*}Delete") is not None:
        yield from _read_gcs_rule(entry)


def _read_s3_rule(entry: ET.Element) -> Iterator[ExpiryRule]:
    days, date = find_text(entry, "Expiration/Days"), find_text(entry, "Expiration/Date")
    if find_text(entry, "Status") != "Enabled" or not (days or date):
        return
    places = ("Prefix", "Filter/Prefix", "Filter/And/Prefix")
    prefix = next(filter(None, (find_text(entry, place) for place in places)), "")
    least, most = (
        next(filter(None, (find_text(entry, f"Filter/{way}{name}") for way in ("", "And/"))), "")
        for name in ("ObjectSizeGreaterThan", "ObjectSizeLessThan")
    )
    yield ExpiryRule(
        prefixes=(prefix,),
        after_days=float(days) if days else None,
        at_s=_read_moment_s(date) if date else None,
        ends_with_day=bool(days),
        least_bytes=int(least) + 1 if least else 0,
        most_bytes=int(most) - 1 if most else math.inf,
    )


def _read_gcs_rule(entry: ET.Element) -> Iterator[ExpiryRule]:
    conditions = entry.find("{*}Condition")
    if conditions is None:
        return
    age, before = find_text(conditions, "Age"), find_text(conditions, "CreatedBefore")
    is_about_old_versions = (
        find_text(conditions, "IsLive") == "false"
        or conditions.find("{*}NumberOfNewerVersions") is not None
        or conditions.find("{*}DaysSinceNoncurrentTime") is not None
    )
    if is_about_old_versions or not (age or before):
        return
    yield ExpiryRule(
        prefixes=_list_texts(conditions.iterfind("{*}MatchesPrefix")),
        suffixes=_list_texts(conditions.iterfind("{*}MatchesSuffix")),
        after_days=float(age or 0),
    )


def _list_texts(elements: Iterable[ET.Element]) -> tuple[str, ...]:
    return tuple(element.text or "" for element in elements) or ("",)


def _read_moment_s(text: str) -> float:
    moment = dt.datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()
