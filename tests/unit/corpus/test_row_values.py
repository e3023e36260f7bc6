from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from concepts.errors import CorpusError
from corpus.row_values import column_of, row_numbers
from corpus.shards import Shard, find_shards
from tests.unit.corpus.files import write_shard


@pytest.fixture
def shards(tmp_path: Path) -> tuple[Shard, ...]:
    many = np.arange(150_000) / 150_000  # more than one batch
    write_shard(tmp_path / "a.parquet", ["x"] * 150_000, punsafe=pa.array(many, pa.float32()))
    write_shard(tmp_path / "b.parquet", ["x", "y", "z"], PUNSAFE=[0.5, None, 1], NSFW=["UNLIKELY"] * 3)
    return find_shards(tmp_path)


def test_numbers_by_file_and_row(shards: tuple[Shard, ...]) -> None:
    places = [("a.parquet", row) for row in (149_999, 0, 65_536, 65_535, 75_000)]
    found = row_numbers(shards, "punsafe", [*places, ("b.parquet", 0), ("b.parquet", 0), ("b.parquet", 1)])
    assert {place: found[place] for place in places} == {
        ("a.parquet", row): pytest.approx(row / 150_000, abs=1e-6) for _, row in places
    }
    assert found["b.parquet", 0] == 0.5
    assert math.isnan(found["b.parquet", 1])
    assert len(found) == 7


def test_any_row_group_is_found(tmp_path: Path) -> None:
    table = pa.table({"TEXT": ["x"] * 100, "punsafe": np.arange(100) / 100})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=7)
    places = [("a.parquet", row) for row in range(0, 100, 3)]
    found = row_numbers(find_shards(tmp_path), "punsafe", places)
    assert found == {place: pytest.approx(place[1] / 100) for place in places}


def test_shards_without_a_wanted_row_are_not_read(shards: tuple[Shard, ...]) -> None:
    Path(shards[0].path).write_bytes(b"rubbish")
    assert row_numbers(shards, "punsafe", [("b.parquet", 2)]) == {("b.parquet", 2): 1.0}
    assert row_numbers(shards, "punsafe", []) == {}


def test_columns_in_any_case(shards: tuple[Shard, ...]) -> None:
    assert [column_of(shard, "PunSafe") for shard in shards] == ["punsafe", "PUNSAFE"]
    assert column_of(shards[0], "NSFW") is None


@pytest.mark.parametrize(
    ("column", "place", "message"),
    [
        ("unsafe", ("a.parquet", 0), "no column 'unsafe'; the columns are: TEXT, punsafe"),
        ("NSFW", ("b.parquet", 0), "the column 'NSFW' holds string, not numbers"),
        ("punsafe", ("b.parquet", 3), "has no row 3"),
        ("punsafe", ("c.parquet", 0), "no longer among the shards"),
    ],
)
def test_what_is_not_there(
    shards: tuple[Shard, ...], column: str, place: tuple[str, int], message: str
) -> None:
    with pytest.raises(CorpusError, match=message):
        row_numbers(shards, column, [place])


def test_a_shard_that_was_damaged_since(shards: tuple[Shard, ...]) -> None:
    Path(shards[1].path).write_bytes(b"PAR1 rubbish PAR1")
    with pytest.raises(CorpusError, match="cannot be read"):
        row_numbers(shards, "punsafe", [("b.parquet", 0)])
