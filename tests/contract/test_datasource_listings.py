"""Raw files, predictions and metadata of LOCAL and LIGHTLY datasources are listed and read."""

import io
import zipfile
from urllib.parse import parse_qs, urlsplit

import pytest

from lightly.server.datasources import listings
from tests.support.contract import ContractClient
from tests.support.datasources import (
    CONFIGURATIONS,
    PNG,
    make_dataset,
    make_local_dataset,
    write_files,
)
from tests.support.platforms import run_in_process

ODD_NAMES = [
    "a b.jpg", "a%2Fb.jpg", "a+b.png", "a&b=c#d?e.jpg", "äöü/日本.jpg", "folder./dot.jpg",
    "new\nline.jpg", "back\\slash.jpg", "quote'\".jpg", "😀.png", "-i.jpg", "a/b/c/d.webp",
    "trailing .jpg", "a;b.jpg", "~.jpg",
    "x" * 250 + "/" + "y" * 250 + "/" + "z" * 250 + "/" + "w" * 250 + "/" + "v" * 16 + ".jpg",
]  # fmt: skip


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def mounted(request, tmp_path, make_server_url):
    """A server with both mounts."""
    mounts = {name: str(tmp_path / name) for name in ("input_mount", "lightly_mount")}
    url = make_server_url(request.param)
    with run_in_process(tmp_path / "data", url, **mounts) as running:
        yield running


@pytest.fixture
def local(mounted):
    return make_local_dataset(mounted, "photos")


@pytest.fixture
def stored(server):
    """A dataset whose datasource is the server's own storage."""
    client = ContractClient(server.client)
    dataset_id = make_dataset(client)
    url = f"/v1/datasets/{dataset_id}"
    assert client.put(f"{url}/datasource", json=CONFIGURATIONS["LIGHTLY"]).status_code == 204
    return client, url


def test_images_are_listed_in_the_order_of_their_names(local):
    write_files(local.input, ["b.jpg", "a/z.png", "a-1.jpg", "a.jpg", "A.JPG", "a/b/c.webp"])

    assert list(local.list()) == ["A.JPG", "a-1.jpg", "a.jpg", "a/b/c.webp", "a/z.png", "b.jpg"]


def test_only_images_of_an_image_dataset_are_listed(local):
    images = ["1.jpg", "2.jpeg", "3.PNG", "4.ppm", "5.bmp", "6.pgm", "7.tif", "8.tiff", "9.webp"]
    write_files(local.input, [*images, "film.mp4", "notes.txt", "jpg", ".jpg.part", "x.svg"])

    assert list(local.list()) == images


def test_only_videos_of_a_video_dataset_are_listed(mounted):
    videos = ["1.mp4", "2.M4V", "3.hevc", "4.mpg", "5.mpeg", "6.avi", "7.mov", "8.webm"]
    local = make_local_dataset(mounted, "films", "Videos")
    write_files(local.input, [*videos, "a.jpg"])

    assert list(local.list()) == videos


def test_what_the_platform_made_is_no_raw_file(tmp_path):
    mount = str(tmp_path / "mount")
    with run_in_process(tmp_path / "data", input_mount=mount, lightly_mount=mount) as running:
        local = make_local_dataset(running, "all")
        write_files(local.input, ["a.jpg", ".lightly/thumbnails/a_thumb.jpg", "b/.lightly/b.jpg"])

        assert list(local.list()) == ["a.jpg", "b/.lightly/b.jpg"]


@pytest.mark.parametrize("redirected", [True, False])
def test_odd_names_come_back_as_they_are_and_can_be_read(local, redirected):
    write_files(local.input, ODD_NAMES)

    listed = local.list(useRedirectedReadUrl=redirected)

    assert set(listed) == set(ODD_NAMES)
    for name, url in listed.items():
        answer = local.server.anonymous_client().get(url)
        assert (answer.status_code, answer.content) == (200, PNG + name.encode()), name


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"from": 100, "to": 102}, ["100.jpg", "101.jpg", "102.jpg"]),
        ({"from": 101}, ["101.jpg", "102.jpg", "103.jpg"]),
        ({"to": 100}, ["100.jpg"]),
        ({"from": 103, "to": 102}, []),
        ({"from": 10**30, "to": 10**30}, []),
    ],
)
def test_from_and_to_are_seconds_of_the_last_change_and_both_count(local, query, expected):
    for second in (100, 101, 102, 103):
        write_files(local.input, [f"{second}.jpg"], modified_at_s=second)

    assert list(local.list(**query)) == expected


def test_a_cursor_stands_for_position_and_time(local, monkeypatch):
    monkeypatch.setattr(listings, "PAGE_FILES", 1)
    for second in (100, 101, 102, 103):
        write_files(local.input, [f"{second}.jpg"], modified_at_s=second)
    first = local.client.get(f"{local.url}/list", params={"from": 101, "to": 102}).json()

    second = local.client.get(
        f"{local.url}/list", params={"cursor": first["cursor"], "from": 0, "to": 200}
    ).json()

    names = [row["fileName"] for page in (first, second) for row in page["data"]]
    assert names == ["101.jpg", "102.jpg"]


@pytest.mark.parametrize("page_files", [1, 2, 3, 7])
def test_pages_together_are_the_whole_listing(local, monkeypatch, page_files):
    names = [f"{folder}{number}.jpg" for folder in ("", "a/", "a-/", "b/c/") for number in range(5)]
    write_files(local.input, names)
    whole = list(local.list())
    monkeypatch.setattr(listings, "PAGE_FILES", page_files)

    assert [name for name, _ in local.walk()] == whole == sorted(names)


def test_the_cursor_of_the_last_page_leads_to_nothing(local):
    write_files(local.input, ["a.jpg"])
    last = local.client.get(f"{local.url}/list").json()

    beyond = local.client.get(f"{local.url}/list", params={"cursor": last["cursor"]}).json()

    assert last["hasMore"] is beyond["hasMore"] is False
    assert beyond["data"] == []


@pytest.mark.parametrize("shards", [1, 2, 3, 8, 100_000])
def test_parts_share_nothing_and_are_the_whole(local, shards, monkeypatch):
    monkeypatch.setattr(listings, "PAGE_FILES", 4)
    names = {f"{folder}{n}.jpg" for folder in ("", "a/", "b/c/", "é/") for n in range(20)}
    write_files(local.input, names)
    response = local.client.get(f"{local.url}/list/dnc", params={"dncShards": shards})

    cursors = response.json()["cursors"]
    parts = [[name for name, _ in local.walk(cursor=cursor)] for cursor in cursors]

    assert 1 <= len(cursors) <= shards
    assert all(cursors)
    assert sorted(name for part in parts for name in part) == sorted(names)
    if shards == 8:
        assert max(map(len, parts)) <= 20


def test_an_empty_folder_has_one_part(local):
    answer = local.client.get(f"{local.url}/list/dnc", params={"dncShards": 4}).json()

    assert len(answer["cursors"]) == 1
    assert local.list(cursor=answer["cursors"][0]) == {}


def test_parts_keep_from_and_to(local):
    for second in (100, 101):
        write_files(local.input, [f"{second}.jpg"], modified_at_s=second)
    (cursor,) = local.client.get(
        f"{local.url}/list/dnc", params={"dncShards": 1, "from": 101, "to": 101}
    ).json()["cursors"]

    assert list(local.list(cursor=cursor)) == ["101.jpg"]


@pytest.mark.parametrize("change", ["", "x", "1.", "2.{}", "{}0", "0{}", "1.a.b", "é" * 100])
def test_a_cursor_that_was_changed_is_refused(local, change):
    write_files(local.input, ["a.jpg"])
    cursor = local.client.get(f"{local.url}/list").json()["cursor"]
    changed = change.format(cursor.removeprefix("1.")) or cursor[:-1]

    response = local.client.get(f"{local.url}/list", params={"cursor": changed})

    assert response.status_code == 422


def test_a_cursor_is_good_for_one_listing_only(local, mounted):
    cursor = local.client.get(f"{local.url}/list").json()["cursor"]
    other = make_local_dataset(mounted, "photos", name="other")

    for url in (f"{other.url}/list", f"{local.url}/metadata/list"):
        assert local.client.get(url, params={"cursor": cursor}).status_code == 422


def test_predictions_of_a_task_are_listed_with_their_whole_names(local):
    folder = ".lightly/predictions"
    mine = [f"{folder}/task/a.json", f"{folder}/task/b/c.json"]
    write_files(
        local.lightly,
        [*mine, f"{folder}/task/schema.json", f"{folder}/task/x.txt", f"{folder}/task2/d.json"],
    )

    listed = local.list("predictions/list", taskName="task")

    assert list(listed) == mine
    assert local.server.anonymous_client().get(listed[mine[0]]).status_code == 200


def test_metadata_are_listed_without_their_schema(local):
    folder = ".lightly/metadata"
    write_files(
        local.lightly, [f"{folder}/a.json", f"{folder}/b/schema.json", f"{folder}/schema.json"]
    )

    assert list(local.list("metadata/list")) == [f"{folder}/a.json", f"{folder}/b/schema.json"]


@pytest.mark.parametrize("path", ["predictions", "metadata"])
def test_predictions_and_metadata_have_parts_too(local, path):
    names = [f".lightly/{path}/task/{number}.json" for number in range(40)]
    write_files(local.lightly, names)
    query = {"taskName": "task"} if path == "predictions" else {}
    cursors = local.client.get(
        f"{local.url}/{path}/list/dnc", params={"dncShards": 4, **query}
    ).json()["cursors"]

    found = [
        name for cursor in cursors for name in local.list(f"{path}/list", cursor=cursor, **query)
    ]

    assert len(cursors) == 4
    assert sorted(found) == sorted(names)


def test_a_task_without_predictions_has_an_empty_list(local):
    assert local.list("predictions/list", taskName="nothing/here") == {}


@pytest.mark.parametrize("task", ["..", "../..", "a/../../../..", "./x", "/etc"])
def test_a_task_name_leads_nowhere_else(local, task):
    write_files(local.lightly, ["a.json", ".lightly/a.json", ".lightly/predictions/a.json"])

    assert local.list("predictions/list", taskName=task) == {}


def test_relevant_filenames_restrict_a_listing(local):
    names = ["a/1.jpg", "a/2.jpg", "a/31.jpg", "a/32.jpg", "b.jpg", "b b.jpg", "c.jpg"]
    write_files(local.input, names)
    rules = "b b.jpg\r\n\na/* a/3* !a/32.jpg\nmissing.jpg\n"
    (local.lightly / ".lightly").mkdir()
    (local.lightly / ".lightly/relevant.txt").write_text(rules)

    listed = local.list(relevantFilenamesFileName=".lightly/relevant.txt")

    assert list(listed) == ["a/1.jpg", "a/2.jpg", "a/32.jpg", "b b.jpg"]


def test_relevant_filenames_are_repeated_with_every_cursor(local):
    write_files(local.input, [f"{number}.jpg" for number in range(20)])
    (local.lightly / ".lightly").mkdir()
    (local.lightly / ".lightly/relevant.txt").write_text("1*")
    rules = {"relevantFilenamesFileName": ".lightly/relevant.txt"}
    cursors = local.client.get(f"{local.url}/list/dnc", params={"dncShards": 3, **rules}).json()[
        "cursors"
    ]

    found = [name for cursor in cursors for name in local.list(cursor=cursor, **rules)]

    assert sorted(found) == sorted(["1.jpg", *(f"{number}.jpg" for number in range(10, 20))])


def test_predictions_and_metadata_of_relevant_files_are_kept(local):
    for kind in ("predictions/task", "metadata"):
        write_files(
            local.lightly,
            [f".lightly/{kind}/{name}.json" for name in ("a/1", "a/2", "film-099-mp4", "x-1-mp4")],
        )
    (local.lightly / ".lightly/relevant.txt").write_text("a/1.jpg\nfilm.mp4\n")
    rules = {"relevantFilenamesFileName": ".lightly/relevant.txt"}

    predictions = local.list("predictions/list", taskName="task", **rules)
    metadata = local.list("metadata/list", **rules)

    assert [name.split("task/")[1] for name in predictions] == ["a/1.json", "film-099-mp4.json"]
    assert [name.split("metadata/")[1] for name in metadata] == ["a/1.json", "film-099-mp4.json"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (".lightly/missing.txt", None),
        (".lightly/relevant.txt", b"\xff\xfe"),
        (".lightly/relevant.txt", b"../a.jpg"),
        (".lightly/relevant.txt", b"/a.jpg"),
        (".lightly/relevant.txt", b"a* " + b"x" * 2000),
    ],
)
def test_bad_relevant_filenames_are_refused_at_once(local, name, content):
    if content is not None:
        (local.lightly / ".lightly").mkdir()
        (local.lightly / name).write_bytes(content)

    response = local.client.get(f"{local.url}/list", params={"relevantFilenamesFileName": name})

    assert response.status_code == 422
    assert response.json()["code"] == "DATASET_DATASOURCE_RELEVANT_FILENAMES_INVALID"


def test_of_a_run_both_ids_are_needed(local):
    response = local.client.get(
        f"{local.url}/metadata/list", params={"relevantFilenamesRunId": "a" * 24}
    )

    assert response.status_code == 422


@pytest.mark.parametrize("path", ["list", "list/dnc"])
@pytest.mark.parametrize(
    "query",
    [
        {"taskName": "my task"},
        {"taskName": "task", "relevantFilenamesRunId": "mine"},
        {"taskName": "task", "relevantFilenamesArtifactId": "A" * 24},
    ],
)
def test_filters_that_match_nothing_are_refused_at_once(local, path, query):
    """On 400 the newest client would repeat the call for 31 seconds; 422 it raises."""
    parameters = query | {"dncShards": 2}

    response = local.client.get(f"{local.url}/predictions/{path}", params=parameters)

    assert (response.status_code, response.json()["code"]) == (422, "MALFORMED_REQUEST")


@pytest.mark.parametrize("kind", ["predictions", "metadata", "embeddings"])
def test_a_file_of_the_platform_is_read_by_its_url(local, kind):
    write_files(local.lightly, [f".lightly/{kind}/folder/a b.json"])
    made = local.client.get(f"{local.url}/{kind}/file", params={"fileName": "folder/a b.json"})

    answer = local.server.anonymous_client().get(made.json())

    assert answer.content.startswith(PNG)


@pytest.mark.parametrize("kind", ["predictions", "metadata", "embeddings"])
def test_a_file_that_is_not_there_has_a_url_all_the_same(local, kind):
    made = local.client.get(f"{local.url}/{kind}/file", params={"fileName": "nothing.json"})

    assert made.status_code == 200
    assert local.server.anonymous_client().get(made.json()).status_code == 404


def test_the_head_url_tells_of_a_file_and_does_not_send_it(local):
    write_files(local.input, ["a/b.jpg"])
    made = local.client.get(f"{local.url}/fileHEAD", params={"fileName": "a/b.jpg"}).json()
    anyone = local.server.anonymous_client()

    assert int(anyone.head(made).headers["Content-Length"]) == len(PNG + b"a/b.jpg")
    assert anyone.get(made).status_code == 403


def test_part_of_a_file_can_be_read(local):
    write_files(local.input, ["a.jpg"])
    (url,) = local.list().values()

    answer = local.server.anonymous_client().get(url, headers={"Range": "bytes=1-3"})

    assert (answer.status_code, answer.content) == (206, b"PNG")


@pytest.mark.parametrize("times", [1, 2])
def test_predictions_are_written_by_url_and_listed(local, times):
    made = local.client.get(
        f"{local.url}/predictions/writeUrl", params={"fileName": "task/a b.json"}
    ).json()

    for number in range(times):
        answer = local.server.anonymous_client().put(made, content=b'{"n": %d}' % number)
        assert answer.status_code == 200

    path = local.lightly / ".lightly/predictions/task/a b.json"
    assert path.read_bytes() == b'{"n": %d}' % (times - 1)
    assert list(local.list("predictions/list", taskName="task")) == [
        ".lightly/predictions/task/a b.json"
    ]


def test_verify_finds_everything_right_and_leaves_nothing(local):
    write_files(local.input, ["a.jpg"])

    answer = local.client.get(f"{local.url}/verify").json()

    assert answer == dict.fromkeys(("canList", "canRead", "canWrite", "canOverwrite"), True)
    assert list(local.lightly.rglob("*")) == []


def test_verify_says_which_flag_is_missing(server):
    client = ContractClient(server.client)
    url = f"/v1/datasets/{make_dataset(client)}/datasource"
    client.put(url, json=CONFIGURATIONS["LOCAL"])

    answer = client.get(f"{url}/verify").json()
    listed = client.get(f"{url}/list")

    assert not any(answer[name] for name in ("canList", "canRead", "canWrite", "canOverwrite"))
    assert "--input-mount" in answer["errors"]["canList"]
    assert "--lightly-mount" in answer["errors"]["canWrite"]
    assert (listed.status_code, listed.json()["code"]) == (422, "DATASET_DATASOURCE_INVALID")


def test_verify_names_the_folder_that_is_missing(local):
    local.input.rmdir()

    answer = local.client.get(f"{local.url}/verify").json()

    assert "'photos'" in answer["errors"]["canList"]
    assert str(local.input) not in str(answer)
    assert answer["canWrite"]


def test_with_an_input_mount_alone_nothing_can_be_written(tmp_path):
    with run_in_process(tmp_path / "data", input_mount=str(tmp_path / "in")) as running:
        client = ContractClient(running.client)
        url = f"/v1/datasets/{make_dataset(client)}/datasource"
        (tmp_path / "in").mkdir()
        client.put(url, json=CONFIGURATIONS["LOCAL"] | {"fullPath": ""})

        answer = client.get(f"{url}/verify").json()
        refused = client.get(f"{url}/predictions/writeUrl", params={"fileName": "a.json"})

    assert (answer["canList"], answer["canRead"]) == (True, True)
    assert (answer["canWrite"], answer["canOverwrite"]) == (False, False)
    assert refused.status_code == 422
    assert list((tmp_path / "in").iterdir()) == []


def test_the_servers_own_storage_lists_uploaded_images(stored):
    client, url = stored
    for name in ("b.jpg", "a.jpg", "not uploaded.jpg"):
        made = client.post(f"{url}/samples/withWriteUrls", json={"fileName": name}).json()
        if "not" not in name:
            client.put(made["sampleWriteUrls"]["full"], content=PNG + name.encode())

    page = client.get(f"{url}/datasource/list").json()

    urls = {row["fileName"]: row["readUrl"] for row in page["data"]}
    assert sorted(urls) == ["a.jpg", "b.jpg"]
    assert client.get(urls["b.jpg"]).content == PNG + b"b.jpg"


def test_parts_of_the_servers_own_storage_share_nothing(stored):
    client, url = stored
    for number in range(10):
        made = client.post(f"{url}/samples/withWriteUrls", json={"fileName": f"{number}.jpg"})
        client.put(made.json()["sampleWriteUrls"]["full"], content=PNG)
    cursors = client.get(f"{url}/datasource/list/dnc", params={"dncShards": 3}).json()["cursors"]

    pages = [client.get(f"{url}/datasource/list", params={"cursor": one}).json() for one in cursors]

    parts = [[row["fileName"] for row in page["data"]] for page in pages]
    assert len(cursors) == 3
    assert {len(part) for part in parts} == {3, 4}
    assert sorted(name for part in parts for name in part) == [
        f"{number}.jpg" for number in range(10)
    ]


def test_the_servers_own_storage_takes_and_lists_predictions(stored):
    client, url = stored
    query = {"fileName": "task/ä b.json"}
    write_url = client.get(f"{url}/datasource/predictions/writeUrl", params=query).json()
    before = client.get(f"{url}/datasource/predictions/list", params={"taskName": "task"}).json()
    client.put(write_url, content=b"{}")
    read_url = client.get(f"{url}/datasource/predictions/file", params=query).json()

    after = client.get(f"{url}/datasource/predictions/list", params={"taskName": "task"}).json()

    assert before["data"] == []
    assert [row["fileName"] for row in after["data"]] == [".lightly/predictions/task/ä b.json"]
    assert client.get(after["data"][0]["readUrl"]).content == b"{}"
    assert client.get(read_url).content == b"{}"


def test_files_of_the_servers_own_storage_are_found_page_by_page(stored, monkeypatch):
    client, url = stored
    monkeypatch.setattr(listings, "PAGE_FILES", 2)
    monkeypatch.setattr("lightly.server.datasources.platform_store._PIECE_NAMES", 3)
    names = [f"task/{name}.json" for name in ("B", "a", "a-b", "a/b", "é", "日", "z", "_")]
    for name in names:
        made = client.get(f"{url}/datasource/predictions/writeUrl", params={"fileName": name})
        client.put(made.json(), content=b"{}")
    query = {"taskName": "task"}
    found = []
    while True:
        page = client.get(f"{url}/datasource/predictions/list", params=query).json()
        found += [row["fileName"].removeprefix(".lightly/predictions/") for row in page["data"]]
        if not page["hasMore"]:
            break
        query["cursor"] = page["cursor"]

    assert found == sorted(names)


def test_the_servers_own_storage_is_verified_without_a_trace(stored, server):
    client, url = stored
    before = set(server.platform.blobs.list_keys("datasets/"))

    answer = client.get(f"{url}/datasource/verify").json()

    assert answer == dict.fromkeys(("canList", "canRead", "canWrite", "canOverwrite"), True)
    assert set(server.platform.blobs.list_keys("datasets/")) == before


def test_an_image_of_a_sample_comes_from_the_datasource(local):
    write_files(local.input, ["a b/c.jpg"])
    client, url = local.client, local.url.removesuffix("/datasource")
    sample_id = client.post(f"{url}/samples", json={"fileName": "a b/c.jpg"}).json()["id"]

    full = client.get(f"{url}/samples/{sample_id}/readurl").json()
    thumbnail = client.get(
        f"{url}/samples/{sample_id}/readurl", params={"type": "thumbnail"}
    ).json()

    assert local.server.anonymous_client().get(full).content == PNG + b"a b/c.jpg"
    assert local.server.anonymous_client().get(thumbnail).content == PNG + b"a b/c.jpg"


def test_an_archive_takes_images_from_the_mount_and_nothing_beside_it(local, tmp_path):
    write_files(local.input, ["a b/c.jpg"])
    write_files(tmp_path, ["secret.jpg"])
    (local.input / "out.jpg").symlink_to(tmp_path / "secret.jpg")
    client, url = local.client, local.url.removesuffix("/datasource")
    for name in ("gone.jpg", "a b/c.jpg", "out.jpg", "a//d.jpg"):
        client.post(f"{url}/samples", json={"fileName": name})
    tag_id = client.post(f"{url}/tags/initial", json={"imgType": "full"}).json()["id"]

    response = client.get(f"{url}/tags/{tag_id}/export/zip")

    with zipfile.ZipFile(io.BytesIO(response.content)) as opened:
        assert opened.namelist() == ["a b/c.jpg"]
        assert opened.read("a b/c.jpg") == PNG + b"a b/c.jpg"
        assert opened.comment == b"1 of 4 images are stored."


def test_a_thumbnail_comes_from_where_the_datasource_says(local):
    client, url = local.client, local.url.removesuffix("/datasource")
    suffix = ".lightly/thumbnails/[filename]_thumb.[extension]"
    body = {"type": "LOCAL", "fullPath": "photos", "purpose": "INPUT_OUTPUT", "thumbSuffix": suffix}
    client.put(local.url, json=body)
    write_files(local.input, ["a/b.jpg", "c.jpg"])
    write_files(local.lightly, [".lightly/thumbnails/a/b_thumb.jpg"])
    contents = []
    for name in ("a/b.jpg", "c.jpg"):
        sample_id = client.post(f"{url}/samples", json={"fileName": name}).json()["id"]
        made = client.get(f"{url}/samples/{sample_id}/readurl", params={"type": "thumbnail"}).json()
        contents.append(local.server.anonymous_client().get(made).content)

    assert contents == [PNG + b".lightly/thumbnails/a/b_thumb.jpg", PNG + b"c.jpg"]


@pytest.mark.parametrize(
    ("body", "folder"),
    [
        (
            {
                "videoFrameData": {
                    "sourceVideo": "film.mp4",
                    "sourceVideoFrameIndex": 1,
                    "sourceVideoFrameTimestamp": 0.1,
                }
            },
            "frames",
        ),
        (
            {
                "cropData": {
                    "parentId": "a" * 24,
                    "predictionUUIDTimestamp": 0,
                    "predictionIndex": 0,
                    "predictionTaskName": "task",
                    "predictionTaskCategoryId": 0,
                    "predictionTaskScore": 0.5,
                }
            },
            "crops",
        ),
    ],
)
def test_frames_and_crops_lie_beside_what_else_the_platform_makes(local, body, folder):
    client, url = local.client, local.url.removesuffix("/datasource")
    write_files(local.lightly, [f".lightly/{folder}/film-1-mp4.png"])
    made = client.post(f"{url}/samples", json={"fileName": "film-1-mp4.png", **body}).json()

    read_url = client.get(f"{url}/samples/{made['id']}/readurl").json()

    assert local.server.anonymous_client().get(read_url).status_code == 200


def test_what_was_uploaded_goes_before_what_lies_in_the_datasource(local):
    write_files(local.input, ["a.jpg"])
    client, url = local.client, local.url.removesuffix("/datasource")
    made = client.post(f"{url}/samples/withWriteUrls", json={"fileName": "a.jpg"}).json()
    client.put(made["sampleWriteUrls"]["thumb"], content=PNG + b"uploaded")

    read_url = client.get(
        f"{url}/samples/{made['id']}/readurl", params={"type": "thumbnail"}
    ).json()

    assert client.get(read_url).content == PNG + b"uploaded"


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        ({"fullPath": "http://host:1234/my photos"}, "http://host:1234/my%20photos/a%20b.jpg"),
        ({"fullPath": "photos"}, "http://localhost:3456/photos/a%20b.jpg"),
        ({"fullPath": "", "webServerLocation": "https://h/x/"}, "https://h/x/a%20b.jpg"),
    ],
)
def test_without_a_mount_browsers_are_sent_to_the_users_own_server(server, configuration, expected):
    client = ContractClient(server.client)
    url = f"/v1/datasets/{make_dataset(client)}"
    body = {"type": "LOCAL", "purpose": "INPUT_OUTPUT", **configuration}
    assert client.put(f"{url}/datasource", json=body).status_code == 204
    sample_id = client.post(f"{url}/samples", json={"fileName": "a b.jpg"}).json()["id"]

    assert client.get(f"{url}/samples/{sample_id}/readurl").json() == expected


def test_an_exported_url_leads_to_the_datasource(local):
    write_files(local.input, ["a.jpg"])
    client, url = local.client, local.url.removesuffix("/datasource")
    client.post(f"{url}/samples", json={"fileName": "a.jpg"})
    tag_id = client.post(f"{url}/tags/initial", json={"imgType": "full"}).json()["id"]
    (row,) = client.get(f"{url}/tags/{tag_id}/export/LabelBoxV4/datarows").json()

    answer = local.server.anonymous_client().get(row["row_data"])

    assert answer.content == PNG + b"a.jpg"


def test_a_redirected_url_opens_one_file_for_whoever_has_it(local):
    write_files(local.input, ["a.jpg", "b.jpg"])
    listed = local.list(useRedirectedReadUrl=True)
    parts = urlsplit(listed["a.jpg"])
    token = parse_qs(parts.query)["publicToken"][0]
    anyone = local.server.anonymous_client()

    other = anyone.get(parts.path, params={"path": "b.jpg", "publicToken": token})

    assert anyone.get(listed["a.jpg"]).content == PNG + b"a.jpg"
    assert other.status_code == 401


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (CONFIGURATIONS["S3"], "s3://bucket/path/a b.jpg"),
        (CONFIGURATIONS["LOCAL"], "photos/raw/a b.jpg"),
        (CONFIGURATIONS["LOCAL"] | {"fullPath": ""}, "a b.jpg"),
        (CONFIGURATIONS["LIGHTLY"], "a b.jpg"),
    ],
)
def test_whole_names_in_exports_begin_with_the_datasource(server, body, expected):
    client = ContractClient(server.client)
    url = f"/v1/datasets/{make_dataset(client)}"
    client.put(f"{url}/datasource", json=body)
    client.post(f"{url}/samples", json={"fileName": "a b.jpg"})
    tag_id = client.post(f"{url}/tags/initial", json={"imgType": "full"}).json()["id"]

    rows = client.get(
        f"{url}/tags/{tag_id}/export/basic/filenamesAndReadUrls",
        params={"fileNameFormat": "DATASOURCE_FULL"},
    ).json()
    names = client.get(
        f"{url}/tags/{tag_id}/export/basic/filenames",
        params={"fileNameFormat": "DATASOURCE_FULL", "format": "JSON"},
    )

    assert [row["fileName"] for row in rows] in ([expected], ["a b.jpg"])
    assert expected in names.text


def test_a_listing_goes_on_after_a_restart(tmp_path, monkeypatch):
    monkeypatch.setattr(listings, "PAGE_FILES", 2)
    mounts = {name: str(tmp_path / name) for name in ("input_mount", "lightly_mount")}
    with run_in_process(tmp_path / "data", **mounts) as running:
        local = make_local_dataset(running, "photos")
        write_files(local.input, [f"{number}.jpg" for number in range(5)])
        first = local.client.get(f"{local.url}/list").json()
    with run_in_process(tmp_path / "data", **mounts) as running:
        client = ContractClient(running.client)
        second = client.get(f"{local.url}/list", params={"cursor": first["cursor"]}).json()
        image = running.anonymous_client().get(first["data"][0]["readUrl"])

    assert [row["fileName"] for row in second["data"]] == ["2.jpg", "3.jpg"]
    assert image.content == PNG + b"0.jpg"


def test_a_page_that_finds_nothing_for_long_is_empty_and_goes_on(local, monkeypatch):
    monkeypatch.setattr(listings, "PAGE_S", -1.0)
    monkeypatch.setattr(listings, "BLOCK_FILES", 1)
    write_files(local.input, ["a.txt", "b.txt", "c.jpg"])
    first = local.client.get(f"{local.url}/list").json()

    assert (first["hasMore"], first["data"]) == (True, [])
    assert list(local.list()) == ["c.jpg"]
