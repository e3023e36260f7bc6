"""A Ray cluster of two nodes on this machine, of which a worker and then a node die in the middle."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from corpus.executors import Done, make_executor
from tests.e2e.nodes import two_nodes
from tests.spec import executor_tasks as tasks

ITEMS = range(300)


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
def cluster_and_node() -> Iterator[tuple[Any, Any]]:
    with two_nodes() as found:
        yield found


def test_a_worker_and_a_node_die_in_the_middle(cluster_and_node: tuple[Any, Any], tmp_path: Path) -> None:
    cluster, node = cluster_and_node
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
