from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from concepts.errors import CorpusError, SettingsError
from corpus.scan import BATCH_ROWS, Conditions, UndecodableText, addresses, repair, repaired, scan
from corpus.session import open_session
from corpus.shards import open_shard
from corpus.where import parse_condition
from tests.unit.corpus.files import strings, write_shard


def test_all_rows_in_batches(tmp_path: Path) -> None:
    captions = [f"caption {number}" for number in range(2 * BATCH_ROWS + 5)]
    shard = open_shard(write_shard(tmp_path / "a.parquet", captions, URL=captions))
    batches = list(scan(shard))
    assert max(len(batch.rows) for batch in batches) <= BATCH_ROWS
    assert [row for batch in batches for row in batch.rows.tolist()] == list(range(len(captions)))
    assert [text for batch in batches for text in batch.captions.to_pylist()] == captions
    assert all(batch.urls is None for batch in batches)
    assert addresses(shard, np.array([3, BATCH_ROWS, len(captions) - 1])).to_pylist() == [
        captions[3], captions[BATCH_ROWS], captions[-1]
    ]  # fmt: skip


def test_condition_and_row_numbers(tmp_path: Path) -> None:
    path = write_shard(tmp_path / "a.parquet", ["a", "b", None, "d"], punsafe=[0.1, 0.9, 0.2, None])
    conditions = Conditions(parse_condition("PunSafe < 0.5"), (None, parse_condition("punsafe >= 0.2")))
    for read in (scan, repaired):
        (batch,) = read(open_shard(path), conditions)
        assert batch.rows.tolist() == [0, 1, 2, 3]
        assert batch.captions.to_pylist() == ["a", "b", None, "d"]
        assert batch.meets.tolist() == [
            [True, False, True, False],  # 0.9 is too large, null is not true
            [True, True, True, True],
            [False, True, True, False],
        ]
        assert batch.urls is None


def test_condition_on_an_absent_column(tmp_path: Path) -> None:
    shard = open_shard(write_shard(tmp_path / "a.parquet", ["a"]))
    for read in (scan, repaired):
        with pytest.raises(SettingsError, match=r"where: a\.parquet: punsafe: unknown column; known: TEXT"):
            list(read(shard, Conditions(parse_condition("punsafe < 0.5"))))


def test_condition_that_does_not_suit_the_values(tmp_path: Path) -> None:
    shard = open_shard(write_shard(tmp_path / "a.parquet", ["not a number"]))
    for text in ("CAST(TEXT AS INTEGER) > 1", "TEXT + 1 > 2", "TEXT"):
        with pytest.raises(SettingsError, match="does not suit"):
            list(scan(shard, Conditions(parse_condition(text))))


def test_empty_shard(tmp_path: Path) -> None:
    shard = open_shard(write_shard(tmp_path / "a.parquet", []))
    assert sum(len(batch.rows) for batch in scan(shard)) == 0
    assert list(repaired(shard)) == []


def test_text_that_is_not_utf8(tmp_path: Path) -> None:
    captions = strings([b"fine", b"by Monet\xff", None, b"", "é".encode()])
    pq.write_table(
        pa.table({"TEXT": captions, "URL": strings([b"1", b"\xfe", b"3", b"4", None])}), tmp_path / "a"
    )
    shard = open_shard(tmp_path / "a")
    with pytest.raises(UndecodableText):
        list(scan(shard))
    (batch,) = repaired(shard)
    assert batch.captions.to_pylist() == ["fine", "by Monet\ufffd", None, "", "é"]
    assert batch.urls.to_pylist() == ["1", "\ufffd", "3", "4", None]
    assert batch.repaired.tolist() == [False, True, False, False, False]
    assert batch.rows.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.large_string(), pa.string(), pa.null()])
@pytest.mark.parametrize("encoded", [False, True])
def test_every_way_to_store_text(tmp_path: Path, kind: pa.DataType, encoded: bool) -> None:
    values = [None, None] if kind == pa.null() else ["Monet", None]
    column = pa.array(values, kind)
    if encoded and kind != pa.null():
        column = column.dictionary_encode()
    pq.write_table(pa.table({"TEXT": column}), tmp_path / "a")
    shard = open_shard(tmp_path / "a")
    try:
        batches = list(scan(shard))
    except UndecodableText:
        batches = list(repaired(shard))
    assert [text for batch in batches for text in batch.captions.to_pylist()] == values


def test_repair_keeps_what_is_fine() -> None:
    texts, was_bad = repair(pa.array(["a\ufffd", "b", None]).dictionary_encode())
    assert (texts.to_pylist(), was_bad.to_pylist()) == (["a\ufffd", "b", None], [False, False, False])
    texts, was_bad = repair(strings([b"a\xc3", b"b", None, b"\xed\xa0\x80"]))
    assert texts.to_pylist() == ["a\ufffd", "b", None, "\ufffd\ufffd\ufffd"]
    assert was_bad.to_pylist() == [True, False, False, True]


def test_damaged_pages(tmp_path: Path) -> None:
    captions = [f"caption {number * 7919}" for number in range(20_000)]
    path = write_shard(tmp_path / "a.parquet", captions)
    data = bytearray(path.read_bytes())
    data[1000:9000] = b"\xaa" * 8000
    shard = open_shard(path)
    path.write_bytes(data)
    with pytest.raises(CorpusError, match="cannot be read"):
        list(scan(shard))
    with pytest.raises(CorpusError, match="cannot be read"):
        list(repaired(shard))


def test_a_shard_that_is_gone(tmp_path: Path) -> None:
    shard = open_shard(write_shard(tmp_path / "a.parquet", ["x"]))
    shard.path.unlink()
    for read in (scan, repaired):
        with pytest.raises(CorpusError, match="cannot be read"):
            list(read(shard))


def test_a_session_reads_its_file_and_nothing_else(tmp_path: Path) -> None:
    mine, other = (write_shard(tmp_path / name, ["x"]) for name in ("mine.parquet", "other.parquet"))
    with open_session(mine) as session:
        assert session.execute("SELECT count(*) FROM read_parquet($p)", {"p": str(mine)}).fetchall() == [(1,)]
        for statement in (
            f"FROM read_parquet('{other}')",
            f"FROM read_text('{other}')",
            f"COPY (SELECT 1) TO '{tmp_path / 'out.csv'}'",
            "SET enable_external_access = true",
            "INSTALL httpfs",
        ):
            with pytest.raises(duckdb.Error):
                session.execute(statement).fetchall()
