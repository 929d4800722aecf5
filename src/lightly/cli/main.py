"""Entry point of the `lightly` command."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata

import click

from lightly import __version__
from lightly._kit.errors import LightlyError

#: Subcommand -> (module with the command, one line of help). The module loads when it is used.
COMMANDS = {
    "server": ("lightly.cli.server", "Start the server: API, background jobs, everything."),
    "worker": ("lightly.cli.worker", "Do scheduled runs of a server near the data."),
    "admin": ("lightly.cli.admin", "Administer users, teams and datasets of a server."),
    "embed": ("lightly.cli.embed", "Compute embeddings of a folder of images or videos."),
    "magic": ("lightly.cli.magic", "Embed a folder and upload it, in one go."),
    "upload": ("lightly.cli.upload", "Upload images, embeddings and metadata to a server."),
    "download": ("lightly.cli.download", "List, fetch or copy the images of a tag."),
    "copy": ("lightly.cli.copy", "Copy the images of a tag to a folder or a bucket."),
    "predictions": ("lightly.cli.predictions", "Check and convert prediction files."),
    "crop": ("lightly.cli.crop", "Cut objects out of images by YOLO labels."),
    "serve": ("lightly.cli.serve", "Show local folders to the web app in your browser."),
    "train": ("lightly.cli.train", "Train a model; needs the extra 'train'."),
    "version": ("lightly.cli.version", "Print which release this is."),
    "models": ("lightly.cli.embed", "List embedding models, add your own ONNX file."),
}


class LazyGroup(click.Group):
    """A group that knows its commands' names and loads one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's interface
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's interface
        """Load and return one command."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(COMMANDS[cmd_name][0]), cmd_name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  click's interface
        """List the commands without loading any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Clients find the server through LIGHTLY_SERVER_LOCATION and LIGHTLY_TOKEN.",
)
@click.version_option(__version__, prog_name="lightly")
def lightly() -> None:
    """Curate image and video data on your own machines."""


def refuse_mixed_installation() -> None:
    """Stop when the public `lightly` package is installed beside this one.

    Both provide the import root `lightly`, so whichever was installed last has overwritten
    files of the other.
    """
    try:
        other = metadata.version("lightly")
    except metadata.PackageNotFoundError:
        return
    raise SystemExit(
        f"The package 'lightly' {other} is installed in this environment. It and "
        "'lightly-platform' share the import name 'lightly' and cannot live together: "
        "uninstall both, then install 'lightly-platform', or use an environment of its own."
    )


def main() -> None:
    """Run the `lightly` command."""
    with exit_on_error():
        lightly()


@contextmanager
def exit_on_error() -> Iterator[None]:
    """Turn an error of ours or of the system into one line and exit code 1."""
    refuse_mixed_installation()
    try:
        yield
    except LightlyError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        # A full disk, a file that may not be read: the system's words say it all.
        click.echo(
            f"Error: {error.strerror or error}: {error.filename or ''}".rstrip(": "), err=True
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
