"""Exports of a tag for labelling tools, and as lists of names and URLs."""

from __future__ import annotations

from typing import Any

from lightly.api.answers import EXPORT_PAGE_SIZE, PAGE_SIZE, iterate_pages, read_text
from lightly.api.api_workflow_tags import _TagsMixin

_URL_FORMAT = "REDIRECTED_READ_URL"
_DATASOURCE_FORMAT = "DATASOURCE_FULL"


class _ExportDatasetMixin(_TagsMixin):
    """Exports of a tag for labelling tools, and as lists of names and URLs."""

    def export_label_studio_tasks_by_tag_id(self, tag_id: str) -> list[dict[str, Any]]:
        """Export samples in a format compatible with Label Studio.

        The format is documented at
        https://labelstud.io/guide/tasks.html#Basic-Label-Studio-JSON-format.

        Args:
            tag_id: Id of the tag which should be exported.

        Returns:
            A list of dictionaries in a format compatible with Label Studio.
        """
        return self._export_rows(tag_id, "LabelStudio", "tasks")

    def export_label_studio_tasks_by_tag_name(self, tag_name: str) -> list[dict[str, Any]]:
        """Export samples in a format compatible with Label Studio.

        Args:
            tag_name: Name of the tag which should be exported.

        Returns:
            As `export_label_studio_tasks_by_tag_id`.

        Raises:
            TagDoesNotExistError: If there is no such tag.

        Example:
            >>> tasks = client.export_label_studio_tasks_by_tag_name(  # doctest: +SKIP
            ...     "initial-tag"
            ... )
            >>> with open("my-label-studio-tasks.json", "w") as f:  # doctest: +SKIP
            ...     json.dump(tasks, f)
        """
        return self.export_label_studio_tasks_by_tag_id(self.get_tag_by_name(tag_name).id)

    def export_label_box_data_rows_by_tag_id(self, tag_id: str) -> list[dict[str, Any]]:
        """Export samples in the format that Labelbox took up to its version 3.

        The format is documented at https://docs.labelbox.com/docs/images-json.

        Args:
            tag_id: Id of the tag which should be exported.

        Returns:
            A list of dictionaries in a format compatible with Labelbox.
        """
        return self._export_rows(tag_id, "LabelBox", "datarows")

    def export_label_box_data_rows_by_tag_name(self, tag_name: str) -> list[dict[str, Any]]:
        """Export samples in the format that Labelbox took up to its version 3.

        Args:
            tag_name: Name of the tag which should be exported.

        Returns:
            As `export_label_box_data_rows_by_tag_id`.

        Raises:
            TagDoesNotExistError: If there is no such tag.

        Example:
            >>> rows = client.export_label_box_data_rows_by_tag_name(  # doctest: +SKIP
            ...     "initial-tag"
            ... )
            >>> with open("my-labelbox-rows.json", "w") as f:  # doctest: +SKIP
            ...     json.dump(rows, f)
        """
        return self.export_label_box_data_rows_by_tag_id(self.get_tag_by_name(tag_name).id)

    def export_label_box_v4_data_rows_by_tag_id(self, tag_id: str) -> list[dict[str, Any]]:
        """Export samples in the format that Labelbox takes from its version 4 on.

        Args:
            tag_id: Id of the tag which should be exported.
        """
        return self._export_rows(tag_id, "LabelBoxV4", "datarows")

    def export_label_box_v4_data_rows_by_tag_name(self, tag_name: str) -> list[dict[str, Any]]:
        """Export samples in the format that Labelbox takes from its version 4 on.

        Args:
            tag_name: Name of the tag which should be exported.
        """
        return self.export_label_box_v4_data_rows_by_tag_id(self.get_tag_by_name(tag_name).id)

    def export_filenames_by_tag_id(self, tag_id: str) -> str:
        """Export the file names of a tag.

        Args:
            tag_id: Id of the tag which should be exported.

        Returns:
            One name per line, without a line end behind the last one.
        """
        return "\n".join(self._export_lines(tag_id, None))

    def export_filenames_by_tag_name(self, tag_name: str) -> str:
        """Export the file names of a tag; see `export_filenames_by_tag_id`.

        Args:
            tag_name: Name of the tag which should be exported.
        """
        return self.export_filenames_by_tag_id(self.get_tag_by_name(tag_name).id)

    def export_filenames_and_read_urls_by_tag_id(self, tag_id: str) -> list[dict[str, str]]:
        """Export file names with URLs to read the images from.

        Args:
            tag_id: Id of the tag which should be exported.

        Returns:
            Dictionaries with the keys `fileName`, `readUrl` and `datasourceUrl`.
        """
        formats = (None, _URL_FORMAT, _DATASOURCE_FORMAT)
        columns = [self._export_lines(tag_id, name_format) for name_format in formats]
        return [
            {"fileName": name, "readUrl": read_url, "datasourceUrl": datasource_url}
            for name, read_url, datasource_url in zip(*columns, strict=True)
        ]

    def export_filenames_and_read_urls_by_tag_name(self, tag_name: str) -> list[dict[str, str]]:
        """Export file names with URLs to read the images from.

        Args:
            tag_name: Name of the tag which should be exported.

        Returns:
            As `export_filenames_and_read_urls_by_tag_id`.
        """
        return self.export_filenames_and_read_urls_by_tag_id(self.get_tag_by_name(tag_name).id)

    def _export_rows(self, tag_id: str, tool: str, rows: str) -> list[dict[str, Any]]:
        path = self._below_dataset("tags", tag_id, "export", tool, rows)
        pages = iterate_pages(self._transport, path, page_size=EXPORT_PAGE_SIZE)
        return [row for page in pages for row in page]

    def _export_lines(self, tag_id: str, name_format: str | None) -> list[str]:
        path = self._below_dataset("tags", tag_id, "export", "basic", "filenames")
        lines: list[str] = []
        while True:
            parameters = {
                "fileNameFormat": name_format,
                "pageSize": PAGE_SIZE,
                "pageOffset": len(lines),
            }
            # An empty answer has no text at all.
            text = read_text(self._transport.get(path, parameters) or "")
            page = text.removesuffix("\n").split("\n") if text else []
            lines += page
            if len(page) < PAGE_SIZE:
                return lines
