"""A micro world of twelve artists, and a `fit` in it that notes which parts it begins to compute."""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import torch

from fit.pipeline import STAGES
from fit.run import artefacts
from fit.run.history import NAME as HISTORY
from fit.run.job import PARTS
from fit.run.lock import NAME as LOCK
from fit.run.receipts import RECEIPT
from tests.e2e.micro import RECIPE, Micro, forked, run_here

NAMES = tuple(stage.name for stage in STAGES)
TINY = replace(RECIPE, concepts=12, without=2, rows=200, caption_shards=8)
OWN_TIMES = (HISTORY, LOCK)
"""Files with times and hosts; there are no others, so that everything else is compared byte for byte."""
PATIENCE = 300.0  # seconds after which a process that does not end has failed

_ITEMS = (
    # Stage, module, what computes an item, and the item's name from its arguments.
    ("counts", "corpus.captions", "CaptionCounter.count", lambda _, shard: shard.name),
    ("verification", "fit.stages.verification", "_check_concept", lambda concept, *_: concept),
    ("generation", "fit.stages.sample_parts", "Sampling.__call__", lambda _, part: part.name),
    ("scores", "fit.stages.scores", "read_generated", lambda _, name: name),
)


@dataclass(frozen=True)
class Ended:
    """A command that has ended.

    Attributes:
        code: Its exit code; minus the signal's number where one has ended it; None where it did not end.
        said: What it has written on stdout and stderr.
    """

    code: int | None
    said: str

    @property
    def last_line(self) -> str:
        """What it has said last; empty where it has said nothing."""
        return (self.said.splitlines() or [""])[-1]


def start(
    micro: Micro, arguments: list[str], log: Path, prepare: Callable[[], None] | None = None
) -> BaseProcess:
    """Start the command as the leader of a process group; `LOG.begun` gets a line for each item begun.

    Args:
        micro: The world.
        arguments: The command's.
        log: Where it writes what it says.
        prepare: What happens to the process before; picklable.
    """
    return forked(_lead, arguments, micro, log, prepare)


def bring(micro: Micro, run: Path, prepare: Callable[[], None] | None = None, *more: str) -> Ended:
    """Bring a run up to date in a process of its own, to which something may happen before."""
    log = run.with_name(f"{run.name}.log")
    log.unlink(missing_ok=True)
    process = start(micro, micro.estimate(run, *more), log, prepare)
    process.join(PATIENCE)
    code = process.exitcode
    if code is None:
        process.kill()
        process.join()
    return Ended(code, log.read_text())


def begun_of(log: Path) -> Path:
    """Return the file with a line ``stage<TAB>item`` for each item that was begun."""
    return log.with_name(f"{log.name}.begun")


def _lead(arguments: list[str], micro: Micro, log: Path, prepare: Callable[[], None] | None) -> None:
    os.setpgid(0, 0)
    torch.set_num_threads(1)  # threads that wait for each other crawl where other work takes the cores
    for stage, module, dotted, name_of in _ITEMS:
        _note_calls(stage, module, dotted, name_of, begun_of(log))
    if prepare is not None:
        prepare()
    run_here(arguments, micro, log)


def _note_calls(stage: str, module: str, dotted: str, name_of: Callable[..., str], begun: Path) -> None:
    *path, name = dotted.split(".")
    holder: Any = importlib.import_module(module)
    for each in path:
        holder = getattr(holder, each)
    real = getattr(holder, name)

    @functools.wraps(real)
    def noted(*arguments: Any, **more: Any) -> Any:
        with begun.open("a", encoding="utf-8") as file:
            file.write(f"{stage}\t{name_of(*arguments)}\n")
        return real(*arguments, **more)

    setattr(holder, name, noted)


def results(run: Path) -> dict[str, str]:
    """Digests of every finished file of a run but those with times and hosts."""
    kept = (path for path in artefacts.finished_files(run) if path.name not in OWN_TIMES)
    return {str(path.relative_to(run)): artefacts.digest_file(path) for path in kept}


def finished(run: Path) -> dict[str, tuple[int, int]]:
    """Inode and time of writing of every finished part and receipt: what is written again gets others."""
    found = (p for p in artefacts.finished_files(run) if p.parent.name == PARTS or p.name == RECEIPT)
    return {str(p.relative_to(run)): (p.stat().st_ino, p.stat().st_mtime_ns) for p in found}


def leftovers(run: Path) -> list[str]:
    """Files that interrupted writes have left in a run."""
    return [str(p.relative_to(run)) for p in sorted(run.rglob("*")) if artefacts.is_leftover(p)]


def part_of_items(run: Path) -> dict[tuple[str, str], str]:
    """Return the part to which an item of a finished run belongs; the item itself where it is a part."""
    owners = {}
    for path in sorted((run / "verification" / "parts").glob("*.parquet")):
        for concept in pq.read_table(path, columns=["concept"])["concept"].unique().to_pylist():
            owners["verification", concept] = path.stem
    return owners
