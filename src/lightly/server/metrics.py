"""Numbers for operators, in the format of Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from lightly.server.db.engine import Database
from lightly.server.errors import Unavailable
from lightly.server.jobs.repository import count_open_jobs

#: Seconds. Most answers take milliseconds, exports and uploads minutes.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
#: Requests that no route takes; their paths would make a series each.
UNMATCHED = "unmatched"


class ServerMetrics:
    """The numbers of one server process.

    Args:
        database: Asked for the length of its queues when somebody reads the numbers.
    """

    def __init__(self, database: Database) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._registry.register(_QueueCollector(database))
        self._requests = Counter(
            "lightly_http_requests",
            "Requests that were answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._durations = Histogram(
            "lightly_http_request_duration_seconds",
            "From the request's head to the end of its answer.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self.requests_in_progress = Gauge(
            "lightly_http_requests_in_progress",
            "Requests that are being answered.",
            registry=self._registry,
        )

    def observe(self, method: str, route: str, status: int, duration_s: float) -> None:
        """Count one answer.

        Args:
            method: The HTTP method.
            route: The template of its path, such as `/v1/datasets/{datasetId}`.
            status: Of the answer.
            duration_s: How long it took.
        """
        self._requests.labels(method, route, str(status)).inc()
        self._durations.labels(method, route).observe(duration_s)

    def render(self) -> bytes:
        """Return all numbers in the text format, version 0.0.4."""
        return generate_latest(self._registry)


class _QueueCollector(Collector):
    def __init__(self, database: Database) -> None:
        self._database = database

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: registering must not ask the database."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Yield the number of jobs that wait or run. None while the database is away."""
        family = GaugeMetricFamily(
            "lightly_jobs", "Background jobs that are not finished.", labels=("kind", "status")
        )
        try:
            with self._database.read() as connection:
                for kind, status, count in count_open_jobs(connection):
                    family.add_metric((kind, status.lower()), count)
        except Unavailable:
            return
        yield family
