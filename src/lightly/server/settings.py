"""Every setting of the server, with its default and its reason.

Each setting is a flag of `lightly server` and a variable `LIGHTLY_SERVER_<NAME>`; the flag wins.
`LIGHTLY_SERVER_LOCATION` belongs to clients and is never a setting.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from lightly._kit.egress import EgressPolicy
from lightly._kit.errors import BadInput

_PREFIX = "LIGHTLY_SERVER_"
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


@dataclass(frozen=True)
class Settings:
    """The server's settings. Sizes are bytes, times are seconds.

    Attributes:
        host: Address to listen on; loopback unless told otherwise.
        port: Port to listen on; 0 takes a free one.
        data_dir: Folder of everything that the server keeps on this machine.
        database_url: `sqlite:///...` or `postgresql://...`; empty means SQLite in `data_dir`.
        storage_url: `file:///...`, `s3://...`, `gs://...` or `az://...`; empty means a folder in
            `data_dir`.
        public_url: What URLs that the server hands out start with; empty means its own address.
        allowed_hosts: Names that the server answers to, with commas between, `*` for any. Empty
            means loopback and the public URL for a server on loopback, any for others.
        input_mount: Folder below which LOCAL datasources are read.
        lightly_mount: Folder below which LOCAL datasources are written.
        s3_endpoint: Replaces the public endpoint of S3 for all datasources of that type, in signed
            URLs too; so do `gcs_endpoint` and `azure_endpoint`.
        sts_endpoint: Likewise, where roles of S3 datasources are assumed.
        gcs_endpoint: See `s3_endpoint`.
        azure_endpoint: See `s3_endpoint`; a folder of it is an account.
        egress_allow: Networks (CIDRs, commas between) that the server may connect to for a
            datasource though they are not public, and without encryption.
        datasource_ca_file: Certificates (PEM) of private authorities that the stores of datasources
            may have theirs from, besides the public ones.
        aws_instance_role: Assume roles of S3 datasources as the role of the server's machine, where
            no other identity of the server is found.
        no_worker: Do not start the embedded worker.
        max_body_bytes: Largest JSON body. 1M-sample bit masks need 250 kB, 10,000 samples with
            metadata some 10 MB.
        max_head_bytes: Longest path and headers of a request. Usual clients stay below 8 kB.
        idle_timeout_s: How long a request may take up to its body, and its body may pause.
        max_blob_bytes: Largest upload to a signed URL; embeddings of 1M samples are about 2 GB.
        max_custom_metadata_bytes: Largest custom metadata of one sample.
        max_dataset_size: Most samples in one dataset, also what `/v1/quota` answers.
        signed_url_ttl_s: How long a signed URL works. The contract allows up to seven days.
        thread_count: Requests worked on at once.
        requests_per_user: Requests of one user worked on at once, whatever their number; half of
            `thread_count`, so that others find free threads.
        waiting_requests_per_user: Further requests of one user that wait; more are answered 429.
            Published clients send at most some 32 at once, per process.
        failed_logins_per_minute: Wrong tokens per address and minute before 429.
        deleted_dataset_ttl_s: How long the operator can bring back a deleted dataset; at least as
            long as signed URLs work.
        job_lease_s: The jobs of a server that has shown no sign of life for this long are taken
            over by another one.
        run_lease_s: A worker that has shown no sign of life for this long has lost its run.
        contract_run_lease_s: Likewise for workers that speak the published contract only: they send
            no sign of life but what they say about the run, and may train for long in silence.
        run_attempts: How often a run is begun whose workers vanish, before it is given up.
        log_format: `text` for people, `json` for log collectors.
        keep_task_process: Keep a process for the next job while one is likely: jobs begin a second
            earlier, for 120 MB of memory.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    data_dir: Path = Path("lightly-data")
    database_url: str = ""
    storage_url: str = ""
    public_url: str = ""
    allowed_hosts: str = ""
    input_mount: str = ""
    lightly_mount: str = ""
    s3_endpoint: str = ""
    sts_endpoint: str = ""
    gcs_endpoint: str = ""
    azure_endpoint: str = ""
    egress_allow: str = ""
    datasource_ca_file: str = ""
    aws_instance_role: bool = False
    no_worker: bool = False
    max_body_bytes: int = 64 * 1024 * 1024
    max_head_bytes: int = 64 * 1024
    idle_timeout_s: int = 60
    max_blob_bytes: int = 16 * 1024 * 1024 * 1024
    max_custom_metadata_bytes: int = 64 * 1024
    max_dataset_size: int = 50_000_000
    signed_url_ttl_s: int = 24 * 3600
    thread_count: int = 32
    requests_per_user: int = 16
    waiting_requests_per_user: int = 512
    failed_logins_per_minute: int = 60
    deleted_dataset_ttl_s: int = 7 * 24 * 3600
    job_lease_s: int = 60
    run_lease_s: int = 45
    contract_run_lease_s: int = 3600
    run_attempts: int = 3
    log_format: str = "text"
    keep_task_process: bool = True

    def __post_init__(self) -> None:
        """Refuse words that mean nothing."""
        if self.log_format not in {"text", "json"}:
            raise BadInput(
                f"LIGHTLY_SERVER_LOG_FORMAT must be text or json, got {self.log_format[:40]!r}."
            )
        for name in ("s3_endpoint", "sts_endpoint", "gcs_endpoint", "azure_endpoint"):
            endpoint: str = getattr(self, name)
            if endpoint and not endpoint.startswith(("https://", "http://")):
                raise BadInput(
                    f"{_PREFIX}{name.upper()} must look like https://HOST, got {endpoint[:60]!r}."
                )
        try:
            EgressPolicy.parse(self.egress_allow)
        except BadInput as error:
            raise BadInput(f"LIGHTLY_SERVER_EGRESS_ALLOW: {error}") from error
        if self.datasource_ca_file:
            _check_certificates(self.datasource_ca_file)

    @property
    def effective_database_url(self) -> str:
        """The database to use, with the default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'lightly.sqlite'}"

    @property
    def base_url(self) -> str:
        """What URLs that the server hands out begin with, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def blob_root(self) -> Path:
        """The folder of the local object store."""
        if not self.storage_url:
            return self.data_dir.resolve() / "blobs"
        if self.storage_url.startswith("file:///"):
            return Path(self.storage_url.removeprefix("file://"))
        raise BadInput(
            f"The storage URL of a folder must be 'file:///FOLDER', got {self.storage_url[:60]!r}."
        )


def read_settings(environment: Mapping[str, str] | None = None, **flags: Any) -> Settings:
    """Return the settings: defaults, overridden by the environment, overridden by flags.

    Args:
        environment: Variables; those of this process when None.
        **flags: Values from the command line; None means not given.

    Raises:
        BadInput: If a value cannot be read; the message names the variable.
    """
    variables = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    for field in fields(Settings):
        text = variables.get(_PREFIX + field.name.upper())
        if text is not None:
            values[field.name] = _read_value(_PREFIX + field.name.upper(), text, str(field.type))
    values |= {name: value for name, value in flags.items() if value is not None}
    return replace(Settings(), **values)


def _check_certificates(path: str) -> None:
    """Raise unless a file has certificates: a store would only be said to be unreachable."""
    try:
        ssl.create_default_context(cafile=path)
    except (OSError, ValueError) as error:
        raise BadInput(
            f"{_PREFIX}DATASOURCE_CA_FILE must name a file with certificates in PEM form "
            f"({type(error).__name__})."
        ) from error


def _read_value(name: str, text: str, kind: str) -> object:
    if kind == "int":
        if not text.strip().lstrip("-").isdigit():
            raise BadInput(f"{name} must be an integer, got {text[:40]!r}.")
        return int(text)
    if kind == "bool":
        if text.lower() not in _TRUE | _FALSE:
            raise BadInput(f"{name} must be 1 or 0, got {text[:40]!r}.")
        return text.lower() in _TRUE
    return Path(text) if kind == "Path" else text
