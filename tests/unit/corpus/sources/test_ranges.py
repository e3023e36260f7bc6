from __future__ import annotations

import threading
import time
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from concepts.errors import CorpusError
from corpus.session import open_session, sql
from corpus.sources.ranges import TAIL, OneFile, RangeFile, Ranges


def of(content: bytes) -> Ranges:
    return Ranges(lambda start, end: content[start:end], len(content))


def test_seek_tell_read() -> None:
    file = RangeFile(of(b"0123456789"))
    assert file.read(3) == b"012"
    assert (file.tell(), file.seek(-2, 2), file.read()) == (3, 8, b"89")
    assert (file.seek(1), file.seek(2, 1), file.read(99), file.read(1)) == (1, 3, b"3456789", b"")


def test_each_thread_has_its_position() -> None:
    file = RangeFile(of(bytes(range(256)) * 1000))
    wrong: list[int] = []

    def read(first: int) -> None:
        for number in range(first, 200_000, 4001):
            file.seek(number)
            time.sleep(0)  # lets another thread seek in between
            if file.read(1) != bytes([number % 256]):
                wrong.append(number)

    threads = [threading.Thread(target=read, args=(first,)) for first in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_end_is_fetched_once() -> None:
    content, asked = bytes(TAIL + 100), []

    def read(start: int, end: int) -> bytes:
        asked.append((start, end))
        return content[start:end]

    ranges = Ranges(read, len(content))
    assert len(ranges.read(TAIL, TAIL + 50)) == 50
    assert len(ranges.read(100, TAIL + 500)) == TAIL
    assert len(ranges.read(0, 10)) == 10
    assert asked == [(100, TAIL + 100), (0, 10)]


def parquet(rows: int, group: int) -> bytes:
    sink = pa.BufferOutputStream()
    noise = np.random.default_rng(0)
    columns = {"TEXT": [f"caption {n}" for n in range(rows)], "rest": [noise.bytes(40) for _ in range(rows)]}
    pq.write_table(pa.table(columns), sink, row_group_size=group)
    return sink.getvalue().to_pybytes()


class Interrupted(RangeFile):
    """Lets other threads run after each ``seek``, where a common position would be moved."""

    def seek(self, offset: int, whence: int = 0) -> int:
        place = super().seek(offset, whence)
        time.sleep(0.002)
        return place


class InterruptedSystem(OneFile):
    def open(self, path: str, mode: str = "rb", **_: object) -> RangeFile:
        return Interrupted(self._ranges)


def test_duckdb_reads_ahead_in_threads_and_gets_the_right_bytes() -> None:
    system = InterruptedSystem(of(parquet(10_000, 500)))
    with open_session(OneFile.path, before=lambda s: s.register_filesystem(system)) as session:
        table = session.sql(sql("scan"), params={"path": OneFile.path}).to_arrow_table()
    assert table["TEXT"].to_pylist() == [f"caption {n}" for n in range(10_000)]


def test_the_session_reads_nothing_else(tmp_path: Path) -> None:
    other = tmp_path / "other.parquet"
    other.write_bytes(parquet(1, 1))
    ranges = of(parquet(3, 3))
    with open_session(OneFile.path, before=lambda s: s.register_filesystem(OneFile(ranges))) as session:
        assert len(session.execute(sql("scan"), {"path": OneFile.path}).fetchall()) == 3
        for statement in (
            "FROM read_parquet('shard://other.parquet')",
            "FROM read_parquet('shard://*.parquet')",
            f"FROM read_parquet('{other}')",
            "FROM read_text('/etc/hostname')",
            "FROM read_parquet('http://127.0.0.1:9/x.parquet')",
            "FROM read_parquet('s3://bucket/x.parquet')",
            f"COPY (SELECT 1) TO '{tmp_path / 'out.csv'}'",
            "COPY (SELECT 1) TO 'shard://file.parquet'",
            f"ATTACH '{tmp_path / 'a.db'}'",
            "INSTALL httpfs",
            "LOAD httpfs",
            "SET enable_external_access = true",
            "SET allowed_paths = ['/']",
        ):
            with pytest.raises(duckdb.Error):
                session.execute(statement).fetchall()


def test_what_went_wrong_is_kept() -> None:
    def read(start: int, end: int) -> bytes:
        raise CorpusError("s3://b/x: cannot be read")

    ranges = Ranges(read, 1000)
    with pytest.raises(CorpusError):
        RangeFile(ranges).read(5)
    assert str(ranges.failure) == "s3://b/x: cannot be read"
