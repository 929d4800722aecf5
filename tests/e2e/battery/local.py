"""What never asks the server, and the version checks."""

from __future__ import annotations

import io
import threading
import urllib.request
import warnings
from pathlib import Path

from PIL import Image

from battery.ledger import cannot_work, step
from battery.world import World, raises


@step(
    "BitMask.from_hex",
    "BitMask.from_bin",
    "BitMask.from_length",
    "BitMask.to_hex",
    "BitMask.to_bin",
    "BitMask.to_indices",
    "BitMask.masked_select_from_list",
)
def bitmasks_are_read_and_written(_world: World) -> None:
    from lightly.api.bitmask import BitMask

    assert BitMask.from_hex("0x59").to_indices() == [0, 3, 4, 6]
    assert BitMask.from_bin("0b101").to_hex() == "0x5"
    assert BitMask.from_length(4).to_bin() == "0b1111"
    assert BitMask.from_bin("0b101").masked_select_from_list(["a", "b", "c"]) == ["a", "c"]


@step(
    "BitMask.invert",
    "BitMask.union",
    "BitMask.intersection",
    "BitMask.difference",
    "BitMask.get_kth_bit",
    "BitMask.set_kth_bit",
    "BitMask.unset_kth_bit",
)
def bitmasks_are_combined(_world: World) -> None:
    from lightly.api.bitmask import BitMask

    mask, other = BitMask.from_bin("0b0110"), BitMask.from_bin("0b0011")
    mask.union(other)
    assert mask.to_bin() == "0b111"
    mask.intersection(BitMask.from_bin("0b110"))
    assert mask.to_bin() == "0b110"
    mask.difference(BitMask.from_bin("0b010"))
    assert mask.to_bin() == "0b100"
    mask.invert(3)
    assert mask.to_bin() == "0b11"
    mask.set_kth_bit(3)
    mask.unset_kth_bit(0)
    assert [mask.get_kth_bit(k) for k in range(4)] == [False, True, False, True]


@step("BitMask.complement", until=(1, 5))
def a_complement_fails(_world: World) -> None:
    from lightly.api.bitmask import BitMask

    assert "total_size" in raises(TypeError, BitMask(5).complement)


cannot_work("BitMask.complement", "calls `invert` without the argument that it needs", until=(1, 5))


@step("BitMask.complement", since=(2, 0))
def a_complement_is_the_rest(_world: World) -> None:
    from lightly.api.bitmask import BitMask

    mask = BitMask.from_bin("0b101")
    mask.complement()
    assert mask.to_bin() == "0b10"


@step("utils.getenv", "utils.check_filename", "utils.PIL_to_bytes")
def helpers(world: World) -> None:
    from lightly.api import utils

    image = Image.new("RGB", (4, 3), "red")
    assert utils.getenv("LIGHTLY_SERVER_LOCATION", "other") == world.url
    assert utils.check_filename("a" * 255)
    assert not utils.check_filename("a" * 256)
    assert Image.open(io.BytesIO(utils.PIL_to_bytes(image).read())).size == (4, 3)


@step("utils.retry", until=(1, 4), ours=True)
def calls_are_repeated(_world: World) -> None:
    from lightly.api import utils

    tries = []

    def fail_twice() -> str:
        tries.append(1)
        if len(tries) < 3:
            raise ValueError
        return "done"

    assert utils.retry(fail_twice) == "done"
    assert len(tries) == 3


@step(
    "utils.build_azure_signed_url_write_headers", "utils.get_signed_url_destination", since=(1, 2)
)
def signed_urls_are_told_apart(world: World) -> None:
    from lightly.api import utils

    headers = utils.build_azure_signed_url_write_headers("12")
    assert headers["x-ms-blob-type"] == "BlockBlob"
    assert headers["Content-Length"] == "12"
    kinds = [
        utils.get_signed_url_destination(url).value
        for url in (world.url, "https://a.s3.b.amazonaws.com/c", "https://a.windows.net/b")
    ]
    assert kinds == ["LOCAL", "S3", "AZURE"]


@step(
    "utils.paginate_endpoint",
    "utils.get_lightly_server_location_from_env",
    "utils.get_api_client_configuration",
    since=(1, 4),
)
def helpers_since_1_4(world: World) -> None:
    from lightly.api import utils

    def serve(page_size: int, page_offset: int) -> list[int]:
        return list(range(7))[page_offset : page_offset + page_size]

    assert list(utils.paginate_endpoint(serve, page_size=3)) == list(range(7))
    if world.line <= (1, 5):
        assert utils.get_api_client_configuration().host == world.url.rstrip("/")
    assert utils.get_lightly_server_location_from_env() == world.url.rstrip("/")


@step(
    "serve.get_server", "serve.validate_input_mount", "serve.validate_lightly_mount", since=(1, 4)
)
def a_folder_is_served(world: World) -> None:
    from lightly.api import serve

    if hasattr(serve, "validate_input_mount"):
        serve.validate_lightly_mount(world.folder)
        if world.line >= (1, 5):
            serve.validate_input_mount(world.folder)
        assert raises(ValueError, serve.validate_lightly_mount, Path("/nothing/here"))
        assert raises(ValueError, serve.validate_input_mount, Path("/nothing/here"))
    (world.folder / "plain").mkdir(exist_ok=True)
    (world.scratch / "served.txt").write_text("content", "utf-8")
    server = serve.get_server(paths=[world.scratch], host="127.0.0.1", port=0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/served.txt"
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.read() == b"content"
    server.shutdown()
    server.server_close()


@step(
    "version_checking.do_version_check",
    "version_checking.get_versioning_api",
    "version_checking.get_latest_version",
    "version_checking.get_minimum_compatible_version",
    until=(1, 2),
)
def versions_are_asked_for(world: World) -> None:
    from lightly.api import version_checking

    api = version_checking.get_versioning_api()
    assert api.get_minimum_compatible_pip_version() == "1.0.0"
    assert version_checking.get_minimum_compatible_version() == "1.0.0"
    newest = version_checking.get_latest_version(world.version)
    assert [int(part) for part in newest.split(".")] >= [1, 5, 26]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert version_checking.do_version_check(world.version) is None


@step("version_checking.version_compare", until=(1, 1))
def versions_are_compared(_world: World) -> None:
    from lightly.api.version_checking import version_compare

    assert [version_compare("1.2.3", other) for other in ("1.2.4", "1.2.3", "0.9.9")] == [-1, 0, 1]


@step(
    "version_checking.pretty_print_latest_version",
    "TimeoutDecorator.handle_timeout_method",
    until=(1, 2),
)
def version_messages(_world: World) -> None:
    from lightly.api import version_checking

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        version_checking.pretty_print_latest_version("1.1.0", "1.5.26")
    assert "1.5.26" in str(caught[0].message)
    decorator = version_checking.TimeoutDecorator(1)
    raises(version_checking.LightlyAPITimeoutException, decorator.handle_timeout_method)


@step("ComputeWorkerRunInfo.in_end_state", "ComputeWorkerRunInfo.ended_successfully", since=(1, 4))
def run_infos_know_their_end(_world: World) -> None:
    from lightly.api.api_workflow_compute_worker import ComputeWorkerRunInfo

    assert ComputeWorkerRunInfo(state="COMPLETED", message="").in_end_state()
    assert ComputeWorkerRunInfo(state="COMPLETED", message="").ended_successfully()
    assert not ComputeWorkerRunInfo(state="FAILED", message="").ended_successfully()
    running = ComputeWorkerRunInfo(state="TRAINING", message="")
    assert raises(ValueError, running.ended_successfully)


@step(
    "api_workflow_compute_worker.selection_config_from_dict",
    "api_workflow_compute_worker.selection_config_entry_from_dict",
    "api_workflow_compute_worker.auto_task_from_dict",
    since=(1, 4),
)
def selections_are_read_from_dictionaries(world: World) -> None:
    from lightly.api import api_workflow_compute_worker as module

    entry = {"input": {"type": "EMBEDDINGS"}, "strategy": {"type": "DIVERSITY"}}
    config = module.selection_config_from_dict({"n_samples": 3, "strategies": [entry]})
    assert (config.n_samples, config.strategies[0].strategy.type) == (3, "DIVERSITY")
    if world.line >= (1, 5):
        assert module.selection_config_entry_from_dict(entry).input.type == "EMBEDDINGS"
        task = module.auto_task_from_dict(
            {"type": "TILING", "name": "tiles", "num_rows": 2, "num_cols": 2}
        )
        assert task.actual_instance.type == "TILING"
