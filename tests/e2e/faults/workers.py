"""Counting by several workers that is slow enough to be disturbed, and says who works on what."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa

from corpus.captions import CaptionCounter
from corpus.shards import Shard
from fit.stages import counts
from tests.e2e.faults import tiny
from tests.e2e.faults.kills import Undisturbed
from tests.spec.executor_tasks import Diary

SECONDS = 0.3  # that a shard takes longer than it would
_DIARY, _FATAL = "FIT_TEST_DIARY", "FIT_TEST_FATAL"
BEGUN = "begun"
UNTIL_COUNTS = ("--until", "counts")


class SlowCounter(CaptionCounter):
    """A counter that notes its process and the shard, takes its time, and may die of a shard."""

    def count(self, shard: Shard) -> pa.Table:
        """Count one shard, as `CaptionCounter.count`."""
        Diary(Path(os.environ[_DIARY])).note(BEGUN, f"{os.getpid()} {shard.name}")
        time.sleep(SECONDS)
        fatal, _, how = os.environ.get(_FATAL, "").partition(" ")
        if fatal == shard.name and how == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if fatal == shard.name:
            raise MemoryError
        return super().count(shard)


@dataclass(frozen=True)
class Begun:
    """What workers have noted: the process and the shard of each attempt, in order."""

    diary: Diary

    def attempts(self) -> list[tuple[int, str]]:
        """Return (process, shard) of each attempt."""
        rows = (line.split() for line in self.diary.lines(BEGUN))
        return [(int(pid), shard) for pid, shard in rows]

    def at_work(self) -> list[int]:
        """Return the processes that have begun a shard, the one that began last first."""
        return list(dict.fromkeys(pid for pid, _ in reversed(self.attempts())))


def slowly(folder: Path, fatal: str = "", **variables: str) -> Callable[[], None]:
    """Return what makes a command count slowly.

    Args:
        folder: Where it notes what it begins.
        fatal: A shard and what it does: ``killed``, or ``out of memory``; empty: none.
        variables: More of its environment.
    """
    folder.mkdir()
    return partial(_slowly, {_DIARY: str(folder), _FATAL: fatal, **variables})


def _slowly(variables: dict[str, str]) -> None:
    os.environ.update(variables)
    counts.CaptionCounter = SlowCounter  # type: ignore[misc]


def counted(run: Path) -> dict[str, str]:
    """Return the digests of what a run has counted."""
    return {name: digest for name, digest in tiny.results(run).items() if name.startswith("counts/")}


def counted_in(whole: Undisturbed) -> dict[str, str]:
    """Return what it has to be."""
    return {name: digest for name, digest in whole.results.items() if name.startswith("counts/")}
