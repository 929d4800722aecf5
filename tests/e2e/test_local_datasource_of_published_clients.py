"""Both forms of `set_local_config`, by clients that have them, against a server with a mount."""

from __future__ import annotations

import hashlib

import pytest

from tests.support.pictures import draw_folder
from tests.support.platforms import run_process
from tests.support.published_clients.runner import OURS, run_client_script

SUFFIX = ".lightly/small/[filename].[extension]"
FORMS = {
    "1.2.28, the address of a file server": (
        "1.2.28", ["http://localhost:1234/streets/day"], {"thumbnail_suffix": SUFFIX},
    ),
    "1.5.26, a relative path": (
        "1.5.26", [],
        {
            "relative_path": "streets/day", "web_server_location": "http://localhost:1234",
            "thumbnail_suffix": SUFFIX,
        },
    ),
    "1.5.26, in its order": ("1.5.26", ["streets/day", "http://localhost:1234", SUFFIX], {}),
    "ours, the address of a file server": (
        OURS, ["http://localhost:1234/streets/day", SUFFIX], {},
    ),
    "ours, a relative path": (
        OURS, [],
        {
            "relative_path": "streets/day", "web_server_location": "http://localhost:1234",
            "thumbnail_suffix": SUFFIX,
        },
    ),
}  # fmt: skip

SCRIPT = """
    import hashlib, urllib.request
    from lightly.api import ApiWorkflowClient
    client = ApiWorkflowClient()
    client.create_new_dataset_with_unique_name("streets")
    client.set_local_config(*arguments["values"], **arguments["named"])
    found = client.get_datasource()
    found = found.to_dict(by_alias=True) if hasattr(found, "to_dict") else found
    rows = client.download_raw_samples()
    result = {
        "config": {key: getattr(found[key], "value", found[key]) for key in
                   ("type", "fullPath", "webServerLocation", "thumbSuffix", "purpose")},
        "digests": {name: hashlib.sha256(urllib.request.urlopen(url, timeout=30).read()).hexdigest()
                    for name, url in rows},
    }
"""


@pytest.fixture(scope="module")
def mount(tmp_path_factory):
    """A server with a mount, and the digests of the images of one of its folders."""
    folder = tmp_path_factory.mktemp("mount")
    names = draw_folder(folder / "in/streets/day", 6)
    digests = {
        name: hashlib.sha256((folder / "in/streets/day" / name).read_bytes()).hexdigest()
        for name in names
    }
    environment = {"LIGHTLY_SERVER_INPUT_MOUNT": str(folder / "in")}
    with run_process(folder / "data", **environment) as server:
        yield server, digests


@pytest.mark.parametrize("form", FORMS)
def test_a_local_datasource_is_configured_read_back_and_listed(mount, form):
    server, digests = mount
    version, values, named = FORMS[form]

    result = run_client_script(
        version,
        SCRIPT,
        server_url=server.url,
        token=server.token,
        arguments={"values": values, "named": named},
    ).result

    assert result["config"] == {
        "type": "LOCAL",
        "fullPath": "streets/day",
        "webServerLocation": "http://localhost:1234",
        "thumbSuffix": SUFFIX,
        "purpose": "INPUT_OUTPUT",
    }
    assert result["digests"] == digests
