"""A shard gives the same wherever it lies."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.scan import Conditions, RowBatch, repaired, scan
from corpus.shards import Shard, open_shard
from corpus.sources.places import redact, shown
from corpus.where import parse_condition

texts = st.lists(st.none() | st.text(max_size=20), max_size=60)
names = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/\0"), min_size=1, max_size=20
)


def rows(shard: Shard, condition: str) -> list[tuple[int, str | None, bool]]:
    batches: list[RowBatch] = list(scan(shard, Conditions(parse_condition(condition))))
    assert _flat(batches) == _flat(list(repaired(shard, Conditions(parse_condition(condition)))))
    return _flat(batches)


def _flat(batches: list[RowBatch]) -> list[tuple[int, str | None, bool]]:
    return [
        (int(row), text, bool(meets))
        for batch in batches
        for row, text, meets in zip(batch.rows, batch.captions.to_pylist(), batch.meets[0], strict=True)
    ]


@given(texts=texts, name=names, group=st.integers(1, 30), codec=st.sampled_from(["none", "snappy", "zstd"]))
@settings(max_examples=25, deadline=None)
def test_here_and_elsewhere(texts: list[str | None], name: str, group: int, codec: str) -> None:
    sink = io.BytesIO()
    table = pa.table({"TEXT": pa.array(texts, pa.string()), "n": range(len(texts))})
    pq.write_table(table, sink, row_group_size=group, compression=codec)
    memory = fsspec.filesystem("memory")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x{name}.parquet"
        path.write_bytes(sink.getvalue())
        memory.pipe("/here/a.parquet", sink.getvalue())
        here, there = open_shard(path), open_shard("memory://here/a.parquet")
        assert (here.digest, here.rows, here.size) == (there.digest, there.rows, there.size)
        expected = [(number, text, number % 2 == 1) for number, text in enumerate(texts)]
        assert rows(here, "n % 2 = 1") == rows(there, "n % 2 = 1") == expected


@given(
    st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=8, max_size=30),
    st.text(max_size=30),
)
def test_signatures_are_cut_off(secret: str, around: str) -> None:
    secret = f"SIG{secret}"
    assert secret not in shown(f"https://host/a.parquet?X-Amz-Signature={secret}&x={secret}")
    assert secret not in redact(f"{around} https://host/a?t={secret} {around.replace(secret, '')}")
