"""`lightly embed`, `lightly models`, and the old spelling `lightly-embed key=value ...`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lightly._kit.errors import BadInput
from lightly.cli.key_values import KeyValueCommand, Setting, Values
from lightly.cli.old_settings import (
    INPUT_DIR,
    NUM_WORKERS,
    RUN_FOLDER,
    SHARED_KEYS,
    choose_run_folder,
    read_folder,
    remember,
)
from lightly.cli.progress import open_progress

if TYPE_CHECKING:
    from lightly.embedding.folders import EmbedSummary
    from lightly.embedding.registry import EmbeddingModel

DEFAULT_OUTPUT = Path("embeddings.csv")
LAST_PATH_VARIABLE = "LIGHTLY_LAST_EMBEDDING_PATH"

_TORCH_SUFFIXES = frozenset({".ckpt", ".pt", ".pth"})
#: What `lightly-embed` and `lightly-magic` understand of the 1.x clients' configuration.
EMBED_SETTINGS = (
    INPUT_DIR,
    Setting("checkpoint", "Model id, ONNX file or checkpoint of lightly-train; default shipped."),
    Setting("loader.batch_size", "Images per run of the model; 0 is the model's own.", 0),
    NUM_WORKERS,
    RUN_FOLDER,
)


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
    from lightly.embedding.detectors import list_detectors

    for detector in list_detectors():
        side, n_classes = detector.input_side, len(detector.categories)
        click.echo(f"{detector.id}  detector of {n_classes} classes, {side}x{side} pixels")


@models.command("add")
@click.argument("onnx_file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--id", "model_id", help="Name to use. [default: the file name]")
@click.option("--input-side", type=click.IntRange(1), help="Pixels, if the graph leaves it open.")
@click.option("--short-side", type=click.IntRange(1), help="Shorter side before the crop.")
@click.option("--mean", type=(float, float, float), help="Of R, G and B in 0..1.")
@click.option("--std", type=(float, float, float), help="Of R, G and B in 0..1.")
@click.option("--output-name", help="Output of the graph that is the vector.")
@click.option("--licence", default="unknown", help="Of the weights.")
@click.option("--detector", is_flag=True, help="It finds objects, and is for pretagging.")
@click.option(
    "--classes",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Of a detector: text file with the name of a label in each line, from label 0 on.",
)
@click.option("--min-score", type=click.FloatRange(0, 1), help="Of a detector. [default: 0.25]")
def add_model(
    onnx_file: Path,
    *,
    detector: bool,
    classes: Path | None,
    min_score: float | None,
    **settings: Any,
) -> None:
    """Check ONNX_FILE by running it and keep a copy."""
    if detector:
        _add_detector(onnx_file, classes, min_score, settings)
        return
    if classes is not None or min_score is not None:
        raise BadInput("--classes and --min-score are for detectors: add --detector.")
    from lightly.embedding.registry import register_model

    model = register_model(onnx_file, **settings)
    click.echo(f"Added {model.id}: {model.dim} numbers per image.")


def _add_detector(
    onnx_file: Path, classes: Path | None, min_score: float | None, settings: dict[str, Any]
) -> None:
    from lightly.embedding.detectors import DEFAULT_MIN_SCORE, register_detector

    if classes is None:
        raise BadInput("A detector needs --classes FILE: the name of a label in each line.")
    if settings["output_name"] or settings["short_side"]:
        raise BadInput("--output-name and --short-side are for embedding models.")
    added = register_detector(
        onnx_file,
        classes=[line.strip() for line in classes.read_text(encoding="utf-8").splitlines()],
        detector_id=settings["model_id"],
        input_side=settings["input_side"],
        min_score=DEFAULT_MIN_SCORE if min_score is None else min_score,
        mean=settings["mean"],
        std=settings["std"],
    )
    click.echo(f"Added {added.id}: finds {len(added.categories)} kinds of objects.")


def run_embed(values: Values, model: EmbeddingModel | None = None) -> str:
    """Embed as the settings of `lightly-embed` say and return the CSV's path.

    Args:
        values: The settings.
        model: What to embed with instead of `checkpoint`.

    Raises:
        BadInput: If the folder is missing or the model is a PyTorch checkpoint.
    """
    settings = _read_settings(values if model is None else values.replaced(checkpoint=""))
    settings |= {} if model is None else {"model": model}
    folder = read_folder(values, "input_dir")
    output = choose_run_folder(values) / DEFAULT_OUTPUT.name
    summary = _embed(folder, output, quiet=False, **settings)
    remember(LAST_PATH_VARIABLE, summary.output_path)
    _print_summary(summary)
    return str(summary.output_path)


def run_legacy_embed(words: Sequence[str]) -> None:
    """Run `lightly-embed` as the published 1.x clients spell it; without words, print its help.

    Args:
        words: `key=value` words; unknown keys are refused, keys that only steered training are
            accepted with a note.

    Raises:
        BadInput: If a word is malformed or `input_dir` is missing.
    """
    old_embed.main(list(words) or ["--help"], prog_name="lightly-embed", standalone_mode=False)


def _embed(input_dir: Path, output: Path, *, quiet: bool, **settings: Any) -> EmbedSummary:
    from lightly.embedding.folders import embed_folder

    try:
        with open_progress("Embedding", quiet=quiet) as line:
            return embed_folder(
                input_dir,
                output,
                on_progress=lambda state: line.show_speed(state.n_done, state.n_total),
                **settings,
            )
    except KeyboardInterrupt:
        click.echo("Interrupted. The same command goes on from here.", err=True)
        sys.exit(130)


def _print_summary(summary: EmbedSummary) -> None:
    click.echo(f"Embeddings are stored at {summary.output_path} ({summary.n_embedded} rows).")
    if summary.n_resumed:
        click.echo(f"{summary.n_resumed} of them were finished by an earlier run.")
    if summary.corrupt_path is not None:
        n_corrupt = summary.n_corrupt
        click.echo(f"{n_corrupt} could not be embedded, see {summary.corrupt_path}.", err=True)


def _read_settings(values: Values) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    if checkpoint := values["checkpoint"]:
        if Path(checkpoint).suffix.lower() in _TORCH_SUFFIXES:
            raise BadInput(
                "PyTorch checkpoints are not loaded. Export the model to ONNX and give that file"
                " as checkpoint=MODEL.onnx."
            )
        settings["model"] = _open_model(checkpoint)
    if values["loader.batch_size"] > 0:
        settings["batch_size"] = values["loader.batch_size"]
    # -1 stood for one worker per core, 0 for none beside the main process.
    if values["loader.num_workers"] >= 0:
        settings["n_processes"] = max(1, values["loader.num_workers"])
    return settings


def _open_model(name: str) -> Any:
    """Return the id or file of a model as it is, and the model of a checkpoint of `lightly-train`.

    Raises:
        TrainingUnavailable: If a checkpoint is named and the extra 'train' is not installed.
        UnusableCheckpoint: If the file is no checkpoint.
    """
    path = Path(name)
    if path.suffix.lower() != ".safetensors":
        return name
    from lightly.embedding.training.trainer import open_checkpoint

    return open_checkpoint(path, path.with_suffix(".model")).model


old_embed = KeyValueCommand(
    "embed",
    run_embed,
    settings=EMBED_SETTINGS,
    summary="Compute an embedding for every image of a folder, or every frame if it holds videos,"
    " and write embeddings.csv. The new spelling is: lightly embed FOLDER --output embeddings.csv",
    examples=("input_dir=FOLDER", "input_dir=FOLDER checkpoint=MODEL.onnx hydra.run.dir=results"),
    without_effect=SHARED_KEYS,
)
