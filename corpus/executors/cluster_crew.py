"""Workers of a Ray cluster: one actor each, so that a worker keeps what the task has prepared."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from concepts.errors import StageIncomplete
from corpus.executors.cluster_worker import ClusterWorker
from corpus.executors.crew import Answered, Event, Lost, Ready, Unusable

PATIENCE = 600.0
"""Seconds to wait for the first worker while the cluster has no room for any."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What each worker gets.

    Attributes:
        gpus: GPUs that it sees, 0 or 1.
        variables: Its environment.
        patience: Seconds to wait for a worker when there is none, positive.
    """

    gpus: int
    variables: Mapping[str, str]
    patience: float = PATIENCE


class ClusterCrew:
    """Actors, each with at most one call under way."""

    def __init__(self, ray: Any, task: Callable[[Any], Any], size: int, needs: Needs) -> None:
        """Put the task into the cluster's object store once; no worker is started yet.

        Args:
            ray: The module, connected.
            task: What each worker does with an item.
            size: How many workers.
            needs: What each gets.
        """
        self.size = size
        self._ray = ray
        self._needs = needs
        # Ray's own pickle takes along what the running script defines, as the pool's workers load that anew.
        self._task = ray.put(ray.cloudpickle.dumps(task))
        self._actor = ray.remote(ClusterWorker).options(num_cpus=1, num_gpus=needs.gpus, max_restarts=0)
        self._actors: dict[int, Any] = {}
        self._loading: dict[Any, int] = {}
        self._working: dict[Any, int] = {}

    def start(self, worker: int) -> None:
        """Ask for an actor; it loads the task as soon as the cluster has room for it."""
        actor = self._actor.remote()
        self._actors[worker] = actor
        self._loading[actor.load.remote(self._task, dict(self._needs.variables))] = worker

    def give(self, worker: int, item: Any) -> None:
        """Call an actor with an item."""
        data = pickle.dumps(item, pickle.HIGHEST_PROTOCOL)
        self._working[self._actors[worker].work.remote(data)] = worker

    def events(self) -> list[Event]:
        """Wait for answers, and for the news that an actor or its node is lost.

        Raises:
            StageIncomplete: The cluster had no room for any worker for too long.
        """
        calls = [*self._loading, *self._working]
        if not calls:
            raise RuntimeError("the executor was closed while its outcomes were still asked for")
        patience = None if self._working else self._needs.patience
        first, _ = self._ray.wait(calls, timeout=patience)
        if not first:
            raise StageIncomplete(
                f"the Ray cluster had no room for a worker for {self._needs.patience:.0f} s; "
                "free some of its cores, or run the same command again later"
            )
        ready, _ = self._ray.wait(calls, num_returns=len(calls), timeout=0)
        return [self._heard(call) for call in ready or first]

    def close(self) -> None:
        """Kill all actors, also those that are not placed yet."""
        actors = list(self._actors.values())
        for kept in (self._actors, self._loading, self._working):
            kept.clear()
        if self._ray.is_initialized():
            for actor in actors:
                self._kill(actor)

    def _heard(self, call: Any) -> Event:
        loading = call in self._loading
        worker = (self._loading if loading else self._working).pop(call)
        try:
            value = self._ray.get(call)
        except self._ray.exceptions.RayError as error:
            # Lost for good or out of reach for a while: another one takes its place.
            self._kill(self._actors.pop(worker))
            return Lost(worker, f"the worker or its node was lost ({type(error).__name__})")
        if not loading:
            return Answered(worker, pickle.loads(value))  # noqa: S301 (from an actor of this process)
        return Unusable(worker, value) if value else Ready(worker)

    def _kill(self, actor: Any) -> None:
        with suppress(self._ray.exceptions.RayError):
            self._ray.kill(actor)
