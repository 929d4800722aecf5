"""Where the files of a dataset are: configuration of its datasource."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from lightly._kit.errors import BadInput
from lightly.api.answers import read_model
from lightly.api.client_base import ClientBase
from lightly.api.datasource_configs import (
    is_easy_to_guess,
    make_config,
    rename_region,
    split_local_path,
)

if TYPE_CHECKING:
    from lightly.openapi_generated.swagger_client.models.datasource_config import DatasourceConfig

log = logging.getLogger("lightly.api")

_THUMBNAIL_SUFFIX = ".lightly/thumbnails/[filename]_thumb.[extension]"
_PURPOSE = "INPUT_OUTPUT"
#: Where `lightly-serve` shows local files to a browser.
_WEB_SERVER_LOCATION = "http://localhost:3456"


class _DatasourcesMixin(ClientBase):
    """Where the files of a dataset are.

    Secrets are sent once and stored encrypted; what the server answers later has them masked.
    """

    def get_datasource(self) -> DatasourceConfig:
        """Return the configuration of the datasource of the current dataset.

        Returns:
            The configuration, with secrets masked. Its fields are attributes (`full_path`) and,
            under their names on the wire, keys (`["fullPath"]`).

        Raises:
            ApiException: If no datasource was configured.
        """
        from lightly.openapi_generated.swagger_client.models.datasource_config import (
            DatasourceConfig,
        )

        return read_model(DatasourceConfig, self._transport.get(self._below_dataset("datasource")))

    def set_azure_config(
        self,
        container_name: str,
        account_name: str,
        sas_token: str,
        thumbnail_suffix: str | None = _THUMBNAIL_SUFFIX,
        purpose: str = _PURPOSE,
    ) -> None:
        """Let the current dataset have its files in Azure Blob Storage.

        Args:
            container_name: Container with the path in it, such as "my-container/path/to/data".
            account_name: Azure account name.
            sas_token: Shared access signature, with its leading `?`.
            thumbnail_suffix: Where thumbnails are, such as
                ".lightly/thumbnails/[filename]_thumb.[extension]". None shows the full images
                instead.
            purpose: `INPUT` if the source is only read, `LIGHTLY` for one that results are written
                to, `INPUT_OUTPUT` for one that is both.

        Raises:
            ValueError: If a value breaks a rule.
            ApiException: If the server refuses.
        """
        self._set_datasource(
            "AZURE",
            {
                "fullPath": ("container_name", container_name),
                "accountName": ("account_name", account_name),
                "accountKey": ("sas_token", sas_token),
            },
            thumbnail_suffix,
            purpose,
        )

    def set_gcs_config(
        self,
        resource_path: str,
        project_id: str,
        credentials: str,
        thumbnail_suffix: str | None = _THUMBNAIL_SUFFIX,
        purpose: str = _PURPOSE,
    ) -> None:
        """Let the current dataset have its files in Google Cloud Storage.

        Args:
            resource_path: Address of the files, such as "gs://my_bucket/path/to/data".
            project_id: GCS project id.
            credentials: Content of the JSON file with the key of a service account.
            thumbnail_suffix: As in `set_azure_config`.
            purpose: As in `set_azure_config`.

        Raises:
            ValueError: If a value breaks a rule.
            ApiException: If the server refuses.
        """
        self._set_datasource(
            "GCS",
            {
                "fullPath": ("resource_path", resource_path),
                "gcsProjectId": ("project_id", project_id),
                "gcsCredentials": ("credentials", credentials),
            },
            thumbnail_suffix,
            purpose,
        )

    def set_local_config(
        self,
        resource_path: str = "",
        thumbnail_suffix: str | None = _THUMBNAIL_SUFFIX,
        *,
        relative_path: str = "",
        web_server_location: str | None = _WEB_SERVER_LOCATION,
        purpose: str = _PURPOSE,
    ) -> None:
        """Let the current dataset have its files in a folder of the worker's machine.

        The files are named either by `relative_path` and `web_server_location`, or, as in older
        programs, by `resource_path` alone.

        Args:
            resource_path: Address of your file server with the path, such as
                "http://localhost:1234/path/to/data". A relative path is taken as `relative_path`.
            thumbnail_suffix: As in `set_azure_config`. An address here is taken as
                `web_server_location`.
            relative_path: Path below the folder that the worker mounts, such as "path/to/data".
            web_server_location: Address at which the files are shown to a browser.
            purpose: As in `set_azure_config`.

        Raises:
            ValueError: If both forms are used at once, or a value breaks a rule.
            ApiException: If the server refuses.

        Example:
            >>> client.set_local_config(relative_path="path/to/data")  # doctest: +SKIP
            >>> client.set_local_config("http://localhost:1234/path/to/data")  # doctest: +SKIP
        """
        if resource_path and relative_path:
            raise BadInput("Pass 'resource_path' or 'relative_path', not both.")
        if thumbnail_suffix is not None and "://" in thumbnail_suffix:
            # In the newer form the address is in this place.
            if web_server_location != _WEB_SERVER_LOCATION:
                raise BadInput("'thumbnail_suffix' must be a path, not an address.")
            web_server_location, thumbnail_suffix = thumbnail_suffix, _THUMBNAIL_SUFFIX
        path, location = split_local_path(resource_path or relative_path, web_server_location)
        self._set_datasource(
            "LOCAL",
            {
                "fullPath": ("resource_path" if resource_path else "relative_path", path),
                "webServerLocation": ("web_server_location", location),
            },
            thumbnail_suffix,
            purpose,
        )

    def set_s3_config(
        self,
        resource_path: str,
        region: str,
        access_key: str,
        secret_access_key: str,
        thumbnail_suffix: str | None = _THUMBNAIL_SUFFIX,
        purpose: str = _PURPOSE,
    ) -> None:
        """Let the current dataset have its files in Amazon S3.

        Args:
            resource_path: Address of the files, such as "s3://my_bucket/path/to/data".
            region: Region of the bucket, such as "eu-central-1".
            access_key: S3 access key.
            secret_access_key: Secret of the access key.
            thumbnail_suffix: As in `set_azure_config`.
            purpose: As in `set_azure_config`.

        Raises:
            ValueError: If a value breaks a rule.
            ApiException: If the server refuses.
        """
        self._set_datasource(
            "S3",
            {
                "fullPath": ("resource_path", resource_path),
                "s3Region": ("region", rename_region(region)),
                "s3AccessKeyId": ("access_key", access_key),
                "s3SecretAccessKey": ("secret_access_key", secret_access_key),
            },
            thumbnail_suffix,
            purpose,
        )

    def set_s3_delegated_access_config(
        self,
        resource_path: str,
        region: str,
        role_arn: str,
        external_id: str,
        thumbnail_suffix: str | None = _THUMBNAIL_SUFFIX,
        purpose: str = _PURPOSE,
    ) -> None:
        """Let the current dataset have its files in Amazon S3, read by way of a role.

        Args:
            resource_path: Address of the files, such as "s3://my_bucket/path/to/data".
            region: Region of the bucket, such as "eu-central-1".
            role_arn: The role, such as "arn:aws:iam::123456789012:role/my-role".
            external_id: External id of the role; at least 10 characters. A secret: it should be
                random, for instance from `secrets.token_hex(16)`; the log warns if it looks easy
                to guess.
            thumbnail_suffix: As in `set_azure_config`.
            purpose: As in `set_azure_config`.

        Raises:
            ValueError: If a value breaks a rule.
            ApiException: If the server refuses: for instance because another user or team has
                configured this role with this external id.
        """
        if is_easy_to_guess(external_id):
            log.warning(
                "The external id looks easy to guess. Whoever knows it can use the role by this "
                "server: take a random one, for instance from secrets.token_hex(16)."
            )
        self._set_datasource(
            "S3DelegatedAccess",
            {
                "fullPath": ("resource_path", resource_path),
                "s3Region": ("region", rename_region(region)),
                "s3ARN": ("role_arn", role_arn),
                "s3ExternalId": ("external_id", external_id),
            },
            thumbnail_suffix,
            purpose,
        )

    def set_obs_config(
        self,
        resource_path: str,
        obs_endpoint: str,
        obs_access_key_id: str,
        obs_secret_access_key: str,
        thumbnail_suffix: str | None = _THUMBNAIL_SUFFIX,
        purpose: str = _PURPOSE,
    ) -> None:
        """Let the current dataset have its files in a store that speaks the protocol of S3.

        Args:
            resource_path: Address of the files, such as "obs://my_bucket/path/to/data".
            obs_endpoint: Address of the store, such as "https://store.example.com".
            obs_access_key_id: Access key.
            obs_secret_access_key: Secret of the access key.
            thumbnail_suffix: As in `set_azure_config`.
            purpose: As in `set_azure_config`.

        Raises:
            ValueError: If a value breaks a rule.
            ApiException: If the server refuses.
        """
        self._set_datasource(
            "OBS",
            {
                "fullPath": ("resource_path", resource_path),
                "obsEndpoint": ("obs_endpoint", obs_endpoint),
                "obsAccessKeyId": ("obs_access_key_id", obs_access_key_id),
                "obsSecretAccessKey": ("obs_secret_access_key", obs_secret_access_key),
            },
            thumbnail_suffix,
            purpose,
        )

    def list_datasource_permissions(self) -> dict[str, bool | dict[str, str]]:
        """Let the server try what it may do with the files of the current dataset.

        Returns:
            `can_read`, `can_write`, `can_list` and `can_overwrite`, each True or False. If one of
            them failed, `errors` has the reasons under the same names.

        Raises:
            ApiException: If no datasource was configured.

        Example:
            >>> client.list_datasource_permissions()  # doctest: +SKIP
            {'can_read': True, 'can_write': True, 'can_list': True, 'can_overwrite': True}
        """
        from lightly.openapi_generated.swagger_client.models.datasource_config_verify_data import (
            DatasourceConfigVerifyData,
        )

        answer = self._transport.get(self._below_dataset("datasource", "verify"))
        permissions = read_model(DatasourceConfigVerifyData, answer).to_dict(by_alias=False)
        # A server may send the field although there is nothing to say.
        if not permissions.get("errors", True):
            del permissions["errors"]
        return permissions

    def _set_datasource(
        self,
        kind: str,
        fields: dict[str, tuple[str, Any]],
        thumbnail_suffix: str | None,
        purpose: str,
    ) -> None:
        shared = {
            "thumbSuffix": ("thumbnail_suffix", thumbnail_suffix),
            "purpose": ("purpose", purpose),
        }
        config = make_config(kind, {**fields, **shared})
        self._transport.put(self._below_dataset("datasource"), config)
