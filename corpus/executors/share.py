"""How many cores there are, and how many threads a worker may use.

Libraries that compute (BLAS, OpenMP, torch, Arrow, Polars) start as many threads as there are cores in every
process; W workers would run W times as many threads as cores. They read their limit from the environment as
they are loaded, so it has to be set before a worker's first import. DuckDB reads no such variable: a task
sets its threads to `threads_here`.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

THREADS = "FIT_THREADS"
_LIMITS = (
    THREADS,
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "POLARS_MAX_THREADS",
)
_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_setting = threading.Lock()


def cores() -> int:
    """Return how many cores this process may use: its affinity, and its control group's quota on Linux."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(usable, _quota(_QUOTA, usable)))


def _quota(path: Path, otherwise: int) -> int:
    """Return the cores that a `cpu.max` file grants, such as ``200000 100000``, rounded up."""
    try:
        quota, period = path.read_text("ascii").split()
        return math.ceil(int(quota) / int(period))
    except (OSError, ValueError):  # no such file, or "max": no quota
        return otherwise


def threads_here() -> int:
    """Return how many threads a task may use where it runs: its worker's share, or all cores."""
    told = os.environ.get(THREADS, "")
    return int(told) if told.isdigit() and int(told) > 0 else cores()


def limits(threads: int) -> dict[str, str]:
    """Return the environment that limits a process to so many threads."""
    return dict.fromkeys(_LIMITS, str(threads))


@contextmanager
def environment(variables: Mapping[str, str], restored: Iterable[str] = ()) -> Iterator[None]:
    """Set variables of this process while the block runs, for the processes that it starts.

    Args:
        variables: What is set.
        restored: Further names that the block may change and that get their values back.
    """
    with _setting:
        before = {name: os.environ.get(name) for name in {*variables, *restored}}
        os.environ.update(variables)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
