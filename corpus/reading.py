"""Reading a shard wherever it lies: by DuckDB, which fetches the needed columns alone, or as Arrow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from corpus.session import open_session, sql
from corpus.shards import Shard
from corpus.sources import httpfs, hub
from corpus.sources.places import WILDCARDS, protocol_of
from corpus.sources.ranges import OneFile, RangeFile, Ranges
from corpus.sources.remote import read_remote


@dataclass(frozen=True, slots=True)
class Opened:
    """A shard in a session that reads nothing else.

    Attributes:
        session: The session.
        rows: All rows and columns, and the rows' numbers; what is not selected from it is not read.
    """

    session: duckdb.DuckDBPyConnection
    rows: duckdb.DuckDBPyRelation


@contextmanager
def opened(shard: Shard) -> Iterator[Opened]:
    """Open a shard for DuckDB; it is not `Shard.streamed`.

    Raises:
        CorpusError: It cannot be fetched, also after some attempts.
        duckdb.Error, OSError, pyarrow.ArrowException: It cannot be decoded.
    """
    if not protocol_of(shard.location):
        escaped = _escaped(shard.location)
        with open_session(shard.location, escaped) as session:
            yield _opened(session, escaped)
    elif httpfs.serves(shard.location):
        with open_session(shard.location, before=httpfs.preparation(shard.location)) as session:
            yield _opened(session, shard.location)
    else:
        ranges = _ranges(shard)
        with open_session(OneFile.path, before=partial(_register, ranges)) as session:
            try:
                yield _opened(session, OneFile.path)
            except (duckdb.Error, OSError, pa.ArrowException) as error:
                # DuckDB turns our error into a text of many lines.
                raise ranges.failure or error from None


def arrow_batches(shard: Shard, columns: list[str], rows: int) -> Iterator[pa.RecordBatch]:
    """Yield some columns of a shard, whatever bytes its texts hold.

    Args:
        shard: The shard.
        columns: The columns' names.
        rows: Rows per batch, at most.

    Raises:
        CorpusError: It cannot be fetched, also after some attempts.
        OSError, pyarrow.ArrowException: It cannot be decoded.
    """
    if shard.streamed:
        yield from hub.batches(shard.location, columns, rows)
        return
    source = RangeFile(_ranges(shard)) if protocol_of(shard.location) else shard.location
    with pq.ParquetFile(source) as file:
        yield from file.iter_batches(batch_size=rows, columns=columns)


def _opened(session: duckdb.DuckDBPyConnection, path: str) -> Opened:
    return Opened(session, session.sql(sql("scan"), params={"path": path}))


def _register(ranges: Ranges, session: duckdb.DuckDBPyConnection) -> None:
    """Let a session see one remote file, under a name that is allowed.

    Not the remote file system itself: DuckDB checks its paths against ``allowed_paths`` as that spells them,
    and DuckDB's threads would share a position in its files (`corpus.sources.ranges`). So neither address nor
    credentials get into the session either.
    """
    session.register_filesystem(OneFile(ranges))


def _ranges(shard: Shard) -> Ranges:
    return Ranges(partial(read_remote, shard.location), shard.size or 0)


def _escaped(path: str) -> str:
    """Return a path as a glob that matches it alone."""
    return "".join(f"[{character}]" if character in WILDCARDS else character for character in path)
