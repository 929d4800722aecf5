"""`lightly worker`."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import click

from lightly import __version__
from lightly._kit.egress import EgressPolicy
from lightly._kit.errors import BadInput
from lightly.api.configuration import read_server_location, read_token
from lightly.cli.key_values import KeyValueCommand, Setting, Values
from lightly.worker.settings import (
    DEFAULT_CACHE_BYTES,
    EGRESS_VARIABLE,
    EXECUTORS,
    MAX_SELECTION_SHARDS,
    WORKER_ID_VARIABLE,
    WorkerSettings,
    find_work_dir,
    make_default_name,
)

_FOLDER = click.Path(file_okay=False, path_type=Path)
#: Words of the old worker image. What a run does is in its configuration, not here.
_OLD_WORDS = (
    Setting("token", "The API token; better in LIGHTLY_TOKEN, where nobody sees it."),
    Setting("worker.worker_id", "Id of a registered worker."),
    Setting("worker.force_start", "Take over from another process with this id.", True),
    Setting("sanity_check", "Print the version and end.", False),
)


#: What of a configuration has its own place there, beside `docker`.
_PARTS = {"docker": "worker_config", "lightly": "lightly_config", "selection": "selection_config"}


def _refuse_options_of_runs(words: tuple[str, ...]) -> None:
    """Raise `BadInput` for what the old image took at its start, and runs take now."""
    known = {setting.key for setting in _OLD_WORDS}
    for word in words:
        name = word.partition("=")[0].lstrip("+")
        first = name.partition(".")[0]
        if name in known or first == "worker":
            continue
        from lightly.utils.run_configuration.free_form import FreeFormDocker

        is_option = first in FreeFormDocker.model_fields
        part = _PARTS.get(first) or ("worker_config" if is_option else "")
        if part:
            raise BadInput(
                f"{name[:80]!r} is an option of runs, not of the worker. Give it as {part} to "
                "schedule_compute_worker_run."
            )


def _read_words(words: tuple[str, ...]) -> Values:
    _refuse_options_of_runs(words)
    command = KeyValueCommand(
        "worker", lambda values: values, settings=_OLD_WORDS, summary="", examples=()
    )
    read: Values = command.run_words(words)
    return read


@click.command()
@click.argument("words", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--server", help="Address of the server. [default: LIGHTLY_SERVER_LOCATION]")
@click.option("--name", help="Name to register under. [default: that of this machine]")
@click.option("--labels", default="", help="Labels to register with, such as gpu,warehouse.")
@click.option("--worker-id", envvar=WORKER_ID_VARIABLE, help="Id of a registered worker.")
@click.option("--input-mount", type=_FOLDER, help="Folder below which LOCAL input is read.")
@click.option("--lightly-mount", type=_FOLDER, help="Folder below which LOCAL output is written.")
@click.option(
    "--executor",
    type=click.Choice(EXECUTORS),
    default="threads",
    show_default=True,
    help="What runs the per-image work and the shards of selections.",
)
@click.option("--executor-address", help="Address of the cluster of Ray or Dask.")
@click.option(
    "--selection-shards",
    type=click.IntRange(1, MAX_SELECTION_SHARDS),
    default=1,
    show_default=True,
    envvar="LIGHTLY_WORKER_SELECTION_SHARDS",
    help="In how many shards to select by DIVERSITY, on the executor. Picks depend on it.",
)
@click.option(
    "--egress-allow",
    default="",
    envvar=EGRESS_VARIABLE,
    help="Networks of stores that are not public, such as 10.1.2.0/24.",
)
@click.option("--work-dir", type=_FOLDER, help="Where results are kept between attempts.")
@click.option("--processes", type=click.IntRange(1), help="Decoding processes. [default: cores]")
@click.option(
    "--auto-tags",
    is_flag=True,
    envvar="LIGHTLY_WORKER_AUTO_TAGS",
    help="Store tags of every selected image, also where no selection asks for them.",
)
@click.option(
    "--cache-gb",
    type=click.FloatRange(0),
    default=DEFAULT_CACHE_BYTES / 1024**3,
    show_default=True,
    help="Disk space for what is known of images, for later runs; 0 for none.",
)
@click.option(
    "--detector",
    envvar="LIGHTLY_WORKER_DETECTOR",
    help="What finds objects for pretagging. [default: the only one that was added]",
)
@click.option("--once", is_flag=True, help="End when no run is left.")
@click.option("--until-eof", is_flag=True, hidden=True, help="End with whoever started this.")
def worker(words: tuple[str, ...], **options: Any) -> None:
    """Take scheduled runs from a server and do them, until SIGTERM.

    The token comes from LIGHTLY_TOKEN. A run that is under way at SIGTERM is handed back, and what
    was computed for it is used again. The words of the old worker image work too, such as
    `token=TOKEN worker.worker_id=ID`.
    """
    from lightly.worker.loop import run_worker

    old = _read_words(words)
    if old["sanity_check"]:
        click.echo(f"lightly worker {__version__}: OK")
        return
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    labels = tuple(label.strip() for label in options["labels"].split(",") if label.strip())
    run_worker(
        WorkerSettings(
            server_url=(options["server"] or read_server_location()).rstrip("/"),
            token=read_token(old["token"] or None),
            name=options["name"] or make_default_name(),
            worker_id=options["worker_id"] or old["worker.worker_id"] or None,
            labels=labels,
            input_mount=options["input_mount"],
            lightly_mount=options["lightly_mount"],
            executor=options["executor"],
            executor_address=options["executor_address"],
            work_dir=options["work_dir"] or find_work_dir(),
            n_processes=options["processes"],
            cache_bytes=int(options["cache_gb"] * 1024**3),
            egress=EgressPolicy.parse(options["egress_allow"]),
            takes_over=old["worker.force_start"],
            stops_when_idle=options["once"],
            ends_with_input=options["until_eof"],
            makes_auto_tags=options["auto_tags"],
            detector=options["detector"] or None,
            selection_shards=options["selection_shards"],
        )
    )
