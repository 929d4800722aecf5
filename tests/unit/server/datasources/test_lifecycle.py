"""Rules by which buckets remove objects."""

from __future__ import annotations

import datetime as dt

import pytest

from lightly.server.datasources.buckets.lifecycle import find_expiry_s, parse_rules

NOON_S = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC).timestamp()
DAY_S = 24 * 3600


def find(body: str, key: str = "a/1.jpg", size_bytes: int = 100) -> str | None:
    """Return the moment at which an object of 2026-03-01, noon, is removed."""
    rules = parse_rules(
        f'<LifecycleConfiguration xmlns="x">{body}</LifecycleConfiguration>'.encode()
    )
    moment_s = find_expiry_s(rules, key, size_bytes, NOON_S)
    return None if moment_s is None else f"{dt.datetime.fromtimestamp(moment_s, dt.UTC):%m-%d %H}"


def make_s3_rule(content: str, action: str = "", *, status: str = "Enabled", days: int = 3) -> str:
    action = action or f"<Expiration><Days>{days}</Days></Expiration>"
    return f"<Rule><Status>{status}</Status>{content}{action}</Rule>"


MARKERS = "<ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker>"
OLD = (
    "<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>"
)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (make_s3_rule("<Prefix></Prefix>"), "03-05 00"),
        (make_s3_rule("<Filter/>"), "03-05 00"),
        (make_s3_rule("<Filter><Prefix>a/</Prefix></Filter>"), "03-05 00"),
        (make_s3_rule("<Filter><Prefix>b/</Prefix></Filter>"), None),
        (make_s3_rule("<Prefix>b/</Prefix>"), None),
        (make_s3_rule("<Filter><And><Prefix>b/</Prefix><Tag/></And></Filter>"), None),
        (make_s3_rule("<Filter><Tag><Key>k</Key></Tag></Filter>"), "03-05 00"),
        (make_s3_rule("<Filter/>", status="Disabled"), None),
        (make_s3_rule("<Filter><ObjectSizeGreaterThan>99</ObjectSizeGreaterThan></Filter>"),
         "03-05 00"),
        (make_s3_rule("<Filter><ObjectSizeGreaterThan>100</ObjectSizeGreaterThan></Filter>"), None),
        (make_s3_rule("<Filter><And><ObjectSizeLessThan>100</ObjectSizeLessThan></And></Filter>"),
         None),
        (make_s3_rule("<Filter/>", days=9) + make_s3_rule("<Filter/>", days=2), "03-04 00"),
        (make_s3_rule("", "<Expiration><Date>2026-04-01T00:00Z</Date></Expiration>"), "04-01 00"),
        (make_s3_rule("", f"<Expiration>{MARKERS}</Expiration>"), None),
        (make_s3_rule("", OLD), None),
        (make_s3_rule("", "<Transition><Days>1</Days></Transition>"), None),
    ],
)  # fmt: skip
def test_rules_of_s3_are_followed(rule: str, expected: str | None) -> None:
    assert find(rule) == expected


def make_gcs_rule(condition: str, action: str = "<Delete/>") -> str:
    return f"<Rule><Action>{action}</Action><Condition>{condition}</Condition></Rule>"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (make_gcs_rule("<Age>3</Age>"), "03-04 12"),
        (make_gcs_rule("<Age>3</Age><MatchesPrefix>b/</MatchesPrefix>"), None),
        (make_gcs_rule("<Age>3</Age><MatchesPrefix>b/</MatchesPrefix>"
                       "<MatchesPrefix>a/</MatchesPrefix>"), "03-04 12"),
        (make_gcs_rule("<Age>3</Age><MatchesSuffix>.png</MatchesSuffix>"), None),
        (make_gcs_rule("<Age>3</Age><IsLive>false</IsLive>"), None),
        (make_gcs_rule("<NumberOfNewerVersions>3</NumberOfNewerVersions>"), None),
        (make_gcs_rule("<Age>3</Age>", "<SetStorageClass>COLDLINE</SetStorageClass>"), None),
    ],
)  # fmt: skip
def test_rules_of_gcs_are_followed(rule: str, expected: str | None) -> None:
    assert find(rule) == expected


def test_a_bucket_without_rules_removes_nothing() -> None:
    assert find("") is None


def test_an_answer_that_was_cut_off_is_no_set_of_rules() -> None:
    with pytest.raises(OSError, match="incomplete"):
        parse_rules(b"<LifecycleConfiguration><Rule>")
