"""A Ray cluster of two nodes on this machine, of which a worker and then a node die in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from corpus.executors import Done, make_executor
from tests.spec import executor_tasks as tasks
from tests.spec import processes

ITEMS = range(300)
LOOPBACK = {"node_ip_address": "127.0.0.1", "include_dashboard": False, "num_cpus": 2}
# How soon the head believes that a node is dead: seconds instead of half a minute when nothing listens there
# any more; a node that is slow to answer, because the machine is busy, has time.
HEALTH = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 30_000,
    "health_check_failure_threshold": 4,
}


@dataclass(frozen=True)
class Doomed(tasks.Loaded):
    """Squares numbers; once struck, the attempts on one node, or one attempt elsewhere, never end."""

    node: str

    def of(self, item: int, attempt: int) -> Any:
        import ray

        self.diary.wait_for("loaded", 4)
        here = ray.get_runtime_context().get_node_id()
        if self.diary.lines("strike"):
            if here == self.node:
                self.hang("on the node", item)
            if not self.diary.lines("on the worker"):
                self.hang("on the worker", item)
        return item * item

    def hang(self, name: str, item: int) -> None:
        self.diary.note(name, f"{item} {os.getpid()}")
        threading.Event().wait(tasks.WAIT)
        raise TimeoutError(f"{name}: nobody has ended this process")


@pytest.fixture
def two_nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A cluster that listens on the loopback device alone, and its second node."""
    monkeypatch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_worker_niceness", "0")
    # The names of sockets in it are bounded, so it does not lie in pytest's folder.
    with tempfile.TemporaryDirectory(prefix="fit-ray-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        monkeypatch.setenv("RAY_TMPDIR", folder)
        from ray.cluster_utils import Cluster

        cluster = Cluster(initialize_head=True, head_node_args=LOOPBACK | {"_system_config": HEALTH})
        try:
            yield cluster, cluster.add_node(**LOOPBACK)
        finally:
            cluster.shutdown()


def test_a_worker_and_a_node_die_in_the_middle(two_nodes: Any, tmp_path: Any) -> None:
    cluster, node = two_nodes
    diary = tasks.Diary(tmp_path)

    def strike() -> None:
        _, worker = diary.wait_for("on the worker", 1)[0].split()
        os.kill(int(worker), signal.SIGKILL)
        diary.wait_for("on the node", 2)
        cluster.remove_node(node, allow_graceful=False)

    killer = threading.Thread(target=strike)
    killer.start()
    outcomes = []
    with make_executor("ray", 0, address=cluster.address) as executor:
        for outcome in executor.map(Doomed(diary, node.node_id), ITEMS):
            outcomes.append(outcome)
            if len(outcomes) == 10:
                diary.note("strike", "now")
    killer.join()
    done = {each.index: each.result for each in outcomes if isinstance(each, Done)}
    assert done == {item: item * item for item in ITEMS}
    assert len(outcomes) == len(ITEMS)
    struck = diary.lines("on the worker") + diary.lines("on the node")
    again = {each.item for each in outcomes if each.attempts > 1}
    assert again == {int(line.split()[0]) for line in struck}
    assert len(again) == 3


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """See that no process of Ray that this test started outlives it."""
    before = ray_processes()
    yield
    processes.wait_for_end(*(ray_processes() - before))


def ray_processes() -> set[int]:
    listing = subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True, check=True).stdout
    return {int(line.split()[0]) for line in listing.splitlines() if "ray::" in line or "/ray/core/" in line}
