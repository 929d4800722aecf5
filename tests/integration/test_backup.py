"""A backup makes a server that answers as the old one did, on any database and store."""

from __future__ import annotations

import io
import shutil
import tarfile
from pathlib import Path

import orjson
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from lightly.cli.main import lightly
from lightly.server.db.engine import open_database
from tests.conftest import DATABASES
from tests.support.contents import read_contents
from tests.support.platforms import TOKEN, run_in_process
from tests.support.population import populate


def run(*arguments):
    return CliRunner().invoke(lightly, ["admin", *map(str, arguments)], catch_exceptions=True)


def collect(server):
    """Every row, and every object with its bytes."""
    contents = read_contents(server.platform)
    blobs = server.platform.blobs
    contents["blobs"] = []
    for key in sorted(blobs.list_keys("datasets")):
        with blobs.open(key) as file:
            contents["blobs"].append((key, file.read()))
    return contents


def read(answer):
    is_json = answer.headers["content-type"] == "application/json"
    return answer.json() if is_json else answer.content


def read_answers(client):
    """What a client sees of everything that it owns."""
    answers = {}
    for dataset in client.get("/v1/datasets").json():
        base = f"/v1/datasets/{dataset['id']}"
        paths = [base, f"{base}/samples", f"{base}/tags", f"{base}/mappings?field=fileName"]
        for tag in client.get(f"{base}/tags").json():
            paths.append(f"{base}/tags/{tag['id']}/export/basic/filenames")
            paths.append(f"{base}/tags/{tag['id']}/filenames")
        answers |= {path: read(client.get(path)) for path in paths}
    return answers


@pytest.fixture
def saved(tmp_path):
    """A backup, and what was in the server when it was made."""
    with run_in_process(tmp_path / "old") as server:
        alice = populate(server).alice.client
        contents, answers = collect(server), read_answers(alice)
        token = alice.headers["Authorization"].removeprefix("Bearer ")
        result = run("backup", tmp_path / "all.tar", "--data-dir", tmp_path / "old")
    assert result.exit_code == 0, result.output
    assert contents["blobs"]
    assert len(answers) > 5
    return tmp_path / "all.tar", contents, answers, token


@pytest.mark.parametrize("kind", DATABASES)
def test_everything_comes_back(saved, kind, tmp_path, make_database_url):
    file, contents, answers, token = saved
    place = ["--data-dir", tmp_path / "new"]
    url = make_database_url(kind)
    if url:
        place += ["--database-url", url]

    result = run("restore", file, *place)

    assert result.exit_code == 0, result.output
    with run_in_process(tmp_path / "new", url) as server:
        assert collect(server) == contents
        assert read_answers(server.client_of(token)) == answers


@pytest.mark.postgres
def test_a_laptop_moves_to_postgresql_and_an_object_store(
    saved, tmp_path, make_database_url, s3_server, monkeypatch
):
    file, contents, answers, token = saved
    for name, value in s3_server.variables.items():
        monkeypatch.setenv(name, value)
    url, storage_url = make_database_url("postgres"), s3_server.make_url()

    result = run(
        *("restore", file, "--data-dir", tmp_path / "new"),
        *("--database-url", url, "--storage-url", storage_url),
    )

    assert result.exit_code == 0, result.output
    with run_in_process(tmp_path / "new", url, storage_url=storage_url) as server:
        assert collect(server) == contents
        assert read_answers(server.client_of(token)) == answers


@pytest.mark.postgres
def test_new_rows_are_numbered_after_the_restored_ones(saved, tmp_path, make_database_url):
    file, *_ = saved
    url = make_database_url("postgres")
    run("restore", file, "--data-dir", tmp_path / "new", "--database-url", url)

    with run_in_process(tmp_path / "new", url) as server:
        answer = server.client.post("/v1/datasets", json={"name": "after the restore"})

    assert answer.status_code == 201


def test_old_tokens_work_on(saved, tmp_path):
    file, *_ = saved
    run("restore", file, "--data-dir", tmp_path / "new")

    with run_in_process(tmp_path / "new") as server:
        assert server.client_of(TOKEN).get("/v1/datasets").status_code == 200


def test_a_server_with_users_is_never_written_to(saved, tmp_path):
    file, *_ = saved
    with run_in_process(tmp_path / "other") as server:
        before = collect(server)

        result = run("restore", file, "--data-dir", tmp_path / "other")

        assert collect(server) == before
    assert result.exit_code != 0
    assert "never replaces" in str(result.exception)


def test_a_file_that_was_cut_off_is_refused_and_leaves_nothing(saved, tmp_path):
    file, *_ = saved
    content = file.read_bytes()
    seal = content.index(b"complete.json")
    for length in (0, 100, 600, seal // 5, seal // 2, seal - 512, seal, seal + 300):
        file.write_bytes(content[:length])

        result = run("restore", file, "--data-dir", tmp_path / "new")

        assert result.exit_code != 0
        assert "backup" in str(result.exception), length
    assert not (tmp_path / "new" / "blobs" / "datasets").exists()


def test_a_restore_that_was_killed_is_run_again(saved, tmp_path, monkeypatch):
    file, contents, *_ = saved
    place = ["--data-dir", tmp_path / "new"]
    with monkeypatch.context() as patch:
        patch.setattr("lightly.server.backup.restoring._continue_numbering", _be_killed)
        assert run("restore", file, *place).exit_code != 0

    result = run("restore", file, *place)

    assert result.exit_code == 0, result.output
    with run_in_process(tmp_path / "new") as server:
        assert collect(server) == contents


def test_without_the_key_in_the_file_it_has_to_be_there(saved, tmp_path):
    file = tmp_path / "keyless.tar"
    run("backup", file, "--without-key", "--data-dir", tmp_path / "old")
    key = (tmp_path / "old" / "secret-key").read_bytes()

    without = run("restore", file, "--data-dir", tmp_path / "new")
    (tmp_path / "new" / "secret-key").write_bytes(key)
    beside = run("restore", file, "--data-dir", tmp_path / "new")

    assert key.strip() not in file.read_bytes()
    assert "made without the server's key" in str(without.exception)
    assert beside.exit_code == 0, beside.output


def test_another_servers_key_is_refused(saved, tmp_path):
    file, *_ = saved
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "secret-key").write_text("ab" * 32)

    result = run("restore", file, "--data-dir", tmp_path / "new")

    assert result.exit_code != 0
    assert "not the one of this backup" in str(result.exception)


def test_only_the_owner_may_read_a_backup(saved):
    file, *_ = saved

    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["objects/../../outside", "objects//etc/outside"])
def test_no_object_lands_outside_the_store(saved, tmp_path, name):
    file, *_ = saved
    forged = tmp_path / "forged.tar"
    with tarfile.open(file) as old, tarfile.open(forged, "w") as new:
        for member in old.getmembers():
            content = old.extractfile(member)
            is_last_object = member.name.startswith("objects/")
            member.name = name if is_last_object else member.name
            new.addfile(member, content)

    result = run("restore", forged, "--data-dir", tmp_path / "new")

    assert result.exit_code != 0
    assert not list(tmp_path.rglob("outside*"))
    assert not Path("/etc/outside").exists()


def rewrite_manifest(file, target, change):
    with tarfile.open(file) as old, tarfile.open(target, "w") as new:
        for member in old.getmembers():
            content = old.extractfile(member).read()
            if member.name == "manifest.json":
                content = orjson.dumps(change(orjson.loads(content)))
            member.size = len(content)
            new.addfile(member, io.BytesIO(content))
    return target


def test_a_backup_of_an_older_schema_is_migrated(saved, tmp_path):
    """The rows go into their own schema; later migrations find them there."""
    file, *_ = saved
    older = rewrite_manifest(file, tmp_path / "older.tar", _keep_first_tables)

    result = run("restore", older, "--data-dir", tmp_path / "new")

    assert result.exit_code == 0, result.output
    database = open_database(f"sqlite:///{tmp_path / 'new' / 'lightly.sqlite'}")
    with database.read() as connection:
        revision = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        n_datasets = connection.execute(sa.text("SELECT count(*) FROM datasets")).scalar()
    database.close()
    assert revision != "0001"
    assert n_datasets


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda manifest: manifest | {"schema": "9999"}, "newer release"),
        (lambda manifest: manifest | {"format": 2}, "layout 2"),
        (lambda manifest: {"format": 1}, "not a whole backup"),
    ],
)
def test_what_a_newer_release_wrote_is_refused(saved, tmp_path, change, reason):
    file, *_ = saved
    newer = rewrite_manifest(file, tmp_path / "newer.tar", change)

    result = run("restore", newer, "--data-dir", tmp_path / "new")

    assert result.exit_code != 0
    assert reason in str(result.exception)


def test_tables_of_another_schema_are_not_filled(saved, tmp_path):
    file, *_ = saved
    older = rewrite_manifest(file, tmp_path / "older.tar", _keep_first_tables)
    run("migrate", "--data-dir", tmp_path / "new")
    shutil.copy(tmp_path / "old" / "secret-key", tmp_path / "new" / "secret-key")

    result = run("restore", older, "--data-dir", tmp_path / "new")

    assert result.exit_code != 0
    assert "already" in str(result.exception)


def _keep_first_tables(manifest):
    first = {"users", "datasets", "samples", "sample_contents", "tags", "tag_scores"}
    # Not the jobs and the tokens: later releases have given those tables more columns.
    first |= {"embeddings", "embeddings_2d", "metadata_configurations"}
    tables = [name for name in manifest["tables"] if name in first]
    return manifest | {"schema": "0001", "tables": tables}


def _be_killed(*_arguments):
    raise KeyboardInterrupt
