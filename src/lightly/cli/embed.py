"""`lightly embed`, `lightly models`, and the old spelling `lightly-embed key=value ...`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lightly._kit.errors import BadInput

if TYPE_CHECKING:
    from lightly.embedding.folders import EmbedProgress, EmbedSummary

DEFAULT_OUTPUT = Path("embeddings.csv")
LAST_PATH_VARIABLE = "LIGHTLY_LAST_EMBEDDING_PATH"

# Settings of the old configuration that steered the training of a network; they have no meaning
# for a finished model, so a script that sets them goes on to work.
_IGNORED_KEYS = frozenset({"pre_trained", "seed", "loader", "collate", "model", "trainer"})
_TORCH_SUFFIXES = frozenset({".ckpt", ".pt", ".pth"})
_LEGACY_HELP = """\
Usage: lightly-embed input_dir=FOLDER [key=value ...]

  input_dir=FOLDER       images or videos to embed (needed)
  checkpoint=MODEL       a model id or an ONNX file; empty is the shipped model
  loader.batch_size=N    images per run of the model
  loader.num_workers=N   processes; -1 is one per core
  hydra.run.dir=FOLDER   where to write; default lightly_outputs/DATE/TIME

The new spelling is: lightly embed FOLDER --output embeddings.csv
"""


@click.command(context_settings={"show_default": True})
@click.argument("input_dir", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    default=DEFAULT_OUTPUT,
    help="The CSV to write.",
)
@click.option(
    "--model", help="Model id or ONNX file; see `lightly models list`. [default: shipped]"
)
@click.option("--normalize/--no-normalize", default=False, help="Scale vectors to length 1.")
@click.option("--batch-size", type=click.IntRange(1), help="Images per run of the model.")
@click.option(
    "--processes", type=click.IntRange(1), help="How many processes. [default: one per core]"
)
@click.option("--restart", is_flag=True, help="Forget what an interrupted run has finished.")
@click.option("--quiet", "-q", is_flag=True, help="Print errors only.")
def embed(
    input_dir: Path,
    output: Path,
    model: str | None,
    normalize: bool,
    batch_size: int | None,
    processes: int | None,
    restart: bool,
    quiet: bool,
) -> None:
    """Compute an embedding for every image below INPUT_DIR, or every frame if it holds videos.

    An interrupted run goes on where it was when it is started again. Images that cannot be read
    are listed with the reason in a second CSV beside the output; they never stop the run.
    """
    settings: dict[str, Any] = {"model": model, "batch_size": batch_size}
    summary = _embed(
        input_dir,
        output,
        quiet=quiet,
        normalize=normalize,
        n_processes=processes,
        restart=restart,
        **{key: value for key, value in settings.items() if value is not None},
    )
    if not quiet:
        _print_summary(summary)


@click.group()
def models() -> None:
    """Show and add embedding models."""


@models.command("list")
def list_models() -> None:
    """List the models that can be used."""
    from lightly.embedding.registry import list_models as read_models

    for model in read_models():
        side = model.rule.input_side
        click.echo(f"{model.id}  {model.dim} numbers, {side}x{side} pixels, {model.licence}")


@models.command("add")
@click.argument("onnx_file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--id", "model_id", help="Name to use. [default: the file name]")
@click.option("--input-side", type=click.IntRange(1), help="Pixels, if the graph leaves it open.")
@click.option("--short-side", type=click.IntRange(1), help="Shorter side before the crop.")
@click.option("--mean", type=(float, float, float), help="Of R, G and B in 0..1.")
@click.option("--std", type=(float, float, float), help="Of R, G and B in 0..1.")
@click.option("--output-name", help="Output of the graph that is the vector.")
@click.option("--licence", default="unknown", help="Of the weights.")
def add_model(onnx_file: Path, **settings: Any) -> None:
    """Check ONNX_FILE by running it and keep a copy."""
    from lightly.embedding.registry import register_model

    model = register_model(onnx_file, **settings)
    click.echo(f"Added {model.id}: {model.dim} numbers per image.")


def run_legacy_embed(arguments: Sequence[str]) -> None:
    """Run `lightly-embed` as the published 1.x clients spell it.

    Args:
        arguments: `key=value` words; unknown keys are refused, keys that only steered training
            are ignored.

    Raises:
        BadInput: If a word is malformed or `input_dir` is missing.
    """
    if not arguments or {"-h", "--help"} & set(arguments):
        click.echo(_LEGACY_HELP)
        return
    values = _parse_words(arguments)
    if not values.get("input_dir"):
        raise BadInput("Say which folder to embed: lightly-embed input_dir=FOLDER")
    output = _choose_legacy_folder(values.get("hydra.run.dir")) / DEFAULT_OUTPUT.name
    summary = _embed(Path(values["input_dir"]), output, quiet=False, **_read_settings(values))
    os.environ[LAST_PATH_VARIABLE] = str(summary.output_path)
    _print_summary(summary)


def _embed(input_dir: Path, output: Path, *, quiet: bool, **settings: Any) -> EmbedSummary:
    from lightly.embedding.folders import embed_folder

    try:
        with _progress_bar(quiet=quiet) as on_progress:
            return embed_folder(input_dir, output, on_progress=on_progress, **settings)
    except KeyboardInterrupt:
        click.echo("Interrupted. The same command goes on from here.", err=True)
        sys.exit(130)


@contextmanager
def _progress_bar(*, quiet: bool) -> Iterator[Any]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:
        task = progress.add_task("Embedding", total=None, speed="")

        def show(state: EmbedProgress) -> None:
            progress.update(task, completed=state.n_done, total=state.n_total)
            speed = progress.tasks[0].speed
            progress.update(task, speed=f"{speed:.0f}/s" if speed else "")

        yield show


def _print_summary(summary: EmbedSummary) -> None:
    click.echo(f"Embeddings are stored at {summary.output_path} ({summary.n_embedded} rows).")
    if summary.n_resumed:
        click.echo(f"{summary.n_resumed} of them were finished by an earlier run.")
    if summary.corrupt_path is not None:
        n_corrupt = summary.n_corrupt
        click.echo(f"{n_corrupt} could not be embedded, see {summary.corrupt_path}.", err=True)


def _parse_words(words: Sequence[str]) -> dict[str, str]:
    values = {}
    for word in words:
        key, separator, value = word.partition("=")
        if not separator or not key:
            raise BadInput(f"Expected key=value, got {word[:80]!r}. Try lightly-embed --help.")
        # Hydra's markers for adding and forcing a setting.
        values[key.lstrip("+")] = value.strip("'\"")
    known = {"input_dir", "checkpoint", "hydra.run.dir"}
    for key in values:
        if key not in known and key.split(".")[0] not in _IGNORED_KEYS:
            raise BadInput(f"lightly-embed has no setting {key[:80]!r}. Try lightly-embed --help.")
    return values


def _read_settings(values: Mapping[str, str]) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    if checkpoint := values.get("checkpoint"):
        if Path(checkpoint).suffix.lower() in _TORCH_SUFFIXES:
            raise BadInput(
                "PyTorch checkpoints are not loaded. Export the model to ONNX and give that file"
                " as checkpoint=MODEL.onnx."
            )
        settings["model"] = checkpoint
    if (batch_size := _read_integer(values, "loader.batch_size")) is not None:
        settings["batch_size"] = batch_size
    # -1 stood for one worker per core, 0 for none beside the main process.
    if (n_workers := _read_integer(values, "loader.num_workers")) is not None and n_workers >= 0:
        settings["n_processes"] = max(1, n_workers)
    return settings


def _read_integer(values: Mapping[str, str], key: str) -> int | None:
    text = values.get(key)
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        raise BadInput(f"{key} must be an integer, got {text[:40]!r}.") from None


def _choose_legacy_folder(chosen: str | None) -> Path:
    if chosen:
        return Path(chosen)
    now = datetime.now().astimezone()
    return Path("lightly_outputs", f"{now:%Y-%m-%d}", f"{now:%H-%M-%S}")
