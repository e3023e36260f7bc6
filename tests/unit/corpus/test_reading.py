"""Reading shards wherever they lie, and what goes wrong after the first batches."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from concepts.errors import CorpusError, SettingsError
from corpus.reading import opened
from corpus.scan import BATCH_ROWS, Conditions, UndecodableText, repaired, scan
from corpus.shards import find_shards, open_shard
from corpus.where import parse_condition
from tests.unit.corpus.files import strings, write_shard
from tests.unit.corpus.sources.files import shard_bytes
from tests.unit.corpus.sources.loopback import FileApp, serve

LATE = 3 * BATCH_ROWS
"""A row that comes after some batches have gone out."""


def test_text_that_is_not_utf8_after_some_batches(tmp_path: Path) -> None:
    column = strings([b"fine"] * LATE + [b"by Monet\xff"])
    pq.write_table(pa.table({"TEXT": column}), tmp_path / "a.parquet", row_group_size=10_000)
    shard = open_shard(tmp_path / "a.parquet")
    with pytest.raises(UndecodableText, match=r"a\.parquet: holds text that is not UTF-8"):
        list(scan(shard))
    assert list(repaired(shard))[-1].captions[-1].as_py() == "by Monet\ufffd"


def test_damage_after_some_batches(tmp_path: Path) -> None:
    texts = pa.table({"TEXT": [f"caption {number * 7919}" for number in range(LATE)]})
    pq.write_table(texts, tmp_path / "a.parquet", row_group_size=10_000)
    shard = open_shard(tmp_path / "a.parquet")
    content = bytearray((tmp_path / "a.parquet").read_bytes())
    content[-400_000:-300_000] = b"\xaa" * 100_000
    (tmp_path / "a.parquet").write_bytes(content)
    for read in (scan, repaired):
        with pytest.raises(CorpusError, match=r"a\.parquet: cannot be read \(.*; fetch it again$"):
            list(read(shard))


def test_a_condition_that_fails_after_some_batches(tmp_path: Path) -> None:
    path = write_shard(tmp_path / "a.parquet", ["1"] * LATE + ["one"])
    conditions = Conditions(parse_condition("CAST(TEXT AS INTEGER) > 0"))
    with pytest.raises(SettingsError, match=r"where: .* does not suit a\.parquet"):
        list(scan(open_shard(path), conditions))


def test_a_fault_on_the_way_after_some_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Iterator[pa.RecordBatch]:
        for _number in range(5):
            yield pa.RecordBatch.from_pydict({"TEXT": ["x"] * BATCH_ROWS})
        raise CorpusError("s3://bucket/a.parquet: cannot be read after 5 attempts")

    monkeypatch.setattr("corpus.scan.arrow_batches", broken)
    with pytest.raises(CorpusError, match=r"^s3://bucket/a\.parquet: cannot be read after 5 attempts$"):
        list(repaired(open_shard(write_shard(tmp_path / "a.parquet", ["x"]))))


def test_a_shard_that_is_gone_is_no_glob(tmp_path: Path) -> None:
    write_shard(tmp_path / "a1.parquet", ["other"])
    shard = open_shard(write_shard(tmp_path / "a[1].parquet", ["mine"]))
    shard.path.unlink()
    with pytest.raises(CorpusError, match="cannot be read"):
        list(scan(shard))


@pytest.mark.parametrize("name", ["a.parquet", "a[1].parquet"])
def test_a_local_shard_is_all_that_its_session_reads(tmp_path: Path, name: str) -> None:
    other = write_shard(tmp_path / "a1.parquet", ["other"])
    with opened(open_shard(write_shard(tmp_path / name, ["mine"]))) as source:
        assert source.rows.select("TEXT").fetchall() == [("mine",)]
        for statement in (
            f"FROM read_parquet('{other}')",
            f"FROM read_parquet('{tmp_path}/*.parquet')",
            f"COPY (SELECT 1) TO '{tmp_path / 'out.csv'}'",
            "LOAD httpfs",
            "SET allowed_paths = ['/']",
        ):
            with pytest.raises(duckdb.Error):
                source.session.execute(statement).fetchall()


def test_any_file_system_of_fsspec() -> None:
    memory = fsspec.filesystem("memory")
    for name in ("one", "deep/two"):
        memory.pipe(f"/corpus/{name}.parquet", shard_bytes(name, 3))
    try:
        shards = find_shards("memory://corpus/**/*.parquet")
        assert [shard.name for shard in shards] == ["deep/two.parquet", "one.parquet"]
        assert [text for batch in scan(shards[1]) for text in batch.captions.to_pylist()] == [
            f"caption {number} of one" for number in range(3)
        ]
    finally:
        memory.rm("/corpus", recursive=True)


def test_a_link_and_its_signature() -> None:
    content = shard_bytes("a", 20_000)
    with serve(FileApp({"/a.parquet": content})) as server:
        link = f"{server.url}/a.parquet?Signature=pl/anted"
        (shard,) = find_shards(link)
        server.sent = 0
        assert sum(len(batch.rows) for batch in scan(shard)) == 20_000
        assert server.sent < len(content) / 5
        assert shard.place == f"{server.url}/a.parquet?…"
        assert shard.name == "a.parquet"
        assert "anted" not in repr(shard)
        with pytest.raises(CorpusError, match=r"b\.parquet\?…: not found") as caught:
            find_shards(f"{server.url}/b.parquet?Signature=planted")
        assert "planted" not in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("nowhere://x/a.parquet", "unknown protocol nowhere://; known are s3://, hf://, and those of fsspec"),
        ("gs://bucket/a.parquet", "gs:// needs gcsfs; pip install gcsfs"),
        (
            "https://me:secret@127.0.0.1/a.parquet",
            "a URL with a password in it ends up in logs; check the link",
        ),
    ],
)
def test_places_that_cannot_be_opened(pattern: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gcsfs", None)  # as where it is not installed
    with pytest.raises(Exception, match=reason) as caught:
        find_shards(pattern)
    assert "secret" not in str(caught.value)
