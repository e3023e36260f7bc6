from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from concepts.concept import Concept
from concepts.errors import MalformedFile
from corpus.captions import CaptionCounter, CaptionQuery
from corpus.counts import CaptionCounts, merge
from corpus.shards import open_shard
from tests.unit.corpus.files import write_shard

NAMES = ("Monet", "Banksy", "Nobody")


def part(folder: Path, **columns: object) -> pa.Table:
    path = write_shard(folder / "a.parquet", ["Monet", None, "Banksy", "Monet x"], **columns)
    query = CaptionQuery(tuple(map(Concept, NAMES)), sample=5)
    return CaptionCounter(query).count(open_shard(path))


def counted(folder: Path, **columns: object) -> CaptionCounts:
    return merge([part(folder, **columns)], NAMES)


def test_counts_table(tmp_path: Path) -> None:
    table = counted(tmp_path, URL=["a", "b", None, "a"]).table()
    assert table.to_pydict() == {
        "concept": ["Monet", "Banksy", "Nobody"],
        "caption_count": [2, 1, 0],
        "distinct_url_count": [1, 0, 0],
        "unfiltered_count": [2, 1, 0],
    }
    assert table.schema.field("caption_count").metadata[b"unit"] == b"captions"


def test_counts_table_without_addresses(tmp_path: Path) -> None:
    table = counted(tmp_path).table()
    assert table["distinct_url_count"].to_pylist() == [None, None, None]
    assert table.schema.field("distinct_url_count").type == pa.int64()


def test_samples_table(tmp_path: Path) -> None:
    table = counted(tmp_path, URL=["a", "b", "c", "d"]).samples
    assert table["concept"].to_pylist() == ["Monet", "Monet", "Banksy"]
    keys = table["key"].to_pylist()
    assert keys[0] < keys[1]
    assert sorted(zip(table["row"].to_pylist(), table["url"].to_pylist(), strict=True)) == [
        (0, "a"),
        (2, "c"),
        (3, "d"),
    ]
    assert table["file"].to_pylist() == ["a.parquet"] * 3
    assert all(field.metadata[b"meaning"] for field in table.schema)


def test_another_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MalformedFile, match="no table of counts: columns x"):
        merge([pa.table({"x": [1]})], NAMES)
    with pytest.raises(MalformedFile):
        merge([part(tmp_path).drop_columns("sample")], NAMES)
