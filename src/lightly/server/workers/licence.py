"""What workers are told when they ask whether they may work: a server of one's own has no limits.

The contract's answers are signed, so that a worker could check them. The vendor's key is in no
published client; these are signed with a key of this server.
"""

from __future__ import annotations

import hashlib
import hmac

import orjson

from lightly.server.platform import PlatformState
from lightly.server.teams.models import NEVER_MS

#: Whoever runs the server decides about it alone.
LICENSE_TYPE = "SELF_HOSTED"


def describe_license() -> dict[str, str | int | bool]:
    """Return the contract's `DockerLicenseInformation`."""
    return {
        "licenseType": LICENSE_TYPE,
        "licenseExpirationDate": NEVER_MS,
        "licenseIsValid": True,
    }


def authorize_task(
    platform: PlatformState, timestamp_ms: int, task_description: object
) -> dict[str, str]:
    """Return the contract's `DockerAuthorizationResponse`: yes, and for what.

    Args:
        platform: The server.
        timestamp_ms: Of the request, which the answer repeats so that it is good for this one only.
        task_description: What is to be done; likewise.
    """
    body = orjson.dumps(
        {
            "authorized": True,
            "timestamp": timestamp_ms,
            "taskDescription": task_description,
            **describe_license(),
        }
    )
    return {"bodyString": body.decode(), "bodyHmac": _sign(platform, body)}


def authorize_worker(platform: PlatformState, hashed_task_description: str) -> str:
    """Return the signature of a task that a worker is about to begin."""
    return _sign(platform, hashed_task_description.encode())


def _sign(platform: PlatformState, message: bytes) -> str:
    key = platform.keys.derive("worker-authorization")
    return hmac.digest(key, message, hashlib.sha256).hex()
