"""Numbers for operators, and what real processes write to their logs."""

from __future__ import annotations

import json

import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.support.platforms import run_process


def read_samples(client):
    answer = client.get("/metrics")
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.text)
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }


def test_answers_are_counted_by_the_template_of_their_path(sqlite_server):
    client = sqlite_server.client
    dataset_id = client.post("/v1/datasets", json={"name": "numbers"}).json()["id"]
    for _ in range(3):
        client.get(f"/v1/datasets/{dataset_id}")
    client.get(f"/v1/datasets/{'0' * 24}")

    samples = read_samples(client)

    route = "/v1/datasets/{datasetId}"
    assert samples["lightly_http_requests_total", route, "200", "GET"] == 3
    assert samples["lightly_http_requests_total", route, "404", "GET"] == 1
    assert samples["lightly_http_request_duration_seconds_count", route, "GET"] == 4


def test_what_no_route_takes_makes_one_series_whatever_it_is(sqlite_server):
    client = sqlite_server.client
    for number in range(5):
        client.request(f"ODD{number}", f"/nothing/{number}")

    samples = read_samples(client)

    counted = {key: value for key, value in samples.items() if "unmatched" in key}
    assert counted["lightly_http_requests_total", "404", "unmatched", "unmatched"] == 5
    assert not [key for key in samples if any("ODD" in part for part in key)]


def test_only_administrators_read_the_numbers(sqlite_server):
    other = sqlite_server.add_user("other@example.com")

    assert other.get("/metrics").status_code == 403
    assert sqlite_server.anonymous_client().get("/metrics").status_code == 401


def test_waiting_jobs_are_counted(server, monkeypatch):
    monkeypatch.setattr(
        "lightly.server.metrics.count_open_jobs", lambda _: [("SAMPLING", "WAITING", 2)]
    )

    assert read_samples(server.client)["lightly_jobs", "SAMPLING", "waiting"] == 2


def test_a_process_logs_json_and_ends_with_success(tmp_path):
    with run_process(tmp_path / "data", LIGHTLY_SERVER_LOG_FORMAT="json") as server:
        answer = requests.get(f"{server.url}/v1/jobs?token={server.token}", timeout=10)
        code = server.stop()
        lines = [line for line in server.read_log().splitlines() if line.startswith("{")]

    entries = [json.loads(line) for line in lines]
    (access,) = [entry for entry in entries if entry.get("path") == "/v1/jobs"]
    assert access["request_id"] == answer.headers["X-Request-Id"]
    assert (access["method"], access["status"]) == ("GET", 200)
    assert server.token not in "".join(lines)
    assert code == 0
    assert not [entry for entry in entries if entry["level"] in {"ERROR", "CRITICAL"}]
