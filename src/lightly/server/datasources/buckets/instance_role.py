"""The role of the machine that the server runs on, from the metadata service of Amazon's machines.

That address is what a datasource may never lead to, so it is asked past the proxy of datasources,
only where the operator has switched it on, and nothing of a request from users is part of it.
Source: "Use the Instance Metadata Service to access instance metadata" (version 2) of the EC2 user
guide.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import requests

from lightly._kit.retry import RetryPolicy
from lightly.server.datasources.buckets.raw_requests import RawRequests
from lightly.server.datasources.buckets.s3 import S3Credentials
from lightly.server.errors import DatasourceUnreachable

_ADDRESS = "http://169.254.169.254"
_ADDRESS_VARIABLE = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
_ROLES = "/latest/meta-data/iam/security-credentials/"
_TTL_HEADER, _TOKEN_HEADER = "X-aws-ec2-metadata-token-ttl-seconds", "X-aws-ec2-metadata-token"
#: Long enough to read a role with.
_TOKEN_TTL_S = 60
_HINT = (
    "Cannot assume the role of the datasource: the server is to use the role of its machine "
    "(LIGHTLY_SERVER_AWS_INSTANCE_ROLE), but "
)


def _make_requests() -> RawRequests:
    session = requests.Session()
    # Neither proxies nor passwords of the environment are for this address.
    session.trust_env = False
    return RawRequests(session, RetryPolicy(attempts=3, base_s=0.2, cap_s=1.0))


@dataclass(frozen=True)
class InstanceRole:
    """Finds the credentials of the machine's role.

    Attributes:
        variables: Of the server; one of them may name another address.
        requests: Asks the metadata service.
    """

    variables: Mapping[str, str]
    requests: RawRequests = field(default_factory=_make_requests)

    def find(self) -> S3Credentials:
        """Return the credentials.

        Raises:
            DatasourceUnreachable: If the machine has no role, or no such service.
        """
        try:
            token = self._ask("PUT", "/latest/api/token", {_TTL_HEADER: str(_TOKEN_TTL_S)}).strip()
            headers = {_TOKEN_HEADER: token}
            role = self._ask("GET", _ROLES, headers).split("\n")[0].strip()
            return _read_role(self._ask("GET", _ROLES + quote(role, safe=""), headers))
        except FileNotFoundError:
            raise DatasourceUnreachable(
                f"{_HINT}the machine has none. The operator has to attach one to it."
            ) from None
        except OSError:
            raise DatasourceUnreachable(
                f"{_HINT}its metadata service does not answer as it should. In a container the "
                "operator has to raise the hop limit of that service to 2."
            ) from None

    def _ask(self, method: str, path: str, headers: Mapping[str, str]) -> str:
        address = (self.variables.get(_ADDRESS_VARIABLE) or _ADDRESS).rstrip("/")
        body = self.requests.send(method, lambda: address + path, headers=headers)
        return body.decode("utf-8", "replace")


def _read_role(text: str) -> S3Credentials:
    try:
        found = json.loads(text)
        return S3Credentials(
            found["AccessKeyId"],
            found["SecretAccessKey"],
            found["Token"],
            dt.datetime.fromisoformat(found["Expiration"]),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise OSError("incomplete: the answer has no credentials") from error
