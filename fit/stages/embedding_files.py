"""Counting concepts by the embeddings in files of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from concepts.errors import CorpusError, UsageError
from corpus.captions import CaptionCounter, CaptionQuery
from corpus.embeddings.counter import EmbeddingQuery
from corpus.embeddings.counts import EmbeddingCounts, merge
from corpus.embeddings.files import EmbeddingFile, content_digest, find_embeddings
from corpus.embeddings.shards import open_embeddings
from corpus.embeddings.tables import counts_of, counts_table, nearest_table
from corpus.executors import Executor, SetAside, make_executor
from corpus.shards import Unreadable
from fit import progress
from fit.run import artefacts
from fit.sections import Execution
from fit.stages.embedding_query import Asked
from fit.stages.embedding_task import AUTO, CPU, Compute, CountFile

VERSION = 1
"""Raised whenever the same inputs give other counts: parts of other versions are computed again."""

MOST_NEAREST = 1000


@dataclass(frozen=True)
class Embeddings:
    """Where embeddings are.

    Attributes:
        pattern: Folder, glob or file.
        column: The column of vectors of Parquet files; empty: found by its name.
        metadata: Folder of the ``metadata_*.parquet``; None: looked for beside the embeddings.
    """

    pattern: str
    column: str = ""
    metadata: Path | None = None


@dataclass(frozen=True)
class Counted:
    """What has been counted.

    Attributes:
        counts: The counts.
        table: One row per concept (`corpus.embeddings.tables.COUNTS`).
        nearest: One row per concept and nearest row (`corpus.embeddings.tables.NEAREST`).
        left_out: Files that could not be counted, sorted by name.
        lines: What became of the rows, in words.
    """

    counts: EmbeddingCounts
    table: pa.Table
    nearest: pa.Table
    left_out: tuple[Unreadable, ...]
    lines: tuple[str, ...]


def count_embeddings(
    embeddings: Embeddings, asked: Asked, top: int, work: Path, by: tuple[Compute, Execution]
) -> Counted:
    """Count the rows whose embeddings show each concept.

    Args:
        embeddings: Where the embeddings are.
        asked: The references and the cuts.
        top: Nearest rows kept for each concept, from 0 to 1000.
        work: Folder for what is finished, so that an interrupted count goes on; the caller removes it.
        by: What multiplies, and who does the work.

    Raises:
        UsageError: The pattern is no local path, or a number is out of range.
        CorpusError: No file matches, or not one can be counted.
    """
    if "://" in embeddings.pattern:
        raise UsageError(f"{embeddings.pattern}: only files on this machine are read; fetch them first")
    if not 0 <= top <= MOST_NEAREST:
        raise UsageError(f"--top {top}: from 0 to {MOST_NEAREST:,} nearest rows are kept")
    for warning in asked.catalogue.warnings if asked.catalogue else ():
        progress.note(f"warning: {warning}")
    task = _task(embeddings, asked, top, by[0])
    parts, left_out = _parts(task, find_embeddings(embeddings.pattern, embeddings.metadata), work, by[1])
    if not parts:
        raise CorpusError(
            f"not one of {len(left_out):,} files can be counted; the first: {left_out[0].reason}"
        )
    counts = merge(counts_of(artefacts.read_table(path)) for path in parts)
    return Counted(
        counts=counts,
        table=counts_table(counts, asked.references.counts, asked.cuts, asked.errors),
        nearest=nearest_table(counts),
        left_out=tuple(sorted(left_out, key=lambda each: each.name)),
        lines=tuple(_lines(counts, asked)),
    )


def _task(embeddings: Embeddings, asked: Asked, top: int, compute: Compute) -> CountFile:
    query = EmbeddingQuery(asked.references, asked.cuts, top)
    if asked.catalogue is None:
        return CountFile(query, embeddings.column, None, np.empty(0, np.int64), compute)
    places = {name: place for place, name in enumerate(asked.references.concepts)}
    names = [concept.name for concept in asked.catalogue.concepts]
    return CountFile(
        query,
        embeddings.column,
        CaptionCounter(CaptionQuery(asked.catalogue.concepts, sample=0)),
        np.array([places.get(name, -1) for name in names], np.int64),
        compute,
    )


def _parts(
    task: CountFile, files: Sequence[EmbeddingFile], work: Path, execution: Execution
) -> tuple[list[Path], list[Unreadable]]:
    """Count what is not finished yet; return the files of the counts, and the files that are left out."""
    places, left_out = _survey(task, files, work)
    waiting = [file for file, path in places.items() if not artefacts.is_whole(path)]
    with progress.bar(len(files), "files", "count") as bar, _executor(task.compute, execution) as executor:
        bar.advance(len(files) - len(waiting))
        for outcome in executor.map(task, waiting):
            if isinstance(outcome, SetAside):
                left_out.append(Unreadable(outcome.item.name, outcome.reason))
            else:
                artefacts.write_table(places[outcome.item], outcome.result)
            bar.advance()
    gone = {each.name for each in left_out}
    return [path for file, path in places.items() if file.name not in gone], left_out


def _survey(
    task: CountFile, files: Sequence[EmbeddingFile], work: Path
) -> tuple[dict[EmbeddingFile, Path], list[Unreadable]]:
    """Check each file's header; return where its counts belong, and the files that are not in order."""
    key = _key(task)
    places, left_out = {}, []
    for file in files:
        try:
            open_embeddings(file, task.query.references.dimensions, task.column)
            contents = [content_digest(path) for path in dict.fromkeys((file.path, file.metadata)) if path]
        except CorpusError as error:
            left_out.append(Unreadable(file.name, str(error)))
            continue
        places[file] = work / f"{artefacts.digest([key, file.name, *contents])[:32]}.parquet"
    return places, left_out


def _key(task: CountFile) -> str:
    """Return a digest of everything that a file's counts depend on beside the file."""
    return artefacts.digest(
        {
            "version": VERSION,
            "references": task.query.references.digest,
            "cuts": task.query.cuts.tolist(),
            "top": task.query.top,
            "column": task.column,
            "captions": None if task.captions is None else task.captions.query.digest,
        }
    )


def _executor(compute: Compute, execution: Execution) -> Executor:
    """Return who does the work: this process on all cores, unless workers or a cluster are asked for."""
    if execution.engine == "local" and execution.workers <= 1:
        return make_executor("local", 1)
    gpus: tuple[str, ...] = ()
    if compute.device not in (CPU, AUTO):
        import torch

        gpus = tuple(str(number) for number in range(torch.cuda.device_count()))
    return make_executor(execution.engine, execution.workers, gpus=gpus)


def _lines(counts: EmbeddingCounts, asked: Asked) -> list[str]:
    tally = counts.tally
    lines = [
        f"{tally.usable:,} of {tally.rows:,} rows compared with {len(asked.references.vectors):,} references"
    ]
    if tally.zero or tally.invalid:
        lines.append(
            f"left out: {tally.zero:,} rows of length zero, {tally.invalid:,} without numbers in range"
        )
    if counts.url_hashes is None:
        lines.append("a file has no addresses: distinct addresses are not counted")
    if asked.catalogue is not None and tally.captioned < tally.rows:
        lines.append(f"captions were searched in {tally.captioned:,} rows; the others have none")
    if asked.errors:
        rate = max(rate for _, rate in asked.errors.values())
        lines.append(
            f"cuts that let in up to {rate:.2%} of strangers may count as many of these rows: "
            f"{rate * tally.usable:,.0f}; hold each count against that"
        )
    return lines
