"""Counting captions in files of one's own."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from concepts.catalogue import read_catalogue
from concepts.errors import UsageError
from corpus.captions import CaptionCounter, CaptionQuery
from corpus.cooccurrence import cooccurring_words
from corpus.counts import CaptionCounts
from corpus.query import MOST_SAMPLED
from corpus.shards import Unreadable, survey_shards
from fit import progress
from fit.report.csv_tables import cell
from fit.run import artefacts
from fit.sections import Execution
from fit.stages.shard_work import KeptIn, merged, over_shards

SUFFIXES = (".parquet", ".csv")
MOST_WARNINGS = 10
WORDS_FROM = 1000
"""Captions of a concept that its words are found in, at most."""


@dataclass(frozen=True)
class Captions:
    """Where captions are.

    Attributes:
        pattern: What `corpus.shards.find_shards` takes: a glob, a folder or a file, here or elsewhere.
        column: The caption column; empty finds it by its name.
        where: SQL condition on the rows; empty counts every row.
    """

    pattern: str
    column: str = ""
    where: str = ""


@dataclass(frozen=True)
class Sampling:
    """Which rows are wanted beside the counts.

    Attributes:
        rows: Rows sampled for each concept, at least 0.
        words: Whether the words that co-occur with the concepts are wanted.
        seed: Of the sample.
    """

    rows: int = 0
    words: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Counted:
    """What has been counted.

    Attributes:
        counts: Counts and samples.
        table: One row for each concept, in the order of the list: ``concept``, ``caption_count`` (captions),
            ``distinct_url_count`` (null without a URL column); with a condition also ``unfiltered_count``.
        words: Words that co-occur with the concepts; None where they were not wanted.
        unreadable: Shards that are left out.
    """

    counts: CaptionCounts
    table: pa.Table
    words: pa.Table | None
    unreadable: tuple[Unreadable, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """What became of the captions, in words."""
        tally = self.counts.tally
        left_out = (
            (tally.excluded, "do not meet the condition"),
            (tally.null, "have no caption"),
            (tally.empty, "have an empty caption"),
            (tally.repaired, "were not UTF-8 and were counted with their bad bytes replaced"),
        )
        said = [f"{number:,} rows {what}" for number, what in left_out if number]
        return (f"{tally.captions:,} captions counted, {tally.named:,} name a concept", *said)


def count_files(
    captions: Captions, concepts: Path, work: Path, execution: Execution, sampling: Sampling | None = None
) -> Counted:
    """Count the captions that name each concept.

    Args:
        captions: Where the captions are.
        concepts: CSV with ``concept`` and optional ``aliases``.
        work: Folder for what is finished, so that an interrupted count goes on; the caller removes it.
        execution: Who does the work.
        sampling: Which rows are wanted beside the counts; None: none.

    Raises:
        ConceptsError: The concept file is malformed.
        CorpusError: No shard can be read or has a caption column.
        SettingsError: The condition is none.
    """
    sampling = sampling or Sampling()
    wanted = read_catalogue(concepts)
    for warning in wanted.warnings[:MOST_WARNINGS]:
        progress.note(f"warning: {warning}")
    if (more := len(wanted.warnings) - MOST_WARNINGS) > 0:
        progress.note(f"warning: and {more:,} more like these")
    n = len(wanted.concepts)
    rows = max(sampling.rows, min(WORDS_FROM, MOST_SAMPLED // n) if sampling.words else 0)
    counter = CaptionCounter(CaptionQuery(wanted.concepts, sampling.seed, rows, captions.where))
    if counter.finder.name != "hyperscan":
        progress.note("hyperscan is not installed: DuckDB counts alone, with the same result, more slowly")
    survey = survey_shards(captions.pattern, captions.column or None)
    kept = KeptIn(work, counter.digest)
    unreadable = over_shards(counter, survey, kept, execution, "count")
    counts = merged(kept, survey.shards, counter.query.names)
    table = counts.table()
    return Counted(
        counts=counts,
        table=table if captions.where else table.drop_columns(["unfiltered_count"]),
        words=cooccurring_words(counts.samples, wanted.concepts) if sampling.words else None,
        unreadable=unreadable,
    )


def check_suffix(out: Path) -> None:
    """Refuse a file that is neither Parquet nor CSV by its name, before the work begins.

    Raises:
        UsageError: With the names that are taken.
    """
    if out.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{out}: the name has to end with {' or '.join(SUFFIXES)}")


def write_rows(out: Path, rows: pa.Table) -> None:
    """Write a table as Parquet or CSV, by the file's name; CSV as `fit.report.csv_tables.cell` says."""
    check_suffix(out)
    if out.suffix.lower() == ".parquet":
        artefacts.write_table(out, rows)
        return
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(rows.column_names)
    columns = [map(cell, column.to_pylist()) for column in rows.columns]
    writer.writerows(zip(*columns, strict=True))
    artefacts.write_bytes(out, text.getvalue().encode())
