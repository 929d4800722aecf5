"""Signed URLs of our own against those of the provider's library."""

from __future__ import annotations

import calendar
import json
import time
from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import obstore
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from obstore.store import GCSStore, S3Store

from lightly.server.datasources.buckets.gcs import make_gcs_scheme
from lightly.server.datasources.buckets.query_signing import (
    encode_key,
    make_s3_scheme,
    sign_keys,
    sign_query,
)
from tests.support.emulators import make_service_account

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


@settings(deadline=None, max_examples=20)
@given(KEYS.filter(lambda key: "" not in key.split("/") and key.isprintable()))
def test_urls_of_google_are_those_of_the_library_of_stores(key):
    account = make_service_account()
    library = GCSStore("bucket", service_account_key=json.dumps(account))
    wanted = obstore.sign(library, "GET", key, timedelta(seconds=900))
    query = {name: values[0] for name, values in parse_qs(urlsplit(wanted).query).items()}
    moment = calendar.timegm(time.strptime(query["X-Goog-Date"], "%Y%m%dT%H%M%SZ"))
    # The library leaves the path to be encoded as a whole, slashes included.
    url = wanted.partition("?")[0]
    made = sign_query(make_gcs_scheme(account), "GET", url, ttl_s=900, now_s=moment)

    found = {name: values[0] for name, values in parse_qs(urlsplit(made).query).items()}
    # The library names another object where a name holds # or \\, say: it does not escape them.
    assume(unquote(urlsplit(url).path) == f"/bucket/{key}")
    assert found == query


@given(st.lists(KEYS, max_size=5), st.sampled_from([{}, {"x-amz-meta-a": "b"}]))
def test_many_keys_are_signed_as_one_is(keys, headers):
    scheme = make_s3_scheme("AKIDEXAMPLE", "secret", REGION)
    options = {"ttl_s": 900, "now_s": 1_700_000_000, "headers": headers}

    found = sign_keys(scheme, "PUT", BUCKET, keys, **options)

    assert found == [
        sign_query(scheme, "PUT", f"{BUCKET}/{encode_key(key)}", **options) for key in keys
    ]


@given(KEYS.filter(lambda key: "" not in key.split("/") and key.isprintable()))
def test_urls_of_s3_are_those_of_the_library_of_stores(key):
    library = S3Store("bucket", access_key_id="AKIDEXAMPLE", secret_access_key="s", region=REGION)
    wanted = obstore.sign(library, "GET", key, timedelta(seconds=900))
    url, _, query = wanted.partition("?")
    stamp = parse_qs(query)["X-Amz-Date"][0]
    moment = calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
    scheme = make_s3_scheme("AKIDEXAMPLE", "s", REGION)
    bucket_url = url.removesuffix(f"/{encode_key(key)}")

    (made,) = sign_keys(scheme, "GET", bucket_url, [key], ttl_s=900, now_s=moment)

    assert made.partition("?")[0] == url
    assert parse_qs(made.partition("?")[2]) == parse_qs(query)
