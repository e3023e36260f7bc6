"""The same work on every shard, each result kept as soon as it is there: what is kept is not done again."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from concepts.errors import CorpusError, MalformedFile
from corpus.counts import CaptionCounts, merge
from corpus.executors import Executor, SetAside, make_executor
from corpus.shards import Shard, Survey, Unreadable
from fit import progress
from fit.run import artefacts
from fit.run.job import read_or_remove
from fit.sections import Execution

FEW_ROWS = 2_000_000
"""So many captions are read by one process before others have started."""


class Kept(Protocol):
    """Where the results are: a stage's parts, or a folder of one's own."""

    def has(self, shard: Shard) -> bool:
        """Tell whether a shard's result is there, whole."""
        ...

    def write(self, shard: Shard, table: pa.Table) -> None:
        """Keep a shard's result."""
        ...

    def files(self, shards: Sequence[Shard]) -> list[Path]:
        """Return the files of those results that are there."""
        ...


@dataclass(frozen=True)
class KeptIn:
    """Results in a folder, named by what was asked and of which shard.

    Attributes:
        folder: The folder; it is made when the first result is written.
        asked: Digest of what was asked.
    """

    folder: Path
    asked: str

    def has(self, shard: Shard) -> bool:
        """Tell whether a shard's result is there, whole."""
        return artefacts.is_whole(self.path(shard))

    def write(self, shard: Shard, table: pa.Table) -> None:
        """Keep a shard's result."""
        artefacts.write_table(self.path(shard), table)

    def files(self, shards: Sequence[Shard]) -> list[Path]:
        """Return the files of those results that are there."""
        return [self.path(shard) for shard in shards if self.has(shard)]

    def path(self, shard: Shard) -> Path:
        """Return the file of a shard's result."""
        return self.folder / f"{artefacts.digest([self.asked, shard.name, shard.digest])[:32]}.parquet"


def over_shards(
    task: Callable[[Shard], pa.Table], survey: Survey, kept: Kept, execution: Execution, label: str
) -> tuple[Unreadable, ...]:
    """Do what is not kept yet, and return the shards that could not be read.

    Args:
        task: What is done with a shard: picklable, and what it returns depends on the shard alone.
        survey: The shards.
        kept: Where results are kept.
        execution: Who does it.
        label: What is being done, for the progress bar.

    Raises:
        FitError: As the task, when no shard is to blame.
        CorpusError: Not one shard could be read.
    """
    left = [shard for shard in survey.shards if not kept.has(shard)]
    unreadable = list(survey.unreadable)
    executor = executor_for(left, execution)
    try:
        with progress.bar(len(survey.shards), "files", label) as bar:
            bar.advance(len(survey.shards) - len(left))
            for outcome in executor.map(task, left):
                if isinstance(outcome, SetAside):
                    unreadable.append(Unreadable(outcome.item.name, outcome.reason))
                else:
                    kept.write(outcome.item, outcome.result)
                bar.advance()
    finally:
        executor.close()
    if len(unreadable) >= len(survey.shards) + len(survey.unreadable):
        raise CorpusError(
            f"not one of {len(unreadable):,} shards can be read; the first: {unreadable[0].reason}"
        )
    return tuple(sorted(unreadable, key=lambda each: each.name))


def merged(kept: Kept, shards: Sequence[Shard], concepts: Sequence[str]) -> CaptionCounts:
    """Return the kept counts of shards together.

    Raises:
        StageIncomplete: One is damaged; it was removed, so that the same command counts it again.
    """
    files = kept.files(shards)
    try:
        return merge(files, concepts)
    except MalformedFile:
        for path in files:
            read_or_remove(path)
        raise


def work_beside(out: Path) -> Path:
    """Return the folder that holds what is finished of a result until the result is written."""
    return out.with_name(f"{out.name}.work")


def remove_work(work: Path) -> None:
    """Remove that folder."""
    shutil.rmtree(work, ignore_errors=True)


def executor_for(shards: Sequence[Shard], execution: Execution) -> Executor:
    """Return the executor; for few captions this process, unless another engine or number is asked for."""
    rows = [shard.known_rows for shard in shards]
    few = len(shards) < 2 or (None not in rows and sum(filter(None, rows)) < FEW_ROWS)
    alone = few and execution == Execution()
    return make_executor(execution.engine, 1 if alone else execution.workers)
