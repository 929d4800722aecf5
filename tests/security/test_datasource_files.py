"""No name leads out of a datasource, no URL does more than it was made for: T14, T17, T18, T23."""

import json
import os
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from lightly.server.db.tables import tokens
from tests.support.datasources import PNG, make_client, make_local_dataset, write_files
from tests.support.platforms import run_in_process

SECRET = "what lies outside"
NAMES = [
    "../secret.jpg", "../../secret.jpg", "..", ".", "./a.jpg", "a/../../secret.jpg", "/etc/passwd",
    "//etc/passwd", "..\\secret.jpg", "a\\..\\..\\secret.jpg", "%2e%2e/secret.jpg",
    "%2e%2e%2fsecret.jpg", "%252e%252e%252fsecret.jpg", "..%2fsecret.jpg", "....//secret.jpg",
    "C:\\secret.jpg", "\\\\host\\share\\secret.jpg", "file:///etc/passwd", "a.jpg\0.png", "\0",
    "secret.jpg/", "a//b.jpg", "~/secret.jpg", "link.jpg", "folder link/secret.jpg",
    "deep/link.jpg", "a/" * 10_000 + "b.jpg", "x" * 5_000, "\ud800.jpg", " ../secret.jpg",
    "..\u2215secret.jpg", "\uff0e\uff0e/secret.jpg",
]  # fmt: skip


@pytest.fixture
def local(tmp_path):
    mounts = {name: str(tmp_path / name) for name in ("input_mount", "lightly_mount")}
    with run_in_process(tmp_path / "data", **mounts) as running:
        local = make_local_dataset(running, "photos")
        for folder in (tmp_path, tmp_path / "outside"):
            write_files(folder, ["secret.jpg"])
            (folder / "secret.jpg").write_text(SECRET)
        for root in (local.input, local.lightly / ".lightly/predictions", local.lightly):
            (root / "deep").mkdir(parents=True, exist_ok=True)
            (root / "link.jpg").symlink_to(tmp_path / "secret.jpg")
            (root / "deep/link.jpg").symlink_to("../../../../secret.jpg")
            (root / "folder link").symlink_to(tmp_path / "outside")
        yield local


def list_outside(local, tmp_path):
    mounts = {local.input.parent, local.lightly.parent, tmp_path / "data"}
    return {
        path: path.stat().st_mtime_ns
        for path in tmp_path.rglob("*")
        if not mounts & {path, *path.parents}
    }


def follow(local, response):
    """Return what whoever got this answer can read with it."""
    if response.status_code != 200:
        return response.text
    answer = local.server.anonymous_client().get(response.json())
    return answer.text


@pytest.mark.parametrize(
    "path", ["predictions/file", "metadata/file", "embeddings/file", "fileHEAD"]
)
def test_no_file_name_leads_out_of_the_datasource(local, path):
    for name in NAMES:
        url = f"{local.url}/{path}?" + urlencode({"fileName": name}, errors="surrogatepass")

        response = local.server.client.get(url)

        assert response.status_code < 500, ascii(name)
        assert SECRET not in follow(local, response), ascii(name)


def test_nothing_is_written_outside_of_the_datasource(local, tmp_path):
    before = list_outside(local, tmp_path)
    for name in NAMES:
        query = urlencode({"fileName": name}, errors="surrogatepass")
        response = local.server.client.get(f"{local.url}/predictions/writeUrl?{query}")
        assert response.status_code < 500, ascii(name)
        if response.status_code == 200:
            written = local.server.anonymous_client().put(response.json(), content=b"evil")
            assert written.status_code < 500, ascii(name)

    assert list_outside(local, tmp_path) == before
    assert not [path for path in local.input.rglob("*") if path.is_file() and not path.is_symlink()]


def test_no_file_with_relevant_names_is_read_outside(local):
    for name in NAMES:
        query = urlencode({"relevantFilenamesFileName": name}, errors="surrogatepass")

        response = local.server.client.get(f"{local.url}/list?{query}")

        assert 400 <= response.status_code < 500, ascii(name)
        assert SECRET not in response.text, ascii(name)


def test_no_sample_name_leads_out_of_the_datasource(local):
    client, url = local.server.client, local.url.removesuffix("/datasource")
    n_made = 0
    for name in NAMES:
        made = client.post(f"{url}/samples", content=json.dumps({"fileName": name}))
        assert made.status_code < 500, ascii(name)
        if made.status_code == 201:
            n_made += 1
            response = client.get(f"{url}/samples/{made.json()['id']}/readurl")
            assert SECRET not in follow(local, response), ascii(name)

    assert n_made


@pytest.mark.parametrize("folder", ["..", "../..", "photos/../..", "/", "a/./b", "..\\..", "~"])
def test_no_path_of_a_datasource_leads_out_of_the_mount(local, folder):
    body = {"type": "LOCAL", "purpose": "INPUT_OUTPUT", "fullPath": folder}

    local.server.client.put(local.url, json=body)
    listed = local.server.client.get(f"{local.url}/list")

    assert SECRET not in listed.text
    assert "secret.jpg" not in listed.text


def test_a_datasource_behind_a_link_out_of_the_mount_is_refused(local, tmp_path):
    (local.input.parent / "escape").symlink_to(tmp_path)
    body = {"type": "LOCAL", "purpose": "INPUT_OUTPUT", "fullPath": "escape"}
    assert local.client.put(local.url, json=body).status_code == 204

    response = local.client.get(f"{local.url}/list")

    assert response.status_code == 422
    assert str(tmp_path) not in response.text


def test_links_out_of_the_mount_are_not_listed(local):
    write_files(local.input, ["a.jpg", "deep/b.jpg"])

    assert list(local.list()) == ["a.jpg", "deep/b.jpg"]


def test_links_within_the_mount_are_listed_and_read(local):
    write_files(local.input.parent, ["other/a.jpg"])
    (local.input / "b.jpg").symlink_to("../other/a.jpg")

    listed = local.list()

    assert list(listed) == ["b.jpg"]
    assert local.server.anonymous_client().get(listed["b.jpg"]).content == PNG + b"other/a.jpg"


def test_a_link_that_is_made_after_the_listing_leads_nowhere(local, tmp_path):
    write_files(local.input, ["a.jpg"])
    (url,) = local.list().values()
    (local.input / "a.jpg").unlink()
    (local.input / "a.jpg").symlink_to(tmp_path / "secret.jpg")

    assert local.server.anonymous_client().get(url).status_code == 404


def test_what_is_no_regular_file_is_neither_listed_nor_opened(local):
    os.mkfifo(local.input / "pipe.jpg")
    (local.input / "folder.jpg").mkdir()
    (local.input / "loop.jpg").symlink_to("loop.jpg")
    client, url = local.client, local.url
    made = client.get(f"{url}/fileHEAD", params={"fileName": "pipe.jpg"}).json()

    assert local.list() == {}
    assert local.server.anonymous_client().head(made).status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"name": "b.jpg"},
        {"name": ".lightly/predictions/a.json"},
        {"method": "PUT"},
        {"method": "HEAD"},
        {"expires": "99999999999"},
        {"expires": "-1"},
        {"expires": "1e9"},
        {"expires": ""},
        {"signature": ""},
        {"signature": "é"},
        {"signature": "0" * 64},
    ],
)
def test_a_changed_url_is_refused(local, change):
    write_files(local.input, ["a.jpg", "b.jpg"])
    parts = urlsplit(local.list()["a.jpg"])
    query = dict(parse_qsl(parts.query)) | change

    response = local.server.anonymous_client().get(parts.path, params=query)

    assert (response.status_code, response.json()["code"]) == (403, "FORBIDDEN")


def test_a_url_to_read_does_not_write(local):
    write_files(local.input, ["a.jpg"])
    url = local.list()["a.jpg"]
    parts = urlsplit(url)
    claimed = dict(parse_qsl(parts.query)) | {"method": "PUT"}
    anyone = local.server.anonymous_client()

    answers = [
        anyone.put(url, content=b"evil"),
        anyone.put(parts.path, params=claimed, content=b""),
    ]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert (local.input / "a.jpg").read_bytes() == PNG + b"a.jpg"


def test_the_input_side_is_never_written(local):
    response = local.client.get(
        f"{local.url}/predictions/writeUrl", params={"fileName": "task/a.json"}
    )
    local.server.anonymous_client().put(response.json(), content=b"{}")
    local.client.get(f"{local.url}/verify")

    assert not [path for path in local.input.rglob("*") if path.is_file() and not path.is_symlink()]


def test_a_url_ends_with_its_time(local, monkeypatch):
    write_files(local.input, ["a.jpg"])
    url = local.list()["a.jpg"]
    clock = local.server.platform.clock
    later_ms = clock.now_ms() + 1000 * (local.server.platform.settings.signed_url_ttl_s + 2)
    monkeypatch.setattr(type(clock), "now_ms", lambda _self: later_ms)

    assert local.server.anonymous_client().get(url).status_code == 403


def test_urls_end_with_the_dataset(local):
    write_files(local.input, ["a.jpg"])
    urls = [*local.list().values(), *local.list(useRedirectedReadUrl=True).values()]
    local.client.delete(local.url.removesuffix("/datasource"))

    answers = [local.server.anonymous_client().get(url) for url in urls]

    assert [answer.status_code for answer in answers] == [403, 404]


def test_urls_end_when_the_datasource_is_pointed_elsewhere(local):
    write_files(local.input, ["a.jpg"])
    write_files(local.input.parent, ["private/a.jpg"])
    url = local.list()["a.jpg"]
    body = {"type": "LOCAL", "purpose": "INPUT_OUTPUT", "fullPath": "private"}
    local.client.put(local.url, json=body)

    assert local.server.anonymous_client().get(url).status_code == 403


def test_redirected_urls_end_with_the_api_token(local):
    write_files(local.input, ["a.jpg"])
    (url,) = local.list(useRedirectedReadUrl=True).values()
    anyone = local.server.anonymous_client()
    before = anyone.get(url).status_code
    with local.server.platform.database.write() as connection:
        connection.execute(tokens.delete())

    assert (before, anyone.get(url).status_code) == (200, 401)


def test_a_redirected_url_of_a_collaborator_ends_with_the_sharing(local):
    write_files(local.input, ["a.jpg"])
    friend = local.server.add_user("friend@example.com")
    access = f"{local.url.removesuffix('/datasource')}/collaboration/access"
    local.client.post(access, json={"accessType": "WRITE", "users": ["friend@example.com"]})
    page = friend.get(f"{local.url}/list", params={"useRedirectedReadUrl": True}).json()
    url = page["data"][0]["readUrl"]
    anyone = local.server.anonymous_client()
    before = anyone.get(url).status_code
    local.client.post(access, json={"accessType": "WRITE", "users": []})

    assert (before, anyone.get(url).status_code) == (200, 404)


def test_files_are_served_inertly(local):
    (local.input / "a.jpg").write_text("<html><script>alert(1)</script>")
    (url,) = local.list().values()

    headers = local.server.anonymous_client().get(url).headers

    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"] == "attachment"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in headers["Content-Security-Policy"]


def test_errors_name_no_path_of_the_server(local, tmp_path):
    client = make_client(local.server)
    (local.lightly / "taken").write_text("a file")
    made = client.get(
        f"{local.url}/predictions/writeUrl", params={"fileName": "task/a.json"}
    ).json()
    (local.lightly / ".lightly/predictions/task").write_text("in the way")

    answer = local.server.anonymous_client().put(made, content=b"{}")

    assert (answer.status_code, answer.json()["code"]) == (422, "DATASET_DATASOURCE_ILLEGAL_ACTION")
    assert str(tmp_path) not in answer.text
