"""What can be asked of an export."""

from __future__ import annotations

from dataclasses import dataclass

from lightly.openapi_generated.swagger_client.models.file_name_format import FileNameFormat
from lightly.openapi_generated.swagger_client.models.file_output_format import FileOutputFormat
from lightly.server.http.parameters import Page


@dataclass(frozen=True)
class ExportOptions:
    """The contract's options of exports.

    Attributes:
        page: Which of the tag's samples.
        name_format: What stands for a sample's name.
        expires_in_s: For how long the URLs work; None is for as long as the caller's token.
        access_control: Name of an access control.
        has_metadata: Tasks carry what is known of their sample.
        output_format: How a text is sent.
        is_preview: One entry is enough, to show what they look like.
    """

    page: Page
    name_format: FileNameFormat = FileNameFormat.NAME
    expires_in_s: int | None = None
    access_control: str | None = None
    has_metadata: bool = True
    output_format: FileOutputFormat = FileOutputFormat.JSON
    is_preview: bool = False
