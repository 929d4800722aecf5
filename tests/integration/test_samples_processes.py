"""Samples on a real server process that is killed, cut off and loaded. L1, L2, F9, T19."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from requests.exceptions import ChunkedEncodingError

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
CLIENTS = 4
BATCHES_PER_CLIENT = 12
ROWS_PER_BATCH = 200
KILLS = 3
METADATA = {
    "mean": [0.4851, 0.4561, 0.4062],
    "std": [0.2291, 0.2242, 0.2254],
    "sumOfValues": [596126.12, 560432.53, 499098.62],
    "sumOfSquares": [353642.21, 317235.81, 265134.72],
    "shape": [960, 1280, 3],
    "snr": 2.1173,
    "sharpness": 23.442,
    "sizeInBytes": 348_213,
}


class Caller:
    """Calls one server process as its first user."""

    def __init__(self, server):
        self.server = server
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {server.token}"

    def request(self, method, path, **options):
        return self.session.request(method, f"{self.server.url}{path}", timeout=60, **options)

    def request_until_answered(self, method, path, **options):
        """Try again for as long as the server is away, as clients do."""
        deadline = time.monotonic() + 120
        while True:
            try:
                response = self.request(method, path, **options)
            except (requests.ConnectionError, requests.Timeout, ChunkedEncodingError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
                continue
            assert response.status_code < 300, response.text
            return response

    def create_dataset(self):
        return self.request("POST", "/v1/datasets", json={"name": "birds"}).json()["id"]


@pytest.fixture
def caller(server_process):
    return Caller(server_process)


@pytest.fixture
def dataset_id(caller):
    return caller.create_dataset()


def name_batch(client, batch):
    # Every other name is one that another client registers too.
    return [
        f"shared/{batch}/{number}.jpg" if number % 2 else f"{client}/{batch}/{number}.jpg"
        for number in range(ROWS_PER_BATCH)
    ]


def list_all(caller, dataset_id):
    rows = []
    while page := caller.request(
        "GET", f"/ext/v1/datasets/{dataset_id}/samples/names?after={len(rows) - 1}"
    ).json():
        rows += page
    return rows


def test_nothing_acknowledged_is_lost_when_the_server_is_killed(server_process, dataset_id):
    acknowledged = {}
    lock = threading.Lock()
    answered = threading.Semaphore(0)

    def register(client):
        caller = Caller(server_process)
        for batch in range(BATCHES_PER_CLIENT):
            names = name_batch(client, batch)
            body = {"samples": [{"fileName": name, "metaData": METADATA} for name in names]}
            path = f"/ext/v1/datasets/{dataset_id}/samples/bulk"
            ids = caller.request_until_answered("POST", path, json=body).json()["ids"]
            with lock:
                for name, sample_id in zip(names, ids, strict=True):
                    assert acknowledged.setdefault(name, sample_id) == sample_id
            answered.release()

    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(register, client) for client in range(CLIENTS)]
        for _ in range(KILLS):
            # Some batches are through, others are on their way.
            for _ in range(CLIENTS):
                answered.acquire(timeout=60)
            server_process.kill()
            server_process.start()
        for client in clients:
            client.result()

    caller = Caller(server_process)
    rows = list_all(caller, dataset_id)
    assert [index for index, _, _ in rows] == list(range(len(rows)))
    assert {name: sample_id for _, sample_id, name in rows} == acknowledged
    data = caller.request("GET", f"/v1/datasets/{dataset_id}").json()
    assert (data["nSamples"], data["sizeInBytes"]) == (len(rows), len(rows) * 348_213)


def test_single_posts_sent_twice_and_in_any_order_are_one_sample_each(
    server_process, caller, dataset_id
):
    names = [f"{number}.jpg" for number in range(60)]
    requests_sent = sorted(names + names, key=lambda name: hash((name, len(names))))
    callers = threading.local()

    def post(name):
        if not hasattr(callers, "value"):
            callers.value = Caller(server_process)
        path = f"/v1/datasets/{dataset_id}/samples"
        response = callers.value.request("POST", path, json={"fileName": name})
        assert response.status_code == 201
        return name, response.json()["id"]

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(post, requests_sent))

    assert len(answers) == len(names)
    assert {(name, sample_id) for _, sample_id, name in list_all(caller, dataset_id)} == answers


def upload_half(url):
    """Send half of an upload and hang up."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        head = f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: localhost\r\n"
        head += "Content-Length: 4000000\r\n\r\n"
        connection.sendall(head.encode() + PNG + bytes(2_000_000))


@pytest.mark.parametrize("is_killed", [False, True])
def test_half_an_upload_stores_nothing(server_process, caller, dataset_id, is_killed):
    body = {"samples": [{"fileName": "new.jpg"}, {"fileName": "old.jpg"}]}
    path = f"/ext/v1/datasets/{dataset_id}/samples"
    ids = caller.request("POST", f"{path}/bulk", json=body).json()["ids"]
    urls = caller.request(
        "POST", f"{path}/writeUrls", json={"sampleIds": ids, "kinds": ["full"]}
    ).json()["urls"]
    requests.put(urls[1]["full"], data=PNG, timeout=60).raise_for_status()

    for pair in urls:
        upload_half(pair["full"])
    if is_killed:
        server_process.kill()
        server_process.start()
        caller = Caller(server_process)

    stored = caller.request("GET", f"{path}/stored?kind=full").json()
    assert stored == {"bitMaskData": "0x2", "totSize": 2}
    read_path = f"/v1/datasets/{dataset_id}/samples/{ids[1]}/readurl"
    url = caller.request("GET", read_path).json()
    assert requests.get(url, timeout=60).content == PNG
    # and the same URL takes the whole
    whole = PNG + bytes(2_000_000)
    requests.put(urls[0]["full"], data=whole, timeout=60).raise_for_status()
    url = caller.request("GET", f"/v1/datasets/{dataset_id}/samples/{ids[0]}/readurl").json()
    assert requests.get(url, timeout=60).content == whole


def read_peak_memory_mb(server):
    status = Path(f"/proc/{server.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def test_memory_stays_bounded_while_many_samples_come_and_go(server_process, caller, dataset_id):
    path = f"/ext/v1/datasets/{dataset_id}/samples/bulk"

    def register(batch):
        rows = [{"fileName": f"{batch}/{n}.jpg", "metaData": METADATA} for n in range(10_000)]
        assert Caller(server_process).request("POST", path, json={"samples": rows}).ok

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(register, range(6)))
    listed = caller.request("GET", f"/v1/datasets/{dataset_id}/samples")

    assert len(listed.json()) == 60_000
    assert read_peak_memory_mb(server_process) < 300
