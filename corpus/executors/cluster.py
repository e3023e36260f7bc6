"""A Ray cluster: one that is running, or one that is started on this machine for the purpose and ended."""

from __future__ import annotations

import atexit
import os
import secrets
import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

from concepts.errors import MissingExtra
from corpus.executors.cluster_crew import ClusterCrew, Needs
from corpus.executors.crew import conduct
from corpus.executors.outcomes import ATTEMPTS, Executor, Item, Outcome, Result
from corpus.executors.share import cores, environment, limits

OBJECT_STORE = 1 << 30
"""Bytes of shared memory for tasks and results that wait, in a cluster of our own; more goes to disk."""

PROBE = 10.0
"""Seconds to wait for a cluster's address to answer."""

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Ray writes on stdout, where results go, that a worker has died; each item tells that itself.
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".*",
    "RAY_NUM_REDIS_GET_RETRIES": "2",  # of 40 s each to reach a cluster, not 20
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # or else Ray prints a tip about it
}
# The name speaks of two other systems; on Linux too, Ray then listens on the loopback device alone.
_LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
# Ray would lower its workers' priority by 15; those of the pool have that of the command.
_PRIORITY = {"RAY_worker_niceness": "0"}


class RayExecutor(Executor):
    """Works on a Ray cluster.

    It connects, or starts a cluster, with the first `map`, and ends that with `close`. Where this process is
    connected already, it takes that connection and leaves it as it is.
    """

    def __init__(
        self, workers: int, *, address: str = "", gpus: Sequence[str] = (), attempts: int = ATTEMPTS
    ) -> None:
        """Load Ray.

        Args:
            workers: How many; 0: as many as the cluster has cores, or GPUs where `gpus` are given.
            address: Of a running cluster, ``host:port`` or ``auto``; empty: RAY_ADDRESS, else one is started.
            gpus: Each worker gets one GPU; their names matter where a cluster is started.
            attempts: How often an item is tried, at least 1.

        Raises:
            MissingExtra: Ray is not installed.
        """
        self._workers, self._gpus, self._attempts = workers, tuple(gpus), attempts
        asked = address or os.environ.get("RAY_ADDRESS", "")
        self._address = "" if asked == "local" else asked
        self._ray = _import_ray(start=not self._address)
        self._ours = ExitStack()
        self._own = False

    def map(self, task: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Outcome[Item, Result]]:
        """Yield the outcomes, as `Executor.map` says."""
        if items:
            self._connect()
            crew = ClusterCrew(self._ray, task, min(self._size(), len(items)), self._needs())
            yield from conduct(crew, items, self._attempts)

    def close(self) -> None:
        """Disconnect, and end the cluster that was started; workers that are under way end with it."""
        self._ours.close()

    def _connect(self) -> None:
        if self._ray.is_initialized():
            return
        self._own = not self._address
        if not _listens(self._address):
            raise MissingExtra(self._no_cluster("nothing listens there"))
        options = self._start_options() if self._own else {"address": self._address}
        variables = _QUIET | (self._start_variables() if self._own else {})
        try:
            with environment(variables, restored=["RAY_AUTH_MODE"]):
                self._ray.init(log_to_driver=False, logging_level="ERROR", **options)
        except (OSError, RuntimeError, ValueError, self._ray.exceptions.RayError) as error:
            raise MissingExtra(self._no_cluster(_first_line(error))) from error
        self._ours.callback(self._ray.shutdown)
        atexit.register(self.close)

    def _no_cluster(self, why: str) -> str:
        if self._own:
            return f"--engine ray: no cluster starts on this machine ({why}); try again, or --engine local"
        return f"{self._address}: no Ray cluster answers ({why}); start one with ray start --head"

    def _start_options(self) -> dict[str, Any]:
        # Not in /tmp/ray, which may belong to another user; the name is short because sockets lie in it.
        folder = tempfile.TemporaryDirectory(prefix="fit-ray-", dir="/tmp", ignore_cleanup_errors=True)
        self._ours.enter_context(folder)
        return {
            "address": "local",
            "include_dashboard": False,
            "num_cpus": max(self._workers, cores()) if self._workers else cores(),
            "num_gpus": len(self._gpus),
            "object_store_memory": OBJECT_STORE,
            "_temp_dir": folder.name,
        }

    def _start_variables(self) -> dict[str, str]:
        gpus = {"CUDA_VISIBLE_DEVICES": ",".join(self._gpus)} if self._gpus else {}
        return _PRIORITY | _access() | gpus

    def _size(self) -> int:
        room = self._ray.cluster_resources().get("GPU" if self._gpus else "CPU", 0)
        return self._workers or max(1, int(room))

    def _needs(self) -> Needs:
        # In a cluster of others each worker takes one core; this machine is shared out whole.
        threads = max(1, cores() // self._size()) if self._own else 1
        return Needs(gpus=int(bool(self._gpus)), variables=limits(threads))


@cache
def _access() -> dict[str, str]:
    """Return the secret of our own clusters, one per process because Ray keeps the first that it sees.

    Without it Ray would write one into the home folder; where there is one already, that is taken.
    """
    told = any(name.startswith("RAY_AUTH_") for name in os.environ)
    kept = (Path.home() / ".ray" / "auth_token").exists()
    return {} if told or kept else {"RAY_AUTH_TOKEN": secrets.token_hex(32)}


def _import_ray(start: bool) -> Any:
    """Import Ray, which reads some of its settings now and never again."""
    with environment(_QUIET | (_LOOPBACK if start else {})):
        try:
            import ray
        except ImportError as error:
            raise MissingExtra(
                "--engine ray: Ray is not installed; pip install 'imitation-threshold[cluster]'"
            ) from error
    return ray


def _listens(address: str) -> bool:
    """Whether something listens at ``host:port``; Ray itself tries for a quarter of an hour to find out."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not port.isdigit():
        return True  # "auto", or nonsense, which Ray names
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=PROBE).close()
    except (OSError, OverflowError):
        return False
    return True


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
