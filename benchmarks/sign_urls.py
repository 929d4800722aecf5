"""How many read URLs a datasource in a bucket signs per second and core.

The same keys are signed by the store library alone, to compare.
"""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable

import obstore
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from obstore.store import S3Store

from lightly.server.datasources.buckets.azure import open_azure_store
from lightly.server.datasources.buckets.gcs import open_gcs_store
from lightly.server.datasources.buckets.s3 import open_s3_store
from lightly.server.datasources.models import Datasource
from lightly.server.datasources.stores import FileStore
from lightly.server.settings import Settings

COUNT = 100_000
#: Files of one page of a listing.
PAGE = 5_000
TTL_S = 24 * 3600
WANTED_S3 = 80_000
NAMES = [f"street/camera-{number % 7}/{number:08d}.jpg" for number in range(COUNT)]


def make_datasource(type_: str, full_path: str, **settings: str) -> Datasource:
    """Return a datasource as the database has it."""
    return Datasource("0" * 24, 1, "INPUT_OUTPUT", type_, full_path, settings, None, 0, 0)


def make_gcs_key() -> str:
    """Return the key file of a service account."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    account = {"client_email": "a@b.example.com", "private_key": pem.decode()}
    return json.dumps({"type": "service_account", **account})


def measure(sign: Callable[[list[str]], object], count: int = COUNT) -> float:
    """Return URLs per second of processor time, the best of three rounds."""
    best = 0.0
    for _ in range(3):
        started_s = time.process_time()
        for start in range(0, count, PAGE):
            sign(NAMES[start : start + min(PAGE, count)])
        best = max(best, count / (time.process_time() - started_s))
    return best


def measure_store(store: FileStore, count: int = COUNT) -> float:
    """Return how many URLs a datasource signs per second of processor time."""
    now_s = time.time()
    return measure(lambda names: store.sign_urls(names, "GET", ttl_s=TTL_S, now_s=now_s), count)


def main() -> None:
    """Print the figures; fail when S3 is too slow."""
    library = S3Store(
        "bucket",
        prefix="raw",
        region="eu-central-1",
        access_key_id="key",
        secret_access_key="secret",
        virtual_hosted_style_request=True,
    )
    ttl = dt.timedelta(seconds=TTL_S)
    alone = measure(lambda names: obstore.sign(library, "GET", names, ttl))
    settings = Settings()
    s3 = open_s3_store(
        settings,
        make_datasource("S3", "s3://bucket/raw", s3Region="eu-central-1"),
        {"s3AccessKeyId": "key", "s3SecretAccessKey": "secret"},
    )
    signed = measure_store(s3)
    azure = open_azure_store(
        settings,
        make_datasource("AZURE", "container/raw"),
        {"accountName": "account", "accountKey": "a2V5"},
    )
    gcs = open_gcs_store(
        settings,
        make_datasource("GCS", "gs://bucket/raw", gcsProjectId="project"),
        {"gcsCredentials": make_gcs_key()},
    )
    print(f"library alone, S3      {alone:10,.0f} URLs per second and core")
    print(f"datasource S3          {signed:10,.0f} ({signed / alone:.0%}; wanted {WANTED_S3:,})")
    print(f"datasource AZURE       {measure_store(azure):10,.0f}")
    print(f"datasource GCS (RSA)   {measure_store(gcs, PAGE):10,.0f}")
    if signed < WANTED_S3:
        raise SystemExit("S3 URLs are signed too slowly.")


if __name__ == "__main__":
    main()
