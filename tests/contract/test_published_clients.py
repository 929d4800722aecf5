"""Published clients can be imported and their scripts are run, killed and reported on."""

import time

import pytest
from PIL import Image

from tests.support.published_clients.runner import (
    ClientScriptError,
    run_client_script,
    start_client_script,
)

SERVER = {"server_url": "http://127.0.0.1:9", "token": "a-token-of-nobody"}


@pytest.mark.parametrize("version", ["1.2.28", "1.5.26"])
def test_client_under_test_can_be_imported(version):
    run = run_client_script(
        version,
        """
        import lightly
        from lightly.api import ApiWorkflowClient
        result = [lightly.__version__, ApiWorkflowClient.__name__]
        """,
        **SERVER,
    )

    assert run.result == [version, "ApiWorkflowClient"]


def test_client_gets_server_and_token_and_nothing_of_the_surroundings(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://proxy")
    monkeypatch.setenv("LIGHTLY_CA_CERTS", "certificates.pem")

    run = run_client_script(
        "1.5.26",
        "import os; result = dict(os.environ)",
        variables={"LIGHTLY_S3_SSE_KMS_KEY": "key"},
        **SERVER,
    )

    assert run.result["LIGHTLY_SERVER_LOCATION"] == SERVER["server_url"]
    assert run.result["LIGHTLY_TOKEN"] == SERVER["token"]
    assert run.result["LIGHTLY_DID_VERSION_CHECK"] == "True"
    assert run.result["LIGHTLY_S3_SSE_KMS_KEY"] == "key"
    assert not {"HTTP_PROXY", "LIGHTLY_CA_CERTS"} & set(run.result)


def test_arguments_and_result_travel_as_json(tmp_path):
    script = tmp_path / "double.py"
    script.write_text("print('working'); result = {'twice': arguments['values'] * 2}", "utf-8")

    run = run_client_script("1.5.26", script, arguments={"values": [1, None, "ä"]}, **SERVER)

    assert run.result == {"twice": [1, None, "ä", 1, None, "ä"]}
    assert run.stdout == "working\n"


def test_failing_script_is_reported_with_its_traceback():
    with pytest.raises(ClientScriptError, match="ValueError: no such luck"):
        run_client_script("1.5.26", "raise ValueError('no such luck')", **SERVER)


def test_failing_script_can_be_examined():
    run = run_client_script("1.5.26", "import sys; sys.exit(3)", check=False, **SERVER)

    assert (run.returncode, run.result) == (3, None)


def test_script_that_takes_too_long_is_killed_and_reported():
    with pytest.raises(ClientScriptError, match=r"had not ended after 1 s(.|\n)*halfway"):
        run_client_script(
            "1.5.26", "import time; print('halfway'); time.sleep(60)", timeout_s=1, **SERVER
        )


def test_running_script_can_be_killed():
    with start_client_script("1.5.26", "import time; time.sleep(60)", **SERVER) as script:
        was_running = script.is_running
        script.kill()
        run = script.wait(timeout_s=10)

    assert was_running
    assert run.returncode == -9


def test_pauses_of_a_client_can_be_cut():
    start = time.monotonic()

    run_client_script("1.5.26", "import time; time.sleep(60)", longest_sleep_s=0.01, **SERVER)

    assert time.monotonic() - start < 30


def test_client_that_is_not_installed_is_reported_with_the_remedy():
    with pytest.raises(ClientScriptError, match="install_published_clients"):
        run_client_script("0.0.1", "", **SERVER)


def test_old_client_reads_folders_of_images_without_torch(tmp_path):
    for name in ["b/2.png", "a/deep/1.png", "a/notes.txt"]:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".png":
            Image.new("RGB", (4, 3)).save(file)
        else:
            file.write_text("no image", "utf-8")

    run = run_client_script(
        "1.2.28",
        """
        from lightly.data import LightlyDataset
        dataset = LightlyDataset(input_dir=arguments["folder"])
        image, label, name = dataset[1]
        result = [dataset.get_filenames(), image.size, label, name]
        """,
        arguments={"folder": str(tmp_path)},
        **SERVER,
    )

    assert run.result == [["a/deep/1.png", "b/2.png"], [4, 3], 1, "b/2.png"]


def test_old_client_reads_a_flat_folder_without_torch(tmp_path):
    Image.new("RGB", (4, 3)).save(tmp_path / "1.png")

    run = run_client_script(
        "1.2.28",
        """
        from lightly.data import LightlyDataset
        result = LightlyDataset(input_dir=arguments["folder"]).get_filenames()
        """,
        arguments={"folder": str(tmp_path)},
        **SERVER,
    )

    assert run.result == ["1.png"]
