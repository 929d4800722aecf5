"""`lightly copy`: the images of a tag, to a folder or a bucket."""

from __future__ import annotations

import sys
import warnings

import click


@click.command(context_settings={"show_default": True})
@click.option("--dataset-id", required=True, help="The dataset.")
@click.option("--tag", "tag_name", default="initial-tag", help="Name of the tag.")
@click.option(
    "--to",
    "destination",
    required=True,
    help="A folder, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX.",
)
@click.option("--exclude-parent-tag", is_flag=True, help="Leave out what is in the parent tag.")
@click.option("--overwrite", is_flag=True, help="Replace files of the same name that differ.")
@click.option("--workers", type=click.IntRange(1, 256), default=8, help="Files at the same time.")
def copy(
    dataset_id: str,
    tag_name: str,
    destination: str,
    workers: int,
    *,
    exclude_parent_tag: bool,
    overwrite: bool,
) -> None:
    """Copy the images of a tag to a folder or a bucket.

    The server is that of LIGHTLY_SERVER_LOCATION, the token that of LIGHTLY_TOKEN; credentials of
    a bucket come from the provider's usual variables. Run the command again to go on where it was
    interrupted. Exit code 1 if files could not be copied.
    """
    from lightly.api import ApiWorkflowClient
    from lightly.api.errors import IncompleteCopyWarning

    client = ApiWorkflowClient()
    client.dataset_id = dataset_id
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", IncompleteCopyWarning)
        report = client.copy_selection(
            destination,
            tag_name=tag_name,
            exclude_parent_tag=exclude_parent_tag,
            overwrite=overwrite,
            max_workers=workers,
        )
    click.echo(f"Copied {report.n_copied} files, {report.n_present} were there already.")
    for warning in caught:
        click.echo(str(warning.message), err=True)
    if report.failures:
        sys.exit(1)
