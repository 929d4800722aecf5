"""Sharing datasets with other users."""

from __future__ import annotations

from collections.abc import Iterable

from lightly._kit.errors import BadInput
from lightly.api.answers import read_models
from lightly.api.client_base import ClientBase, make_path

_ACCESS_TYPE = "WRITE"


class _CollaborationMixin(ClientBase):
    """Sharing datasets with other users."""

    def share_dataset_only_with(self, dataset_id: str, user_emails: list[str]) -> None:
        """Share a dataset with these users and nobody else.

        Who had access before and is not in the list loses it at once. The address of somebody who
        has no account yet is kept, and works once there is one.

        Args:
            dataset_id: The dataset. Only its owner may share it.
            user_emails: The addresses of all who shall have access; none to stop sharing.

        Raises:
            ValueError: If `user_emails` is a single text.
            ApiException: If the dataset does not exist or belongs to somebody else.

        Example:
            >>> emails = client.get_shared_users(client.dataset_id)  # doctest: +SKIP
            >>> client.share_dataset_only_with(  # doctest: +SKIP
            ...     client.dataset_id, [*emails, "colleague@example.com"]
            ... )
        """
        body = {
            "accessType": _ACCESS_TYPE,
            "users": _check_emails(user_emails),
            "creator": self._creator,
        }
        self._transport.post(_make_access_path(dataset_id), body, is_repeatable=True)

    def get_shared_users(self, dataset_id: str) -> list[str]:
        """Return the e-mail addresses of the users that a dataset is shared with.

        Args:
            dataset_id: The dataset.

        Raises:
            ApiException: If the dataset does not exist.
        """
        from lightly.openapi_generated.swagger_client.models.shared_access_config_data import (
            SharedAccessConfigData,
        )

        answer = self._transport.get(_make_access_path(dataset_id))
        for access in read_models(SharedAccessConfigData, answer):
            if access.access_type.value == _ACCESS_TYPE:
                return access.users
        return []


def _make_access_path(dataset_id: str) -> str:
    return make_path("v1", "datasets", dataset_id, "collaboration", "access")


def _check_emails(user_emails: Iterable[str]) -> list[str]:
    if isinstance(user_emails, str):
        raise BadInput("'user_emails' must be a list of e-mail addresses, got a single text.")
    return list(user_emails)
