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
from corpus.counts import merge
from corpus.shards import find_shards
from corpus.tables import counts_table
from fit import progress
from fit.run import artefacts

SUFFIXES = (".parquet", ".csv")


@dataclass(frozen=True)
class Captions:
    """Where captions are.

    Attributes:
        pattern: Glob, folder or file of Parquet shards.
        column: The caption column; empty finds it by its name.
        where: SQL condition on the rows; empty counts every row.
    """

    pattern: str
    column: str = ""
    where: str = ""


def count_files(captions: Captions, concepts: Path) -> pa.Table:
    """Count the captions that name each concept.

    Args:
        captions: Where the captions are.
        concepts: CSV with ``concept`` and optional ``aliases``.

    Returns:
        One row for each concept, in the order of the file: ``concept``, ``caption_count`` (captions),
        ``distinct_url_count`` (null without a URL column).

    Raises:
        UsageError: The pattern is no local path.
        ConceptsError: The concept file is malformed.
        CorpusError: A shard cannot be read or has no caption column.
        SettingsError: The condition is none.
    """
    if "://" in captions.pattern:
        raise UsageError(f"{captions.pattern}: only files on this machine are read; fetch the shards first")
    wanted = read_catalogue(concepts)
    for warning in wanted.warnings:
        progress.note(f"warning: {warning}")
    counter = CaptionCounter(CaptionQuery(wanted.concepts, sample=0, where=captions.where))
    shards = find_shards(captions.pattern, captions.column or None)
    parts = []
    with progress.bar(len(shards), "files", "count") as bar:
        for shard in shards:
            parts.append(counter.count(shard))
            bar.advance()
    return counts_table(merge(parts))


def check_suffix(out: Path) -> None:
    """Refuse a file that is neither Parquet nor CSV by its name, before the work begins.

    Raises:
        UsageError: With the names that are taken.
    """
    if out.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{out}: the name has to end with {' or '.join(SUFFIXES)}")


def write_counts(out: Path, counts: pa.Table) -> None:
    """Write counts as Parquet or CSV, by the file's name; a null is an empty cell in CSV."""
    check_suffix(out)
    if out.suffix.lower() == ".parquet":
        artefacts.write_table(out, counts)
        return
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(counts.column_names)
    writer.writerows(zip(*(column.to_pylist() for column in counts.columns), strict=True))
    artefacts.write_bytes(out, text.getvalue().encode())
