"""`lightly predictions`: prediction files of a datasource, checked and converted."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import click

from lightly.data.annotations.conversion import (
    FORMATS,
    Format,
    Source,
    Target,
    convert_annotations,
)
from lightly.data.datasource_files.prediction_tasks import TASK_TYPES, TaskType

_SHOWN_PROBLEMS = 20
_PLACE = click.Path(path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def predictions() -> None:
    """Check and convert the prediction files of a datasource."""


@predictions.command(context_settings={"show_default": True})
@click.option("--from", "source_format", type=click.Choice(FORMATS), required=True)
@click.option(
    "--input",
    "source",
    type=click.Path(exists=True, path_type=Path),
    required=True,
    help="Folder to read; for coco the JSON file, for lightly the folder with .lightly/.",
)
@click.option("--to", "target_format", type=click.Choice(FORMATS), required=True)
@click.option("--output", "target", type=_PLACE, required=True, help="What to write, as for input.")
@click.option("--task", "task_name", help="Name of the prediction task, for lightly.")
@click.option(
    "--task-type", type=click.Choice(TASK_TYPES), help="What to read. Found out if not given."
)
@click.option("--images", type=_FOLDER, help="Where the images are, for their names and sizes.")
@click.option(
    "--results",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="For coco: a list of results, read in place of the annotations.",
)
@click.option(
    "--score",
    type=click.FloatRange(0, 1),
    default=1.0,
    help="Score of what has none, such as labels.",
)
@click.option("--scores", "with_scores", is_flag=True, help="For coco and yolo: write scores.")
def convert(
    source_format: Format,
    source: Path,
    target_format: Format,
    target: Path,
    task_name: str | None,
    task_type: TaskType | None,
    images: Path | None,
    results: Path | None,
    score: float,
    *,
    with_scores: bool,
) -> None:
    """Read labels or predictions in one format and write them in another.

    \b
    lightly predictions convert --from coco --input instances.json \\
        --to lightly --output DATASOURCE --task animals
    lightly predictions convert --from lightly --input DATASOURCE --task animals \\
        --images IMAGES --to yolo --output LABELS
    """  # noqa: D301  \b keeps the command line library from joining the lines
    report = convert_annotations(
        Source(
            source_format,
            source,
            task_name=task_name,
            images=images,
            results=results,
            task_type=task_type,
            default_score=score,
        ),
        Target(target_format, target, task_name=task_name, with_scores=with_scores),
    )
    click.echo(f"Converted {report.n_predictions} predictions of {report.n_images} images.")
    for reason, count in report.skipped.most_common():
        click.echo(f"Left out: {count} {reason}.")


@predictions.command()
@click.argument("folder", type=_FOLDER)
def check(folder: Path) -> None:
    """Check predictions and metadata in FOLDER, the one with .lightly/ in it.

    Exit code 1 if a file breaks a rule. Each problem names file, place and rule.
    """
    from lightly.data.datasource_files.lightly_folder import LightlyFolder

    problems = LightlyFolder(folder).find_problems()
    shown = list(itertools.islice(problems, _SHOWN_PROBLEMS))
    for problem in shown:
        click.echo(str(problem), err=True)
    more = sum(1 for _ in problems)
    if more:
        click.echo(f"... and {more} more", err=True)
    if shown:
        sys.exit(1)
    click.echo("All files are valid.")
