"""CPU time of `lightly serve` against nginx: many images over kept-alive connections.

    python -m benchmarks.serve_files [--files 10000] [--connections 16]

Bar: 3 times nginx, which has to be installed (`apt-get install nginx-light`). One process of nginx
with sendfile, without logs, sends the same headers. The files are in memory and the client is a
process of its own, so that what is measured is what each server does for a request.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.support.ports import find_free_port

IMAGE_BYTES = 100_000
ROUNDS = 3
#: Two levels of folders, as cameras and datasets have them.
FILES_PER_FOLDER = 1_000
JPEG_HEAD = bytes.fromhex("ffd8ffe000104a464946000101")
PROGRAM = Path(sys.executable).parent / "lightly"
START_DEADLINE_S = 20.0

NGINX_CONF = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log /dev/null;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
  types {{ image/jpeg jpg; }}
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{
    listen 127.0.0.1:{port}; root {root};
    add_header Access-Control-Allow-Origin *;
    add_header Cache-Control no-store;
    add_header X-Content-Type-Options nosniff;
  }}
}}
"""


def name_files(count: int) -> list[str]:
    return [f"camera/{n // FILES_PER_FOLDER:03}/frame_{n:06}.jpg" for n in range(count)]


def write_files(root: Path, names: list[str]) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(JPEG_HEAD + os.urandom(IMAGE_BYTES - len(JPEG_HEAD)))


def fetch_all(port: int, n_files: int, n_connections: int) -> None:
    """Ask for every file once, on connections that stay open."""
    names = name_files(n_files)
    threads = [
        threading.Thread(target=fetch, args=(port, names[number::n_connections]))
        for number in range(n_connections)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def fetch(port: int, names: list[str]) -> None:
    buffer = bytearray(IMAGE_BYTES + 4_096)
    view = memoryview(buffer)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for name in names:
            connection.sendall(f"GET /{name} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            n_received, n_expected = connection.recv_into(view), IMAGE_BYTES
            head_bytes = buffer.index(b"\r\n\r\n") + 4
            assert buffer.startswith(b"HTTP/1.1 200"), bytes(buffer[:200])
            while n_received < head_bytes + n_expected:
                n_received += connection.recv_into(view[n_received:])
            assert n_received == head_bytes + n_expected


@contextmanager
def run_nginx(root: Path, folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    (folder / "nginx.conf").write_text(NGINX_CONF.format(folder=folder, root=root, port=port))
    with run(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")], port) as process:
        yield process


@contextmanager
def run_ours(root: Path, folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    mounts = [f"input_mount={root}", f"lightly_mount={folder}"]
    with run([str(PROGRAM), "serve", *mounts, f"port={port}", "host=127.0.0.1"], port) as process:
        yield process


@contextmanager
def run(command: list[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        await_port(port)
        yield process
    finally:
        process.terminate()
        process.wait()


def await_port(port: int) -> None:
    deadline = time.monotonic() + START_DEADLINE_S
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("The server did not start.")


def read_cpu_s(process: subprocess.Popen[bytes]) -> float:
    parent = psutil.Process(process.pid)
    times = [part.cpu_times() for part in (parent, *parent.children(recursive=True))]
    return sum(part.user + part.system for part in times)


def measure_cpu_s(
    start: Callable[..., object], root: Path, n_files: int, n_connections: int
) -> float:
    """Return the CPU seconds of the server for all files: the median of some rounds."""
    rounds = []
    with tempfile.TemporaryDirectory() as folder:
        port = find_free_port()
        client = [sys.executable, "-m", "benchmarks.serve_files", "--load-port", str(port)]
        client += ["--files", str(n_files), "--connections", str(n_connections)]
        with start(root, Path(folder), port) as process:
            for _ in range(ROUNDS):
                before_s = read_cpu_s(process)
                subprocess.run(client, check=True)
                rounds.append(read_cpu_s(process) - before_s)
    return statistics.median(rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--load-port", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.load_port:
        fetch_all(args.load_port, args.files, args.connections)
        return
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        # Read by nginx's worker, which is another user if this one is root.
        root.chmod(0o755)
        write_files(root, name_files(args.files))
        what = f"{args.files:,} files of {IMAGE_BYTES // 1000} kB, {args.connections} connections"
        ours_s = measure_cpu_s(run_ours, root, args.files, args.connections)
        print(f"lightly serve, {what}: {ours_s:.2f} s CPU, {ours_s / args.files * 1e6:.0f} µs each")
        if shutil.which("nginx") is None:
            print("nginx is not installed, so there is no ratio: apt-get install nginx-light")
            return
        nginx_s = measure_cpu_s(run_nginx, root, args.files, args.connections)
        print(f"nginx: {nginx_s:.2f} s CPU, {nginx_s / args.files * 1e6:.0f} µs each")
        print(f"lightly serve against nginx: {ours_s / nginx_s:.2f}x (bar 3x)")


if __name__ == "__main__":
    main()
