"""Runs scripts in published releases of the client, as real processes against a real server.

    from tests.support.published_clients.runner import run_client_script

    run = run_client_script(
        "1.5.26",
        '''
        from lightly.api import ApiWorkflowClient
        client = ApiWorkflowClient()
        client.create_dataset(arguments["name"])
        result = client.dataset_id
        ''',
        server_url=server.url, token=server.token, arguments={"name": "street scenes"},
    )
    assert len(run.result) == 24

A script gets `arguments` as a global and hands back what it leaves in the global `result`; both
travel as JSON. The environments are made by `tools/install_published_clients.py`.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

CLIENTS = Path(__file__).resolve().parents[3] / ".clients"
BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
VERSIONS_IMPORTING_TORCH = frozenset({"1.0.8", "1.1.23", "1.2.28"})
#: Stands for this package instead of a release.
OURS = "ours"
PASSED_ON_VARIABLES = frozenset({"LANG", "LC_ALL", "PATH", "TZ"})


class ClientScriptError(AssertionError):
    """A script in a published client failed; the message ends with what it wrote last."""


@dataclass(frozen=True)
class ClientRun:
    """What a script left behind.

    Attributes:
        returncode: 0 after success; negative when killed by a signal.
        stdout: Text written by script and client.
        stderr: The same, with the traceback of a script that failed.
        result: JSON value of the script's global `result`; None without one or after a failure.
    """

    returncode: int
    stdout: str
    stderr: str
    result: Any

    def check(self) -> Self:
        """Return itself after a success, raise `ClientScriptError` after a failure."""
        if self.returncode != 0:
            raise ClientScriptError(
                f"The script ended with {self.returncode}.\n{self.describe_output()}"
            )
        return self

    def describe_output(self) -> str:
        """Return the last that was written, for messages."""
        return f"{self.stdout[-2000:]}\n{self.stderr[-6000:]}"


class ClientProcess:
    """A script that is running in a published client; as context manager it is killed at the end.

    Args:
        process: The running process.
        folder: Its working folder, with order, result and output; removed at the end.
    """

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self._process = process
        self._folder = folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def is_running(self) -> bool:
        """Whether the script has not ended yet."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End the script and all it started at once, as a power cut would."""
        if self.is_running:
            os.killpg(self._process.pid, signal.SIGKILL)

    def wait(self, timeout_s: float) -> ClientRun:
        """Wait for the end and return what the script left behind.

        Raises:
            ClientScriptError: If the script is still running after `timeout_s`.
        """
        try:
            returncode = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired as late:
            self.kill()
            unfinished = self._read_run(self._process.wait())
            raise ClientScriptError(
                f"The script had not ended after {timeout_s} s.\n{unfinished.describe_output()}"
            ) from late
        return self._read_run(returncode)

    def _read_run(self, returncode: int) -> ClientRun:
        result_file = self._folder / "result.json"
        return ClientRun(
            returncode,
            stdout=(self._folder / "stdout").read_text("utf-8", errors="replace"),
            stderr=(self._folder / "stderr").read_text("utf-8", errors="replace"),
            result=json.loads(result_file.read_text("utf-8")) if returncode == 0 else None,
        )


def run_client_script(
    version: str,
    source: str | Path,
    *,
    server_url: str,
    token: str,
    timeout_s: float = 60,
    check: bool = True,
    **options: Any,
) -> ClientRun:
    """Run a script in a published client to its end.

    Args:
        version: See `start_client_script`, also for `source`, `server_url`, `token`, `options`.
        timeout_s: The script is killed when it takes longer.
        check: Raise if the script fails.

    Raises:
        ClientScriptError: If the client is not installed, the script takes too long, or it fails
            and `check` is true.
    """
    with start_client_script(
        version, source, server_url=server_url, token=token, **options
    ) as process:
        run = process.wait(timeout_s)
    return run.check() if check else run


def start_client_script(
    version: str,
    source: str | Path,
    *,
    server_url: str,
    token: str,
    arguments: Mapping[str, Any] | None = None,
    variables: Mapping[str, str] | None = None,
    longest_sleep_s: float | None = None,
) -> ClientProcess:
    """Start a script in a published client and return at once.

    Args:
        version: Release of `lightly`, such as `"1.5.26"`; `OURS` for this package.
        source: The script: its text, which may be indented, or the path of a file.
        server_url: Address of the server, such as `http://127.0.0.1:8000`.
        token: API token, handed over as a user would: in `LIGHTLY_TOKEN`.
        arguments: JSON values that the script finds in its global `arguments`.
        variables: Further environment variables.
        longest_sleep_s: Cut every `time.sleep` of the client to this; None leaves them as they are.

    Raises:
        ClientScriptError: If this release is not installed.
    """
    python = Path(sys.executable) if version == OURS else CLIENTS / version / "bin" / "python"
    if not python.exists():
        raise ClientScriptError(
            f"lightly {version} is not installed. Run: tools/install_published_clients.py {version}"
        )
    folder = Path(tempfile.mkdtemp(prefix=f"lightly-{version}-"))
    order = {
        "arguments": dict(arguments or {}),
        "longest_sleep_s": longest_sleep_s,
        "needs_torch_stand_ins": version in VERSIONS_IMPORTING_TORCH,
    }
    text = source.read_text("utf-8") if isinstance(source, Path) else textwrap.dedent(source)
    (folder / "order.json").write_text(json.dumps(order), "utf-8")
    (folder / "script.py").write_text(text, "utf-8")
    environment = _make_environment(folder, server_url, token) | dict(variables or {})
    # Files instead of pipes, so that a client that writes much never waits for its reader.
    with (folder / "stdout").open("wb") as stdout, (folder / "stderr").open("wb") as stderr:
        process = subprocess.Popen(
            [python, BOOTSTRAP],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            # A group of its own, so that killing reaches whatever the client starts.
            start_new_session=True,
        )
    return ClientProcess(process, folder)


def _make_environment(home: Path, server_url: str, token: str) -> dict[str, str]:
    """Return what the client sees: nothing of the developer's settings, proxies or home."""
    passed_on = {name: value for name, value in os.environ.items() if name in PASSED_ON_VARIABLES}
    return passed_on | {
        "HOME": str(home),
        # Releases up to 1.2 keep a slash at the end and then ask for `//v1/...`.
        "LIGHTLY_SERVER_LOCATION": server_url,
        "LIGHTLY_TOKEN": token,
        # Else the import itself asks the server for the newest version.
        "LIGHTLY_DID_VERSION_CHECK": "True",
        "OMP_NUM_THREADS": "1",
        "PYTHONUNBUFFERED": "1",
    }
