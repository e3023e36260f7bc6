"""A Ray cluster of two nodes on this machine."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.spec import processes

_LOOPBACK = {"node_ip_address": "127.0.0.1", "include_dashboard": False, "num_cpus": 2}
# How soon the head believes that a node is dead: seconds instead of half a minute when nothing listens there
# any more; a node that is slow to answer, because the machine is busy, has time.
_HEALTH = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 30_000,
    "health_check_failure_threshold": 4,
}


@contextmanager
def two_nodes() -> Iterator[tuple[Any, Any]]:
    """Give a cluster that listens on loopback alone, and its second node; nothing is left of it."""
    before = _ray_processes()
    with (
        pytest.MonkeyPatch.context() as patch,
        # The names of sockets in it are bounded, so it does not lie in pytest's folder.
        tempfile.TemporaryDirectory(prefix="fit-ray-", dir="/tmp", ignore_cleanup_errors=True) as folder,
    ):
        patch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_worker_niceness", "0")
        patch.setenv("RAY_TMPDIR", folder)
        from ray.cluster_utils import Cluster

        cluster = Cluster(initialize_head=True, head_node_args=_LOOPBACK | {"_system_config": _HEALTH})
        try:
            yield cluster, cluster.add_node(**_LOOPBACK)
        finally:
            cluster.shutdown()
    processes.wait_for_end(*(_ray_processes() - before))


def _ray_processes() -> set[int]:
    listing = subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True, check=True).stdout
    return {int(line.split()[0]) for line in listing.splitlines() if "ray::" in line or "/ray/core/" in line}
