"""The file server against the one of the published client: the same requests, the same answers."""

from __future__ import annotations

import os
from email.utils import formatdate

import pytest

from tests.support.published_clients.runner import OURS, run_client_script

PUBLISHED = "1.5.26"
CHANGED_S = 1_700_000_000
CHANGED = formatdate(CHANGED_S, usegmt=True)

SCRIPT = """
import http.client, sys, threading, types
from pathlib import Path

try:
    import lightly.data
except ImportError:
    # Its list of extensions comes with torch.
    helpers = types.SimpleNamespace(IMG_EXTENSIONS=(".png",), VIDEO_EXTENSIONS=(".mp4",))
    sys.modules["lightly.data"] = types.SimpleNamespace(_helpers=helpers)
from lightly.api import serve

folders = [Path(folder) for folder in arguments["folders"]]
serve.validate_input_mount(folders[0])
serve.validate_lightly_mount(folders[1])
server = serve.get_server(paths=folders, host="localhost", port=0)
threading.Thread(target=server.serve_forever, daemon=True).start()
result = []
for method, path, headers in arguments["requests"]:
    connection = http.client.HTTPConnection("localhost", server.server_port, timeout=10)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    names = ("content-length", "last-modified", "access-control-allow-origin")
    result.append({
        "status": answer.status,
        "body": body.decode("latin-1") if answer.status == 200 else "",
        "is_stored": "no-store" not in answer.headers["cache-control"],
        "headers": {name: answer.headers[name] for name in names},
    })
server.shutdown()
"""

CASES = {
    "a file": ("GET", "/a.png", {}),
    "a file of the second folder": ("GET", "/sub/c.png", {}),
    "a file of both folders": ("GET", "/both.png", {}),
    "an escaped name": ("GET", "/sub/a%20b%25%C3%A9.png", {}),
    "headers alone": ("HEAD", "/a.png", {}),
    "a name that is not there": ("GET", "/none.png", {}),
    "a preflight": ("OPTIONS", "/a.png", {"Origin": "https://app.example"}),
    "a name that leads out": ("GET", "/../secret.png", {}),
    "a version that is known": ("GET", "/a.png", {"If-Modified-Since": CHANGED}),
    "writing": ("PUT", "/a.png", {}),
}
#: What only one of the two sends: theirs lets a page read only after a preflight, and names its
#: error pages; neither is something a caller could rely on.
COMPARED = {"a preflight": ("access-control-allow-origin",)}
FILE_HEADERS = ("content-length", "last-modified")


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """Answers of both servers, in the order of `CASES`."""
    root = tmp_path_factory.mktemp("mounts")
    folders = [root / "input", root / "lightly"]
    for folder in folders:
        (folder / "sub").mkdir(parents=True)
        (folder / "both.png").write_text(folder.name)
    (folders[0] / "a.png").write_text("a")
    os.utime(folders[0] / "a.png", (CHANGED_S, CHANGED_S))
    (folders[0] / "sub" / "a b%é.png").write_text("odd")
    (folders[1] / "sub" / "c.png").write_text("c")
    arguments = {"folders": [str(folder) for folder in folders], "requests": list(CASES.values())}
    options = {"server_url": "http://127.0.0.1:9", "token": "x", "arguments": arguments}
    return [run_client_script(each, SCRIPT, **options).result for each in (PUBLISHED, OURS)]


@pytest.mark.parametrize(("number", "name"), list(enumerate(CASES)), ids=CASES)
def test_both_servers_answer_alike(answers, number, name):
    theirs, ours = (of_one[number] for of_one in answers)

    assert (ours["status"], ours["body"], ours["is_stored"]) == (
        theirs["status"], theirs["body"], theirs["is_stored"],
    )  # fmt: skip
    for header in COMPARED.get(name, FILE_HEADERS if ours["status"] == 200 else ()):
        assert ours["headers"][header] == theirs["headers"][header]
