"""Which executor an engine's name and a number of workers stand for: rows, not branches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from concepts.errors import UsageError, unknown
from corpus.executors.outcomes import ATTEMPTS, Executor
from corpus.executors.share import cores, limits


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for.

    Attributes:
        workers: How many workers; 0: as many as there are cores, or GPUs where those are given.
        attempts: How often an item is tried, at least 1.
        gpus: The GPUs to spread the workers over, one for each; empty: none.
        address: Of a running cluster; empty: the engine's own choice.
    """

    workers: int
    attempts: int
    gpus: tuple[str, ...]
    address: str


def make_executor(
    engine: str,
    workers: int,
    *,
    attempts: int = ATTEMPTS,
    gpus: Sequence[str] = (),
    address: str = "",
) -> Executor:
    """Return the executor for ``--engine`` and ``--workers``.

    Args:
        engine: ``local`` or ``ray``.
        workers: 0: one per core (of this machine, or of the cluster), or one per GPU where `gpus` are given.
            1: the engine local takes the calling process itself, unless a GPU is given. Otherwise so many.
        attempts: How often an item is tried before it is set aside, at least 1.
        gpus: Names of GPUs as CUDA_VISIBLE_DEVICES takes them; each worker sees one. A cluster looks for its
            own GPUs and takes their number alone.
        address: Of a running Ray cluster, ``host:port`` or ``auto``; empty: what RAY_ADDRESS says, else one
            of its own on this machine.

    Raises:
        UsageError: There is no such engine, or a number is out of range.
    """
    if engine not in ENGINES:
        raise UsageError(unknown("engine", engine, ENGINES))
    if workers < 0:
        raise UsageError(f"--workers {workers}: give 0 (all cores), 1 (this process alone) or more")
    if attempts < 1:
        raise UsageError(f"attempts {attempts}: an item has to be tried at least once")
    if gpus and workers > len(gpus):
        raise UsageError(f"--workers {workers}: there are {len(gpus)} GPUs, and each takes one worker")
    return ENGINES[engine](Wish(workers, attempts, tuple(gpus), address))


def _local(wish: Wish) -> Executor:
    from corpus.executors.processes import PoolExecutor
    from corpus.executors.serial import SerialExecutor

    if wish.address:
        raise UsageError(f"{wish.address}: the engine local has no cluster; give --engine ray")
    workers = wish.workers or len(wish.gpus) or cores()
    if workers == 1 and not wish.gpus:
        return SerialExecutor(wish.attempts)
    share = limits(max(1, cores() // workers))
    gpus = [{"CUDA_VISIBLE_DEVICES": gpu} for gpu in wish.gpus[:workers]] or [{}] * workers
    return PoolExecutor(tuple(share | gpu for gpu in gpus), wish.attempts)


def _ray(wish: Wish) -> Executor:
    from corpus.executors.cluster import RayExecutor

    return RayExecutor(wish.workers, address=wish.address, gpus=wish.gpus, attempts=wish.attempts)


ENGINES: dict[str, Callable[[Wish], Executor]] = {"local": _local, "ray": _ray}
