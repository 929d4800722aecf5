"""Published clients configure real stores, read that back and list; plain HTTP follows the URLs."""

from __future__ import annotations

import pytest
import requests

from tests.support.bucket_datasets import (
    LOOPBACK,
    AzureProvider,
    GcsProvider,
    ObsProvider,
    RoleProvider,
    S3Provider,
)
from tests.support.datasources import PNG
from tests.support.emulators import make_account_sas
from tests.support.platforms import run_process
from tests.support.published_clients.runner import run_client_script

VERSIONS = [
    pytest.param(version, marks=pytest.mark.xdist_group(f"client-{version}"))
    for version in ("1.5.26", "1.2.28")
]
NAMES = ["a/one.png", "two.png"]

SCRIPT = """
    import inspect
    from lightly.api import ApiWorkflowClient

    calls = {
        "S3": lambda c: dict(
            resource_path=c["fullPath"], region=c["s3Region"],
            access_key=c["s3AccessKeyId"], secret_access_key=c["s3SecretAccessKey"],
        ),
        "S3DelegatedAccess": lambda c: dict(
            resource_path=c["fullPath"], region=c["s3Region"],
            role_arn=c["s3ARN"], external_id=c["s3ExternalId"],
        ),
        "GCS": lambda c: dict(
            resource_path=c["fullPath"], project_id=c["gcsProjectId"],
            credentials=c["gcsCredentials"],
        ),
        "AZURE": lambda c: dict(
            container_name=c["fullPath"], account_name=c["accountName"],
            sas_token=c["accountKey"],
        ),
        "OBS": lambda c: dict(
            resource_path=c["fullPath"], obs_endpoint=c["obsEndpoint"],
            obs_access_key_id=c["obsAccessKeyId"],
            obs_secret_access_key=c["obsSecretAccessKey"],
        ),
    }
    methods = {
        "S3": "set_s3_config",
        "S3DelegatedAccess": "set_s3_delegated_access_config",
        "GCS": "set_gcs_config",
        "AZURE": "set_azure_config",
        "OBS": "set_obs_config",
    }
    result = {}
    for name, configuration in arguments["configurations"].items():
        kind = configuration["type"]
        client = ApiWorkflowClient()
        if not hasattr(client, methods[kind]):
            continue
        client.create_dataset("bucket " + name)
        getattr(client, methods[kind])(**calls[kind](configuration))
        found = client.get_datasource()
        found = found if isinstance(found, dict) else found.to_dict(by_alias=True)
        listed = client.download_raw_samples()
        result[name] = {
            "type": getattr(found["type"], "value", found["type"]),
            "path": found["fullPath"],
            "listed": [list(pair) for pair in listed],
        }
        if hasattr(client, "list_datasource_permissions"):
            permissions = client.list_datasource_permissions()
            result[name]["permissions"] = permissions
"""


@pytest.fixture(scope="module")
def providers(s3_server, moto_server, gcs_server, azure_server):
    made = {
        "S3": S3Provider(s3_server),
        "OBS": ObsProvider(s3_server),
        "S3DelegatedAccess": RoleProvider(moto_server),
        "GCS": GcsProvider(gcs_server),
        "AZURE": AzureProvider(azure_server),
        "SAS": AzureProvider(azure_server, f"?{make_account_sas('rwdl')}"),
    }
    for name, provider in made.items():
        for file_name in NAMES:
            provider.put(f"published/{name}/{file_name}", PNG)
    return made


def run_client(tmp_path, version, providers, endpoints):
    """Return what a client says of datasets in all stores, and the URLs that it was given."""
    tmp_path.mkdir()
    variables = {f"LIGHTLY_SERVER_{name.upper()}": value for name, value in endpoints.items()}
    with run_process(tmp_path / "data", **variables, **RoleProvider.variables) as server:
        found = run_client_script(
            version,
            SCRIPT,
            server_url=server.url,
            token=server.token,
            arguments={
                "configurations": {
                    name: provider.configure(f"published/{name}")
                    for name, provider in providers.items()
                }
            },
            timeout_s=240,
        ).result
        for one in found.values():
            for pair in one["listed"]:
                pair[1] = requests.get(pair[1], timeout=30).content
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_a_published_client_configures_lists_and_reads_every_store(
    tmp_path, version, providers, s3_server, moto_server, gcs_server, azure_server
):
    """S3 with keys and with a role share an endpoint here, as they do at Amazon: moto."""
    common = {
        "gcs_endpoint": gcs_server.endpoint,
        "azure_endpoint": azure_server.endpoint,
        "sts_endpoint": moto_server.endpoint,
        "egress_allow": LOOPBACK,
    }
    keys = {"S3": providers["S3"]}
    others = {name: one for name, one in providers.items() if name != "S3"}

    found = run_client(
        tmp_path / "keys", version, keys, {**common, "s3_endpoint": s3_server.endpoint}
    )
    found |= run_client(
        tmp_path / "others", version, others, {**common, "s3_endpoint": moto_server.endpoint}
    )

    expected = set(providers) - ({"OBS"} if version == "1.2.28" else set())
    assert set(found) == expected
    for name, one in found.items():
        configuration = providers[name].configure(f"published/{name}")
        assert one["type"] == configuration["type"]
        assert one["path"] == configuration["fullPath"]
        assert sorted(one["listed"]) == [[file_name, PNG] for file_name in NAMES], name
        assert all(one.get("permissions", {"can_list": True}).values()), name
