"""Configurations of datasources: read in old and new spellings, shown without their secrets."""

from __future__ import annotations

import re
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from pydantic import ValidationError

from lightly._kit.errors import BadInput
from lightly._kit.safe_paths import check_relative_name
from lightly.openapi_generated.swagger_client.models.datasource_config_azure import (
    DatasourceConfigAzure,
)
from lightly.openapi_generated.swagger_client.models.datasource_config_gcs import (
    DatasourceConfigGCS,
)
from lightly.openapi_generated.swagger_client.models.datasource_config_lightly import (
    DatasourceConfigLIGHTLY,
)
from lightly.openapi_generated.swagger_client.models.datasource_config_local import (
    DatasourceConfigLOCAL,
)
from lightly.openapi_generated.swagger_client.models.datasource_config_obs import (
    DatasourceConfigOBS,
)
from lightly.openapi_generated.swagger_client.models.datasource_config_s3 import DatasourceConfigS3
from lightly.openapi_generated.swagger_client.models.datasource_config_s3_delegated_access import (
    DatasourceConfigS3DelegatedAccess,
)
from lightly.openapi_generated.wire.model import WireModel
from lightly.server.datasources.models import Configuration, Datasource, Purpose
from lightly.server.errors import MalformedRequest

_MODELS: dict[str, type[WireModel]] = {
    "S3": DatasourceConfigS3,
    "S3DelegatedAccess": DatasourceConfigS3DelegatedAccess,
    "GCS": DatasourceConfigGCS,
    "AZURE": DatasourceConfigAzure,
    "OBS": DatasourceConfigOBS,
    "LOCAL": DatasourceConfigLOCAL,
    "LIGHTLY": DatasourceConfigLIGHTLY,
}
#: Fields that are never shown, by type, and what is shown instead: it has to keep the rules of the
#: contract, or clients could not read the rest.
_MASK = "********"
_MASKS: dict[str, dict[str, str]] = {
    "S3": {"s3AccessKeyId": _MASK, "s3SecretAccessKey": _MASK},
    "S3DelegatedAccess": {
        "s3ExternalId": "masked-masked",
        "s3ARN": "arn:aws:iam::000000000000:role/masked",
    },
    "GCS": {"gcsCredentials": _MASK},
    "AZURE": {"accountName": _MASK, "accountKey": _MASK},
    "OBS": {
        "obsEndpoint": f"https://{_MASK}",
        "obsAccessKeyId": _MASK,
        "obsSecretAccessKey": _MASK,
    },
    "LOCAL": {},
    "LIGHTLY": {},
}
_PATH_FORMS = {"S3": "s3://", "S3DelegatedAccess": "s3://", "GCS": "gs://", "OBS": "obs://"}
_OLD_REGIONS = {"us-gov-east-1": "us-gov-east", "us-gov-west-1": "us-gov-west"}
_BASE_FIELDS = {"id", "type", "purpose", "fullPath"}
_MAX_PATH_CHARACTERS = 2048
#: A key file of GCS has 2.5 kB.
_MAX_FIELD_CHARACTERS = 32 * 1024
_URL = re.compile(r"https?://", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def read_configuration(content: object) -> Configuration:
    """Return the configuration of a decoded `DatasourceConfig`.

    Clients up to 1.3 name two regions otherwise and give LOCAL datasources as one URL.

    Raises:
        MalformedRequest: If it breaks a rule; says which, and never repeats a value.
    """
    if not isinstance(content, dict):
        raise MalformedRequest("body: A datasource is a JSON object.")
    fields = {name: value for name, value in content.items() if value is not None}
    fields.setdefault("purpose", Purpose.INPUT_OUTPUT.value)
    _normalise_spellings(fields)
    _check_fields(fields)
    type_ = fields["type"]
    secret_names = _MASKS[type_].keys()
    others = {name: fields[name] for name in fields.keys() - _BASE_FIELDS - secret_names}
    return Configuration(
        purpose=Purpose(fields["purpose"]),
        type=type_,
        full_path=_check_path(type_, fields["fullPath"]),
        settings={name: value for name, value in others.items() if value != ""},
        secrets={name: fields[name] for name in secret_names},
    )


def find_masked_secrets(configuration: Configuration) -> set[str]:
    """Return the secrets that were sent as they were shown: masked."""
    masks = _MASKS[configuration.type]
    return {name for name, value in configuration.secrets.items() if value == masks[name]}


def write_configuration(datasource: Datasource) -> dict[str, Any]:
    """Return the contract's `DatasourceConfig`, secrets masked."""
    return {
        "id": datasource.id,
        "purpose": datasource.purpose,
        "type": datasource.type,
        "fullPath": datasource.full_path,
        **datasource.settings,
        **_MASKS[datasource.type],
    }


def _normalise_spellings(fields: dict[str, Any]) -> None:
    region = fields.get("s3Region")
    if isinstance(region, str):
        fields["s3Region"] = _OLD_REGIONS.get(region, region)
    path = fields.get("fullPath")
    if fields.get("type") == "LOCAL" and isinstance(path, str) and _URL.match(path):
        location, fields["fullPath"] = _split_location(path)
        fields.setdefault("webServerLocation", location)


def _split_location(url: str) -> tuple[str, str]:
    """Return the web server and the path of what older clients send as one URL."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise MalformedRequest("fullPath (body): This is not a URL.") from error
    return f"{parts.scheme}://{parts.netloc}", unquote(parts.path).strip("/")


def _check_fields(fields: dict[str, Any]) -> None:
    model = _MODELS.get(str(fields.get("type")))
    if model is None:
        raise MalformedRequest(f"type (body): must be one of {', '.join(_MODELS)}.")
    try:
        model.from_dict(fields)
    except ValidationError as error:
        # Without the value, which may be a secret.
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        name = ".".join(str(part) for part in first["loc"])[:100]
        raise MalformedRequest(f"{name} (body): {first['msg']}.") from None
    for name, value in fields.items():
        limit = _MAX_PATH_CHARACTERS if name in {"fullPath", "thumbSuffix"} else None
        if len(value) > (limit or _MAX_FIELD_CHARACTERS):
            raise MalformedRequest(f"{name} (body): This is too long.")
    location = fields.get("webServerLocation")
    if location is not None:
        _check_location(location)
    if "thumbSuffix" in fields:
        _check_thumb_suffix(fields["thumbSuffix"])


def _check_location(location: str) -> None:
    try:
        parts = urlsplit(location)
        is_plain = not (parts.username or parts.password or parts.query or parts.fragment)
    except ValueError:
        is_plain = False
    if not is_plain or _CONTROL.search(location):
        raise MalformedRequest(
            "webServerLocation (body): must be a plain address such as http://localhost:3456."
        )


def _check_thumb_suffix(suffix: str) -> None:
    example = suffix.replace("[filename]", "a").replace("[extension]", "jpg")
    _check_relative(example or "a", "thumbSuffix")


def _check_path(type_: str, path: str) -> str:
    if _CONTROL.search(path):
        raise MalformedRequest("fullPath (body): must not contain control characters.")
    if type_ == "LOCAL":
        return _check_local_path(path)
    if type_ == "AZURE" and (not path or "://" in path or path.startswith("/")):
        raise MalformedRequest("fullPath (body): must look like CONTAINER/PATH.")
    form = _PATH_FORMS.get(type_)
    if form is not None and not re.match(rf"{form}[^/]", path):
        raise MalformedRequest(f"fullPath (body): must look like {form}BUCKET/PATH.")
    return path


def _check_local_path(path: str) -> str:
    trimmed = path.rstrip("/") if path != "/" else path
    if not trimmed:
        return ""
    if "://" in trimmed:
        raise MalformedRequest("fullPath (body): must be a path relative to the mounts.")
    _check_relative(trimmed, "fullPath")
    return trimmed


def _check_relative(path: str, field: str) -> None:
    try:
        check_relative_name(path)
    except BadInput as error:
        text = cast("str", error.args[0])
        raise MalformedRequest(f"{field} (body): {text}") from error
