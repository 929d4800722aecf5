"""Signed URLs of our own against those of the provider's library."""

from __future__ import annotations

import calendar
import time
from urllib.parse import parse_qs, urlsplit

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from lightly.server.datasources.buckets.query_signing import (
    encode_key,
    make_s3_scheme,
    sign_query,
)

REGION = "eu-central-1"
BUCKET = f"https://bucket.s3.{REGION}.amazonaws.com"
KEYS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40
).filter(lambda key: not {".", ".."} & set(key.split("/")))


@settings(deadline=None)
@given(KEYS, st.sampled_from(["GET", "PUT"]), st.sampled_from([None, "session/token+="]))
def test_urls_are_those_of_the_providers_own_library(key, method, token):
    url = f"{BUCKET}/{encode_key(key)}"
    scheme = make_s3_scheme("AKIDEXAMPLE", "secret", REGION, token)
    wanted = AWSRequest(method, url)
    credentials = Credentials("AKIDEXAMPLE", "secret", token)
    S3SigV4QueryAuth(credentials, "s3", REGION, expires=900).add_auth(wanted)
    query = {name: values[0] for name, values in parse_qs(urlsplit(wanted.url).query).items()}
    moment = time.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ")
    made = sign_query(scheme, method, url, ttl_s=900, now_s=calendar.timegm(moment))

    found = {name: values[0] for name, values in parse_qs(urlsplit(made).query).items()}
    assert found == query


def test_a_url_never_lasts_longer_than_providers_allow():
    scheme = make_s3_scheme("AKIDEXAMPLE", "secret", REGION)

    made = sign_query(scheme, "GET", f"{BUCKET}/a", ttl_s=10**9, now_s=0)

    assert "X-Amz-Expires=604800" in made
