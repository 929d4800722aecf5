"""Any order of claims, signs of life, endings and expiries, against a small model (T40)."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from lightly.server.runs.sweep import sweep_leases
from tests.support.platforms import run_in_process
from tests.support.run_queue import RunQueue, age_leases

N_WORKERS = 3
N_DATASETS = 2
LEASE_S, MOST_ATTEMPTS = 45, 3
WORKERS = st.integers(0, N_WORKERS - 1)


class Leases(RuleBasedStateMachine):
    """The model knows of each schedule its state, attempts and holder."""

    def __init__(self):
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._running = run_in_process(Path(self._folder.name, "data"))
        self.server = self._running.__enter__()
        self.queue = RunQueue(self.server.client)
        self.schedules = {}
        self.claims = []
        self.age_s = {}

    @initialize()
    def begin(self):
        self.datasets = [self.queue.add_dataset() for _ in range(N_DATASETS)]
        self.workers = [self.queue.start_worker() for _ in range(N_WORKERS)]

    def find_holder(self, worker):
        return next(
            (name for name, known in self.schedules.items() if known.get("holder") == worker), None
        )

    def find_next(self):
        busy = {known["dataset"] for known in self.schedules.values() if "holder" in known}
        waiting = [
            name
            for name, known in self.schedules.items()
            if known["state"] == "waiting" and known["dataset"] not in busy
        ]
        return min(waiting, default=None)

    @precondition(lambda self: len(self.schedules) < 6)
    @rule(dataset=st.integers(0, N_DATASETS - 1))
    def schedule(self, dataset):
        name = self.queue.schedule(self.datasets[dataset])
        self.schedules[name] = {"state": "waiting", "attempts": 0, "dataset": dataset}

    @rule(worker=WORKERS)
    def claim(self, worker):
        held = self.find_holder(worker)
        expected = held or self.find_next()
        claim = self.workers[worker].claim()
        assert (claim and claim["scheduledId"]) == expected
        if expected is None:
            return
        known = self.schedules[expected]
        if held is None:
            known |= {"state": "held", "holder": worker, "attempts": known["attempts"] + 1}
            known["claim"] = claim
            self.claims.append((worker, claim))
        assert claim == known["claim"]
        assert claim["attempt"] == known["attempts"]
        self.age_s[expected] = 0

    def is_alive(self, worker, claim):
        known = self.schedules[claim["scheduledId"]]
        return (
            known.get("holder") == worker
            and known["claim"]["lease"] == claim["lease"]
            and self.age_s[claim["scheduledId"]] < LEASE_S
        )

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), action=st.sampled_from(["beat", "finish", "release"]))
    def act(self, data, action):
        worker, claim = data.draw(st.sampled_from(self.claims))
        is_alive = self.is_alive(worker, claim)
        before = self.queue.get_run(claim["runId"])
        response = getattr(self.workers[worker], action)(claim)
        name = claim["scheduledId"]
        known = self.schedules[name]
        if not is_alive:
            is_repeat = action == "finish" and known.get("finished_by") == claim["lease"]
            assert response.status_code == (204 if is_repeat else 409)
            assert self.queue.get_run(claim["runId"]) == before
            return
        assert response.is_success
        if action == "beat":
            self.age_s[name] = 0
            return
        del known["holder"]
        if action == "finish":
            known |= {"state": "COMPLETED", "finished_by": claim["lease"]}
        else:
            known |= {"state": "waiting", "attempts": known["attempts"] - 1}

    @rule(seconds=st.sampled_from([10, 30, 50]))
    def wait(self, seconds):
        age_leases(self.server.platform, seconds)
        for name in self.age_s:
            self.age_s[name] += seconds

    @rule()
    def sweep(self):
        gone = [
            known
            for name, known in self.schedules.items()
            if "holder" in known and self.age_s[name] > LEASE_S
        ]
        platform = self.server.platform
        assert sweep_leases(platform.database, platform.settings) == len(gone)
        for known in gone:
            del known["holder"]
            known["state"] = "CRASHED" if known["attempts"] >= MOST_ATTEMPTS else "waiting"

    @invariant()
    def agrees(self):
        words = {"waiting": "OPEN", "held": "LOCKED"}
        for dataset, dataset_id in enumerate(getattr(self, "datasets", ())):
            states = ["OPEN", "LOCKED", "DONE", "CANCELED"]
            found = self.queue.list_schedules(dataset_id, states=states)
            assert {entry["id"]: entry["state"] for entry in found} == {
                name: words.get(known["state"], "DONE")
                for name, known in self.schedules.items()
                if known["dataset"] == dataset
            }

    def teardown(self):
        self._running.__exit__(None, None, None)
        self._folder.cleanup()


def test_any_order_of_events_agrees_with_the_model():
    run_state_machine_as_test(
        Leases,
        settings=settings(
            max_examples=8,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
