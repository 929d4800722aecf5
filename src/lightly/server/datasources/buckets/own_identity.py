"""Who the server is to AWS: what roles of datasources let in.

Looked for where AWS's own tools look, in their order: variables, a token of the cluster that the
server runs in, the file of profiles, and the role of the machine. Sources: "Configuration and
credential file settings" of the AWS documentation; the operation `AssumeRoleWithWebIdentity` of the
Security Token Service.
"""

from __future__ import annotations

import configparser
import datetime as dt
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from lightly.server.datasources.buckets.errors import find_code
from lightly.server.datasources.buckets.instance_role import InstanceRole
from lightly.server.datasources.buckets.raw_listing import find_text, parse_xml
from lightly.server.datasources.buckets.raw_requests import RawRequests, StoreAnswered
from lightly.server.datasources.buckets.s3 import S3Credentials
from lightly.server.errors import DatasourceUnreachable

_KEY_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_TOKEN_FILE, _TOKEN_ROLE = "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"
_SESSION_NAME = "lightly-server"
_PREFIX = "Cannot assume the role of the datasource: "


@dataclass(frozen=True)
class OwnIdentity:
    """Finds the server's own credentials.

    Attributes:
        requests: Asks the token service.
        endpoint: Of the token service, with a slash at the end.
        variables: Of the server.
        uses_instance_role: Whether the operator lets it be the role of its machine.
    """

    requests: RawRequests
    endpoint: str
    variables: Mapping[str, str] = field(default_factory=lambda: os.environ)
    uses_instance_role: bool = False

    def find(self, now_s: float) -> S3Credentials:
        """Return the credentials.

        Args:
            now_s: The time, in seconds.

        Raises:
            DatasourceUnreachable: If the server has none; says what helps.
            OSError: If the token service does not answer.
        """
        key, secret, token = (self.variables.get(name, "") for name in _KEY_VARIABLES)
        if key and secret:
            return S3Credentials(key, secret, token or None)
        if self.variables.get(_TOKEN_FILE) and self.variables.get(_TOKEN_ROLE):
            return self._trade_token(now_s)
        found = self._read_profile()
        if found is None and self.uses_instance_role:
            found = InstanceRole(self.variables).find()
        if found is None:
            raise DatasourceUnreachable(
                f"{_PREFIX}the server has no AWS credentials of its own. The operator has to set "
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, of a user who may do "
                "sts:AssumeRole, to give the server a profile, the role of a service account "
                "(AWS_WEB_IDENTITY_TOKEN_FILE) or that of its machine "
                "(LIGHTLY_SERVER_AWS_INSTANCE_ROLE), or the datasource has to use keys (type S3)."
            )
        return found

    def _trade_token(self, now_s: float) -> S3Credentials:
        """Return the session of the role that the cluster's token stands for."""
        try:
            # It is replaced while the server runs, so it is read each time.
            token = Path(self.variables[_TOKEN_FILE]).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise DatasourceUnreachable(
                f"{_PREFIX}the file of {_TOKEN_FILE} cannot be read by the server. The operator "
                "has to look at it."
            ) from None
        query = {
            "Action": "AssumeRoleWithWebIdentity",
            "Version": "2011-06-15",
            "RoleArn": self.variables[_TOKEN_ROLE],
            "RoleSessionName": self.variables.get("AWS_ROLE_SESSION_NAME") or _SESSION_NAME,
            "WebIdentityToken": token,
        }
        headers = {"content-type": "application/x-www-form-urlencoded"}
        try:
            body = self.requests.send(
                "POST", lambda: self.endpoint, urlencode(query).encode(), headers
            )
        except StoreAnswered as error:
            code = find_code(str(error))
            shown = f" ({code})" if code else ""
            raise DatasourceUnreachable(
                f"{_PREFIX}the token service refuses the server's own role{shown}. The operator "
                f"has to look at {_TOKEN_ROLE} and at the trust policy of that role."
            ) from None
        return read_session(body, now_s)

    def _read_profile(self) -> S3Credentials | None:
        """Return the keys of the chosen profile; None if there are none."""
        place = self.variables.get("AWS_SHARED_CREDENTIALS_FILE", "")
        path = Path(place).expanduser() if place else Path("~/.aws/credentials").expanduser()
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            raise DatasourceUnreachable(
                f"{_PREFIX}the server's file of AWS profiles is no such file. The operator has to "
                "look at it."
            ) from None
        name = self.variables.get("AWS_PROFILE") or "default"
        profile = parser[name] if parser.has_section(name) else {}
        key, secret, token = (profile.get(variable.lower(), "") for variable in _KEY_VARIABLES)
        return S3Credentials(key, secret, token or None) if key and secret else None


def read_session(body: bytes, now_s: float) -> S3Credentials:
    """Return the session of an answer of the token service, to be renewed when half is over.

    Raises:
        OSError: If there is none in it.
    """
    found = parse_xml(body).find(".//{*}Credentials")
    if found is None:
        raise OSError("incomplete: the answer has no credentials")
    expires_at = dt.datetime.fromisoformat(find_text(found, "Expiration")).astimezone(dt.UTC)
    half_s = max(0.0, expires_at.timestamp() - now_s) / 2
    return S3Credentials(
        find_text(found, "AccessKeyId"),
        find_text(found, "SecretAccessKey"),
        find_text(found, "SessionToken"),
        expires_at,
        renew_at=dt.datetime.fromtimestamp(now_s + half_s, dt.UTC),
    )
