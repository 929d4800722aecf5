"""The main job on real images, from nothing to a chosen subset: `make demo`.

python -m tools.demo.run_demo           run it; the server keeps running
python -m tools.demo.run_demo --stop    stop the server
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from rich.console import Console

from lightly._kit.errors import LightlyError
from lightly.active_learning.config.selection_config import SelectionConfig
from lightly.api import ApiWorkflowClient
from lightly.openapi_generated.swagger_client.models.configuration_entry import ConfigurationEntry
from lightly.openapi_generated.swagger_client.models.configuration_value_data_type import (
    ConfigurationValueDataType,
)
from lightly.utils.io import load_embeddings
from tools.demo.contact_sheet import draw_contact_sheet
from tools.demo.coverage import CoverageComparison, Vectors, compare_with_random
from tools.demo.coverage import order_farthest_first as order_picks
from tools.demo.coverage_plot import draw_coverage_plot
from tools.demo.demo_server import DemoServer, ensure_server, read_server
from tools.demo.drawing import Fact
from tools.demo.manifest import METADATA_CONFIGURATION, DemoFolder
from tools.demo.pictures import prepare_demo_folder
from tools.demo.summary import describe_coverage, label_files, print_summary

FOLDER = Path("lightly-demo")
DATASET_NAME = "demo"
EMBEDDING_NAME = "default"
TAG_NAME = "diverse"
SUBSET_SIZE = 100


@dataclass(frozen=True)
class Outcome:
    """What the run chose.

    Attributes:
        uploaded: Names on the server, in its order.
        chosen: Names in the tag.
        vectors: float32 of shape (n, d), one row per uploaded name.
        refused: Names of files that are no images, with the reason.
        dataset_id: The dataset on the server.
    """

    uploaded: list[str]
    chosen: list[str]
    vectors: Vectors
    refused: dict[str, str]
    dataset_id: str


def main() -> int:
    """Run the demo or stop its server; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stop", action="store_true", help="stop the server of the demo")
    parser.add_argument("--pictures", choices=["auto", "always", "never"], default="auto")
    options = parser.parse_args()
    console = Console()
    try:
        return stop(console) if options.stop else run(console, options.pictures)
    except LightlyError as error:
        console.print(f"[bold red]The demo failed:[/] {error}")
        return 1


def stop(console: Console) -> int:
    """Stop the server that an earlier demo left running."""
    server = read_server(FOLDER)
    if server is None:
        console.print("No demo server is running.")
        return 0
    server.stop()
    console.print(f"Stopped the server at {server.url}. Its data stays in {FOLDER}/.")
    return 0


def run(console: Console, use_object_photos: Literal["auto", "always", "never"]) -> int:
    """Do the whole job; return 1 if a count does not add up."""
    FOLDER.mkdir(exist_ok=True, mode=0o700)
    console.rule("1. Pictures")
    pictures = FOLDER / "pictures"
    folder = prepare_demo_folder(pictures, use_object_photos=use_object_photos, console=console)
    console.print(folder.report)

    console.rule("2. Server")
    server = ensure_server(FOLDER)
    console.print(f"The server listens on {server.url}.")

    outcome = choose_subset(console, folder, server)
    order = order_picks(outcome.vectors, locate(outcome.uploaded, outcome.chosen))
    comparison = compare_with_random(outcome.vectors, order)

    console.rule("6. Result")
    accounts = print_summary(
        folder,
        uploaded=outcome.uploaded,
        refused=outcome.refused,
        chosen=outcome.chosen,
        comparison=comparison,
        console=console,
    )
    draw_pictures(folder, outcome, order, comparison)
    print_farewell(console, server, outcome.dataset_id)
    return 1 if accounts.errors else 0


def choose_subset(console: Console, folder: DemoFolder, server: DemoServer) -> Outcome:
    """Upload, embed, select and download through the SDK, as a user's script would."""
    os.environ["LIGHTLY_SERVER_LOCATION"] = server.url
    client = ApiWorkflowClient(token=server.token)

    console.rule("3. Upload with thumbnails and metadata")
    client.create_new_dataset_with_unique_name(DATASET_NAME)
    client.upload_dataset(str(folder.images_dir), mode="full")
    uploaded = client.get_filenames()
    client.upload_custom_metadata(folder.custom_metadata(set(uploaded)), verbose=True)
    create_metadata_configuration(client)

    console.rule("4. Embed")
    csv_path = FOLDER / "embeddings.csv"
    refused = embed(folder.images_dir, csv_path)
    client.upload_embeddings(str(csv_path), EMBEDDING_NAME)

    console.rule("5. Select")
    config = SelectionConfig(n_samples=SUBSET_SIZE, name=TAG_NAME)
    tag = client.selection(config)
    chosen = client.get_filenames_in_tag(tag)
    client.download_dataset(str(FOLDER / "chosen" / client.dataset_id), tag_name=TAG_NAME)

    rows, _, names = load_embeddings(str(csv_path))
    place = {name: row for row, name in enumerate(names)}
    vectors = np.ascontiguousarray(rows[[place[name] for name in uploaded]], np.float32)
    return Outcome(uploaded, chosen, vectors, refused, client.dataset_id)


def embed(images_dir: Path, csv_path: Path) -> dict[str, str]:
    """Run `lightly embed` as a user would; return the refused files with their reasons."""
    program = str(Path(sys.executable).parent / "lightly")
    command = [program, "embed", str(images_dir), "--output", str(csv_path), "--normalize"]
    subprocess.run(command, check=True)
    corrupt_path = csv_path.with_name(f"{csv_path.stem}_corrupt.csv")
    if not corrupt_path.exists():
        return {}
    with corrupt_path.open(newline="", encoding="utf-8") as file:
        return {row[0]: row[1] for row in list(csv.reader(file))[1:]}


def create_metadata_configuration(client: ApiWorkflowClient) -> None:
    """Tell the server which custom metadata there is."""
    entries = [
        ConfigurationEntry(
            name=name,
            path=path,
            default_value=default,
            value_data_type=ConfigurationValueDataType(kind),
        )
        for name, path, default, kind in METADATA_CONFIGURATION
    ]
    client.create_custom_metadata_config("Demo", entries)


def locate(names: list[str], wanted: Collection[str]) -> list[int]:
    """Return the rows of some names."""
    place = {name: row for row, name in enumerate(names)}
    return sorted(place[name] for name in wanted)


def draw_pictures(
    folder: DemoFolder, outcome: Outcome, order: list[int], comparison: CoverageComparison
) -> None:
    """Draw the contact sheet and the coverage plot."""
    paths = [folder.images_dir / name for name in outcome.uploaded]
    chosen = set(order)
    left_out = [row for row in range(len(paths)) if row not in chosen]
    pick = comparison.pick
    title = f"{len(order)} images that stand for {len(paths)}"
    facts = [
        Fact("Images", str(len(paths)), "uploaded and embedded"),
        Fact("Chosen", str(len(order)), f"{len(left_out)} left out"),
        *describe_coverage(comparison),
    ]
    draw_contact_sheet(
        [paths[row] for row in order],
        [paths[row] for row in left_out],
        FOLDER / "contact_sheet.png",
        title=title,
        subtitle=f"{folder.image_set}, EfficientNet-Lite0 embeddings, diverse selection",
        facts=facts,
        nearest=[(int(pick.nearest[row]), float(pick.distances[row])) for row in left_out],
        labels={folder.images_dir / name: text for name, text in label_files(folder).items()},
    )
    draw_coverage_plot(outcome.vectors, order, FOLDER / "coverage.png", title=title)


def print_farewell(console: Console, server: DemoServer, dataset_id: str) -> None:
    """Tell where everything is and how to go on."""
    console.rule("What now")
    console.print(
        f"Chosen against left out:  [bold]{FOLDER / 'contact_sheet.png'}[/]\n"
        f"Coverage against random:  [bold]{FOLDER / 'coverage.png'}[/]\n"
        f"The chosen images:        [bold]{FOLDER / 'chosen'}/[/]\n\n"
        "The server keeps running. Point any script at it:\n\n"
        f"  export LIGHTLY_SERVER_LOCATION={server.url}\n"
        f"  export LIGHTLY_TOKEN=$(cat {FOLDER / 'token'})\n\n"
        "Stop it with [bold]make demo-stop[/].\n\n"
        f"Look at it in a browser, with that token:  [bold]{server.url}/[/]\n"
        f"The dataset:  [bold]{server.url}/datasets/{dataset_id}[/]",
        highlight=False,
        soft_wrap=True,
    )


if __name__ == "__main__":
    sys.exit(main())
