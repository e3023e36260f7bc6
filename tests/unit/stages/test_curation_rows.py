"""The rows that a plan chooses from, found in odd shards and brought together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from concepts.concept import Concept
from concepts.errors import StageIncomplete
from corpus.captions import CaptionCounter, CaptionQuery
from corpus.shards import open_shard
from fit.curation.addresses import OptedOut
from fit.curation.optout import OptOuts
from fit.run import artefacts
from fit.stages.curation_rows import FindRows, gather

COUNTER = CaptionCounter(CaptionQuery((Concept("Ada Brush"), Concept("Bo Krin")), 0, 0, ""))
OUTS = OptedOut(OptOuts((), frozenset({"gone.example"})))
CAPTIONS = ["x", "Ada Brush", "Bo Krin, Ada Brush", "y", "Bo Krin"]
URLS = [
    b"http://gone.example/0",
    b"http://a.example/1",
    b"http://gone.example/\xff",
    None,
    b"http://a.example/4",
]


def found(folder: Path, table: pa.Table, outs: OptedOut = OUTS, keep_best: str = "") -> pa.Table:
    folder.mkdir(exist_ok=True)
    path = folder / f"of-{folder.name}.parquet"
    pq.write_table(table, path, row_group_size=2)
    return FindRows(COUNTER, outs, keep_best, 0)(open_shard(path))


def test_opted_out_rows_stand_among_those_that_name_a_concept(tmp_path: Path) -> None:
    # Address 2 is not UTF-8.
    rows = found(tmp_path, pa.table({"TEXT": CAPTIONS, "URL": pa.array(URLS, pa.binary())}))
    assert rows["row"].to_pylist() == [0, 1, 2, 4]
    assert rows["owners"].to_pylist() == [[], [0], [0, 1], [1]]
    gone = "opted out: domain gone.example"
    assert rows["why"].to_pylist() == [gone, None, gone, None]
    assert rows["url"].to_pylist() == [
        "http://gone.example/0",
        "http://a.example/1",
        "http://gone.example/\ufffd",
        "http://a.example/4",
    ]


@pytest.mark.parametrize("urls", [None, pa.nulls(5)])
def test_without_addresses_none_is_opted_out(tmp_path: Path, urls: pa.Array | None) -> None:
    columns = {"TEXT": CAPTIONS} if urls is None else {"TEXT": CAPTIONS, "URL": urls}
    rows = found(tmp_path, pa.table(columns))
    assert rows["row"].to_pylist() == [1, 2, 4]
    assert rows["why"].to_pylist() == rows["url"].to_pylist() == [None] * 3


def test_an_empty_shard_has_none(tmp_path: Path) -> None:
    schema = pa.schema({"TEXT": pa.string(), "URL": pa.string(), "value": pa.int8()})
    rows = found(tmp_path, schema.empty_table(), keep_best="value")
    assert rows.num_rows == 0
    artefacts.write_table(tmp_path / "part.parquet", rows)
    gathered = gather([tmp_path / "part.parquet"])
    assert (gathered.rows.names, gathered.opted_out, gathered.starts.tolist()) == ((), 0, [0, 0])


def test_what_has_no_value_is_worth_least(tmp_path: Path) -> None:
    values = pa.array([0, 7, None, 1, -3], pa.int16())
    rows = found(tmp_path, pa.table({"TEXT": CAPTIONS, "Value": values}), keep_best="value")
    assert rows["worth"].to_pylist() == [7.0, -np.inf, -3.0]


def test_shards_are_brought_together(tmp_path: Path) -> None:
    tables = [
        pa.table({"TEXT": CAPTIONS, "URL": pa.array(URLS, pa.binary())}),
        pa.table({"TEXT": ["Bo Krin", "Ada Brush and Bo Krin", "z"], "URL": ["http://a.example"] * 3}),
    ]
    parts = [tmp_path / f"{number}.parquet" for number in range(2)]
    for part, table in zip(parts, tables, strict=True):
        artefacts.write_table(part, found(tmp_path / part.stem, table))
    gathered = gather(parts)
    rows = gathered.rows
    assert [rows.names[kind] for kind in rows.kind.tolist()] == [(0,), (1,), (1,), (0, 1)]
    assert gathered.starts.tolist() == [0, 2, 4]
    assert gathered.opted_out == 2
    assert dict(zip(rows.names, rows.forced.tolist(), strict=True)) == {(): 1, (0,): 0, (0, 1): 1, (1,): 0}
    assert len(set(rows.worth.tolist())) == 4


def test_a_damaged_part_is_removed_and_told(tmp_path: Path) -> None:
    part = tmp_path / "part.parquet"
    artefacts.write_table(part, found(tmp_path, pa.table({"TEXT": CAPTIONS})))
    content = bytearray(part.read_bytes())
    worth = pq.read_metadata(part).row_group(0).column(4)
    content[worth.dictionary_page_offset + worth.total_compressed_size - 1] ^= 0xFF
    part.write_bytes(content)
    with pytest.raises(StageIncomplete, match="run again"):
        gather([part])
    assert not part.exists()
