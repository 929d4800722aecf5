"""The page of exports in a real browser: the files that it hands out, byte for byte."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
import requests
from playwright.sync_api import expect

from lightly.api import ApiWorkflowClient
from tests.support.browsers import open_page, sign_in
from tests.support.platforms import TOKEN
from tests.support.web_scenes import show_scenes

pytestmark = pytest.mark.xdist_group("browser")

N_SCENES = 12
PICKED = [0, 1, 2, 3, 7, 11]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    with show_scenes(tmp_path_factory.mktemp("export"), N_SCENES) as shown:
        shown.make_tag("the odd ones", PICKED)
        shown.make_tag("only one", [5])
        yield shown


@pytest.fixture(scope="module")
def names(scenes):
    every = scenes.client.get_filenames()
    return [every[index] for index in PICKED]


@pytest.fixture
def watched(browser, scenes):
    opened = open_page(browser, scenes.server.url)
    sign_in(opened, f"{scenes.url}/export")
    opened.page.get_by_role("combobox", name="Tag", exact=True).select_option("the odd ones (6)")
    yield opened
    opened.page.context.close()
    assert opened.faults == []


def download(page, format_name: str) -> tuple[str, bytes]:
    """Return name and content of the file that a format comes as."""
    page.get_by_role("button", name=format_name, exact=False).first.click()
    with page.expect_download() as started:
        page.get_by_role("link", name="Download").click()
    return started.value.suggested_filename, Path(started.value.path()).read_bytes()


def read_without_signing_in(url: str) -> bytes:
    answer = requests.get(url, timeout=30)
    answer.raise_for_status()
    return answer.content


def test_names_come_one_per_line(watched, names):
    name, content = download(watched.page, "File names")

    assert name == "street_scenes-the_odd_ones.txt"
    assert content == "\n".join(names).encode()


def test_the_archive_holds_the_very_files(watched, scenes, names, tmp_path):
    _, content = download(watched.page, "Images All images")
    (tmp_path / "images.zip").write_bytes(content)

    with zipfile.ZipFile(tmp_path / "images.zip") as archive:
        assert archive.namelist() == names
        for name in names:
            assert archive.read(name) == (scenes.folder / name).read_bytes()


def test_urls_work_without_signing_in_until_the_moment_that_is_shown(watched, scenes, names):
    page = watched.page
    page.get_by_role("button", name="Read URLs").click()
    page.get_by_role("combobox", name="URLs work for").select_option("an hour")
    assert "expires=3600" in page.url
    expect(page.locator(".note")).to_contain_text("URLs work until")
    _, content = download(page, "Read URLs")

    urls = content.decode().split("\n")
    assert [read_without_signing_in(url) for url in urls] == [
        (scenes.folder / name).read_bytes() for name in names
    ]


@pytest.mark.parametrize(
    ("format_name", "path", "url_of"),
    [
        ("Names and URLs", "basic/filenamesAndReadUrls", lambda row: row["readUrl"]),
        ("Label Studio", "LabelStudio/tasks", lambda row: row["data"]["image"]),
        ("Labelbox Data rows of version 4", "LabelBoxV4/datarows", lambda row: row["row_data"]),
        ("Labelbox, older", "LabelBox/datarows", lambda row: row["imageUrl"]),
        ("Sama", "Sama/tasks", lambda row: row["data"]["url"]),
    ],
)
def test_files_for_tools_are_what_programs_get(watched, scenes, names, format_name, path, url_of):
    _, content = download(watched.page, format_name)
    tag_id = scenes.client.get_tag_by_name("the odd ones").id

    assert content == scenes.call("GET", f"/tags/{tag_id}/export/{path}").content
    rows = json.loads(content)
    assert len(rows) == len(names)
    assert read_without_signing_in(url_of(rows[3])) == (scenes.folder / names[3]).read_bytes()
    preview = watched.page.locator("aside > div pre").first
    expect(preview).to_contain_text("]")
    assert json.loads(preview.inner_text()) == rows[:1]


def test_the_python_that_is_printed_gets_the_same(watched, scenes, names, monkeypatch):
    monkeypatch.setenv("LIGHTLY_SERVER_LOCATION", scenes.server.url)
    monkeypatch.setenv("LIGHTLY_TOKEN", TOKEN)
    page = watched.page
    namespace: dict[str, object] = {"client": ApiWorkflowClient()}
    exec(compile(page.locator("aside .block pre").inner_text(), "printed", "exec"), namespace)

    assert namespace["entries"] == "\n".join(names)


def test_the_address_keeps_what_was_chosen(watched):
    page = watched.page
    page.get_by_role("button", name="Sama").click()
    page.get_by_role("checkbox", name="With metadata").uncheck()
    page.reload()
    expect(page.get_by_role("button", name="Sama")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("checkbox", name="With metadata")).not_to_be_checked()
    expect(page.locator("aside")).to_contain_text("6 samples of the odd ones")
    page.go_back()
    expect(page.get_by_role("checkbox", name="With metadata")).to_be_checked()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible(browser, scenes, scheme):
    watched = open_page(browser, scenes.server.url, scheme=scheme)
    sign_in(watched, f"{scenes.url}/export?format=labelStudio&expires=86400")
    expect(watched.page.locator("aside > div pre").first).to_contain_text("lightlyFileName")
    assert watched.find_obstacles() == []
    watched.shoot(f"export-{scheme}")
    watched.page.context.close()
    assert watched.faults == []
