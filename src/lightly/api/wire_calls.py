"""The operations of the wire contract one to one, for what the client has no method for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lightly.api.client_base import ClientBase

#: Attributes of the client that published clients have too, and what is in them.
_CLASSES = {
    "_collaboration_api": "CollaborationApi",
    "_compute_worker_api": "DockerApi",
    "_datasets_api": "DatasetsApi",
    "_datasources_api": "DatasourcesApi",
    "_embeddings_api": "EmbeddingsApi",
    "_jobs_api": "JobsApi",
    "_mappings_api": "MappingsApi",
    "_metadata_configurations_api": "MetaDataConfigurationsApi",
    "_predictions_api": "PredictionsApi",
    "_quota_api": "QuotaApi",
    "_samples_api": "SamplesApi",
    "_scores_api": "ScoresApi",
    "_selection_api": "SamplingsApi",
    "_tags_api": "TagsApi",
}
#: Their names up to client 1.1.
_CLASSES_OF_1_1 = {
    "datasets_api": "DatasetsApi",
    "embeddings_api": "EmbeddingsApi",
    "jobs_api": "JobsApi",
    "mappings_api": "MappingsApi",
    "quota_api": "QuotaApi",
    "samples_api": "SamplesApi",
    "samplings_api": "SamplingsApi",
    "scores_api": "ScoresApi",
    "tags_api": "TagsApi",
}


class _WireCallsMixin(ClientBase):
    """The operations of the wire contract one to one."""

    @property
    def api_client(self) -> Any:
        """What calls the server: the argument of the classes of `swagger_client.api`."""
        return self._transport

    if not TYPE_CHECKING:
        # Seen by a type checker, this would allow every name.
        def __getattr__(self, name: str) -> Any:
            class_name = _CLASSES.get(name) or _CLASSES_OF_1_1.get(name)
            if class_name is None:
                raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
            from lightly.openapi_generated.swagger_client import api

            return getattr(api, class_name)(self._transport)
