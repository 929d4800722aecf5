"""S3 with a delegated role: the user's account lets the server's one in, for a session at a time.

Source: the operation `AssumeRole` of the AWS Security Token Service.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import threading
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlencode, urlsplit

from lightly.server.datasources.buckets.errors import find_code
from lightly.server.datasources.buckets.network import Network, split_endpoint
from lightly.server.datasources.buckets.own_identity import OwnIdentity, read_session
from lightly.server.datasources.buckets.query_signing import derive_key
from lightly.server.datasources.buckets.raw_requests import RawRequests, StoreAnswered
from lightly.server.datasources.buckets.s3 import (
    S3Credentials,
    make_amazon_bucket,
    open_bucket,
)
from lightly.server.datasources.buckets.store import BucketStore
from lightly.server.datasources.models import Datasource
from lightly.server.errors import DatasourceUnavailable, DatasourceUnreachable
from lightly.server.settings import Settings

#: What workers need for a long run; roles allow it when their owner has set it.
_LONG_SESSION_S = 12 * 3600
#: What every role allows.
_SHORT_SESSION_S = 3600


def open_role_store(
    settings: Settings, datasource: Datasource, secrets: Mapping[str, str]
) -> BucketStore:
    """Return the store of an S3DelegatedAccess datasource."""
    network = Network.open(settings)
    bucket = make_amazon_bucket(settings, datasource)
    endpoint = settings.sts_endpoint.rstrip("/")
    if endpoint:
        split_endpoint(endpoint, "LIGHTLY_SERVER_STS_ENDPOINT")
    else:
        domain = "amazonaws.com.cn" if bucket.region.startswith("cn-") else "amazonaws.com"
        endpoint = f"https://sts.{bucket.region}.{domain}"
    role = AssumedRole(
        RawRequests(network.make_session()),
        endpoint,
        bucket.region,
        arn=secrets["s3ARN"],
        external_id=secrets["s3ExternalId"],
        session_name=f"lightly-{datasource.id}",
        uses_instance_role=settings.aws_instance_role,
    )
    return open_bucket(network, bucket, role.find, is_redirected=True)


class AssumedRole:
    """Keeps a session of a role, made anew when half of it is over.

    Args:
        requests: Asks the token service.
        endpoint: Of the token service.
        region: That requests are signed for.
        arn: The role.
        external_id: What the role's owner has agreed on with the datasource's.
        session_name: What the role's owner sees in their records.
        uses_instance_role: See `OwnIdentity`.
        find_own: Returns the server's own credentials.
        now: Tells the time in seconds; a test passes its own.
    """

    def __init__(
        self,
        requests: RawRequests,
        endpoint: str,
        region: str,
        *,
        arn: str,
        external_id: str,
        session_name: str,
        uses_instance_role: bool = False,
        find_own: Callable[[], S3Credentials] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._requests = requests
        self._endpoint = f"{endpoint}/"
        self._region = region
        self._arn = arn
        self._external_id = external_id
        self._session_name = session_name
        self._now = now
        identity = OwnIdentity(requests, self._endpoint, uses_instance_role=uses_instance_role)
        self._find_own = find_own or (lambda: identity.find(now()))
        self._lock = threading.Lock()
        self._session: S3Credentials | None = None

    def find(self) -> S3Credentials:
        """Return the credentials of a session that lasts for a while yet.

        Raises:
            DatasourceUnreachable: If the role cannot be assumed; says what helps.
        """
        with self._lock:
            session = self._session
            if session is None or session.is_to_be_renewed(self._now()):
                session = self._session = self._assume()
            return session

    def _assume(self) -> S3Credentials:
        try:
            own = self._find_own()
            return self._ask(own, _LONG_SESSION_S)
        except StoreAnswered as error:
            if "DurationSeconds" not in str(error):
                raise _explain_refusal(error) from None
        except OSError:
            raise _NO_ANSWER from None
        try:
            return self._ask(own, _SHORT_SESSION_S)
        except StoreAnswered as error:
            raise _explain_refusal(error) from None
        except OSError:
            raise _NO_ANSWER from None

    def _ask(self, own: S3Credentials, duration_s: int) -> S3Credentials:
        query = {
            "Action": "AssumeRole",
            "Version": "2011-06-15",
            "RoleArn": self._arn,
            "RoleSessionName": self._session_name,
            "ExternalId": self._external_id,
            "DurationSeconds": str(duration_s),
        }
        content = urlencode(query).encode()
        headers = sign_request(own, self._endpoint, self._region, content, self._now())
        body = self._requests.send("POST", lambda: self._endpoint, content, headers)
        return read_session(body, self._now())


_NO_ANSWER = DatasourceUnavailable(
    "Cannot assume the role of the datasource: the token service does not answer as it should, "
    "also when asked again. Try again shortly."
)


def sign_request(
    own: S3Credentials, url: str, region: str, content: bytes, now_s: float
) -> dict[str, str]:
    """Return the headers that sign a request to the token service.

    Source: "Create a signed AWS API request" of the AWS documentation.
    """
    moment = dt.datetime.fromtimestamp(int(now_s), dt.UTC)
    stamp, day = moment.strftime("%Y%m%dT%H%M%SZ"), moment.strftime("%Y%m%d")
    parts = urlsplit(url)
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "host": parts.netloc,
        "x-amz-date": stamp,
        **({"x-amz-security-token": own.token} if own.token else {}),
    }
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    digest = hashlib.sha256(content).hexdigest()
    request = f"POST\n{parts.path or '/'}\n\n{lines}\n{names}\n{digest}"
    scope = f"{day}/{region}/sts/aws4_request"
    hashed = hashlib.sha256(request.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashed}"
    key = derive_key(own.secret_access_key, day, region, "sts")
    signature = hmac.digest(key, text.encode(), hashlib.sha256).hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={own.access_key_id}/{scope}, SignedHeaders={names}, "
        f"Signature={signature}"
    )
    return headers


def _explain_refusal(error: StoreAnswered) -> DatasourceUnreachable:
    code = find_code(str(error))
    remedy = {
        "AccessDenied": "The trust policy of the role has to allow sts:AssumeRole to the server's "
        "AWS account, with the condition sts:ExternalId of the datasource.",
        "InvalidClientTokenId": "The operator has to look at the AWS credentials of the server.",
        "SignatureDoesNotMatch": "The operator has to look at the AWS credentials of the server, "
        "and at its clock.",
        "ExpiredToken": "The AWS credentials of the server have expired: the operator has to "
        "renew them.",
        "RegionDisabledException": "The token service is not active in this region: its account "
        "has to activate it.",
    }.get(code, "Look at the ARN of the role, its trust policy and the external id.")
    shown = f" ({code})" if code else ""
    return DatasourceUnreachable(f"Cannot assume the role of the datasource{shown}: {remedy}")
