"""All cores of a machine: a worker process for each, started afresh and never forked.

`concurrent.futures` does not tell which item killed a worker, and gives up all workers when one dies, with
all that they have prepared. Here each worker has a pipe of its own: a death concerns one worker and one item.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from corpus.executors.crew import Answered, Event, Lost, Ready, Unusable, conduct
from corpus.executors.outcomes import ATTEMPTS, Executor, Item, Outcome, Result
from corpus.executors.process_worker import HELLO, READY, work
from corpus.executors.share import environment

GRACE = 2.0
"""Seconds that a worker gets to end after it has hung up."""


@dataclass(frozen=True)
class PoolExecutor(Executor):
    """Works in processes of this machine.

    Attributes:
        environments: Each worker's variables (its share of threads, its GPU), one mapping per worker.
        attempts: How often an item is tried, at least 1.
    """

    environments: tuple[Mapping[str, str], ...]
    attempts: int = ATTEMPTS
    _crews: list[ProcessCrew] = field(default_factory=list, repr=False, compare=False)

    def map(self, task: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Outcome[Item, Result]]:
        """Yield the outcomes, as `Executor.map` says."""
        crew = ProcessCrew(task, self.environments[: max(1, len(items))])
        self._crews.append(crew)
        try:
            yield from conduct(crew, items, self.attempts)
        finally:
            self._crews.remove(crew)

    def close(self) -> None:
        """End the workers of every `map` that is not through."""
        for crew in self._crews:
            crew.close()


@dataclass
class _Worker:
    process: BaseProcess
    connection: Connection
    has_task: bool = False


class ProcessCrew:
    """Worker processes, each at one end of a pipe."""

    def __init__(self, task: Callable[[Any], Any], environments: Sequence[Mapping[str, str]]) -> None:
        """Pickle the task; no process is started yet.

        Args:
            task: What each worker does with an item.
            environments: Each worker's variables.
        """
        self.size = len(environments)
        self._environments = environments
        self._task = pickle.dumps(task, pickle.HIGHEST_PROTOCOL)
        self._workers: dict[int, _Worker] = {}

    def start(self, worker: int) -> None:
        """Start a worker process."""
        # Forking a process with threads (DuckDB, BLAS, CUDA) may leave the child a lock that nobody opens.
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(theirs,), daemon=True)
        with theirs, environment(self._environments[worker]), _interrupts_held_back():
            process.start()
        self._workers[worker] = _Worker(process, ours)

    def give(self, worker: int, item: Any) -> None:
        """Send an item; a worker that has died meanwhile is found by `events`."""
        _send(self._workers[worker].connection, pickle.dumps(item, pickle.HIGHEST_PROTOCOL))

    def events(self) -> list[Event]:
        """Wait for messages and deaths."""
        if not self._workers:
            raise RuntimeError("the executor was closed while its outcomes were still asked for")
        waiting: dict[Any, int] = {each.connection: number for number, each in self._workers.items()}
        waiting |= {each.process.sentinel: number for number, each in self._workers.items()}
        found = {waiting[ready] for ready in wait(list(waiting))}
        return [event for number in sorted(found) if (event := self._heard(number)) is not None]

    def close(self) -> None:
        """Kill all workers: they keep nothing that is worth waiting for."""
        workers = list(self._workers.values())
        self._workers.clear()
        for worker in workers:
            worker.process.kill()
            worker.connection.close()
        for worker in workers:
            worker.process.join()

    def _heard(self, number: int) -> Event | None:
        """Return what a worker said, or that it is dead; None where there is nothing to do."""
        worker = self._workers[number]
        try:
            data = worker.connection.recv_bytes()
        except (EOFError, OSError):
            return self._bury(number)
        if data == HELLO:
            # Not sent with the process: the pipe takes no large task before the worker reads, and workers
            # would start one after the other.
            _send(worker.connection, self._task)
            return None
        if data == READY:
            worker.has_task = True
            return Ready(number)
        answer = pickle.loads(data)  # noqa: S301 (from a process that this one started)
        return Answered(number, answer) if worker.has_task else Unusable(number, answer.reason)

    def _bury(self, number: int) -> Lost:
        worker = self._workers.pop(number)
        worker.connection.close()
        worker.process.join(GRACE)
        worker.process.kill()
        worker.process.join()
        return Lost(number, f"the worker process died ({_cause(worker.process.exitcode)})")


def _send(connection: Connection, data: bytes) -> None:
    try:
        connection.send_bytes(data)
    except (BrokenPipeError, ConnectionResetError):
        return  # the worker's end is seen by `events`, which tells of its death


def _cause(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exit code {code}"
    name = signal.Signals(-code).name
    return f"{name}; out of memory?" if -code == signal.SIGKILL else name


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach, not even while they import: the mask is inherited."""
    resource_tracker.ensure_running()  # or else it starts with the first process, and lifts the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
