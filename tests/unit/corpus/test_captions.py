from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from concepts.concept import Concept
from concepts.errors import ConceptsError, CorpusError, SettingsError
from concepts.phrase_index import PhraseIndex
from corpus.captions import CaptionCounter, CaptionQuery
from corpus.counts import CaptionCounts, CaptionTally, merge
from corpus.sampling import BottomRows, RowKeys, SampleRow
from corpus.shards import find_shards, open_shard
from tests.unit.corpus.files import strings, write_shard

MONET = Concept("Claude Monet", ("Monet", "Oscar-Claude Monet"))
KEEFFE = Concept("Georgia O'Keeffe")
NOBODY = Concept("Nobody Known")
CONCEPTS = (MONET, KEEFFE, NOBODY)


def count(path: Path, **options: object) -> CaptionCounts:
    query = replace(CaptionQuery(CONCEPTS, seed=7), **options)
    return merge(map(CaptionCounter(query).count, find_shards(path)))


def test_counts_by_hand(tmp_path: Path) -> None:
    captions: list[str | None] = [
        "Claude Monet, by Monet",  # both phrases: one caption
        "monet’s pond",
        "Monetary policy",
        "Georgia O’Keeffe and Oscar–Claude Monet",  # names two
        None,
        "",
        "georgia o'keeffe",
    ]
    urls = ["u1", "u2", "u3", "u1", "u5", "u6", None]
    counts = count(write_shard(tmp_path / "a.parquet", captions, URL=urls))
    assert counts.concepts == ("Claude Monet", "Georgia O'Keeffe", "Nobody Known")
    assert counts.caption_counts.tolist() == [3, 2, 0]
    assert counts.distinct_url_counts is not None
    assert counts.distinct_url_counts.tolist() == [2, 1, 0]  # {u1, u2}; {u1}, the null address adds none
    assert counts.tally == CaptionTally(rows=7, excluded=0, null=1, empty=1, repaired=0, named=4)
    assert counts.tally.captions == 5
    assert [sorted(row.row for row in rows) for rows in counts.samples] == [[0, 1, 3], [3, 6], []]
    by_row = {row.row: row for row in counts.samples[1]}
    assert by_row[6]._asdict() == {
        "key": RowKeys(7, "Georgia O'Keeffe", "a.parquet").key(6),
        "file": "a.parquet",
        "row": 6,
        "url": None,
        "caption": "georgia o'keeffe",
    }


def test_condition(tmp_path: Path) -> None:
    path = write_shard(
        tmp_path / "a.parquet", ["Monet", "Monet", None, "Monet"], punsafe=[0.1, 0.9, 0.1, None]
    )
    counts = count(path, where="punsafe < 0.5")
    assert counts.caption_counts.tolist() == [1, 0, 0]
    assert counts.tally == CaptionTally(rows=4, excluded=2, null=1, empty=0, repaired=0, named=1)
    assert counts.distinct_url_counts is None


def test_the_sample_is_the_smallest_keys(tmp_path: Path) -> None:
    path = write_shard(tmp_path / "a.parquet", ["Monet"] * 200)
    keys = {row: RowKeys(7, "Claude Monet", "a.parquet").key(row) for row in range(200)}
    expected = sorted(keys, key=keys.__getitem__)
    for sample in (0, 1, 7, 199, 200, 500):
        assert [row.row for row in count(path, sample=sample).samples[0]] == expected[:sample]
    assert [row.row for row in count(path, seed=8, sample=7).samples[0]] != expected[:7]


def test_the_sample_is_uniform() -> None:
    # 1,000 rows, 100 sampled, 40 seeds: each half of the file should give half of 4,000 sampled rows;
    # the standard deviation is sqrt(4000 / 4) * sqrt(0.9) = 30.
    rows: list[int] = []
    for seed in range(40):
        keys, sample = RowKeys(seed, "Claude Monet", "a.parquet"), BottomRows(100)
        for row in range(1000):
            sample.offer(SampleRow(keys.key(row), "a.parquet", row, None, "Monet"))
        rows += [row.row for row in sample.rows()]
    assert len(rows) == 4000
    assert abs(sum(row < 500 for row in rows) - 2000) < 5 * 30


def test_files_in_any_order(tmp_path: Path) -> None:
    for number in range(3):
        write_shard(
            tmp_path / f"{number}.parquet",
            ["Monet", "none", "Monet x"] * 20,
            URL=["a", "b", f"{number}"] * 20,
        )
    counter = CaptionCounter(CaptionQuery(CONCEPTS, sample=10))
    parts = [counter.count(shard) for shard in find_shards(tmp_path)]
    forward, backward = merge(parts), merge(parts[::-1])
    assert forward.caption_counts.tolist() == backward.caption_counts.tolist() == [120, 0, 0]
    assert forward.samples == backward.samples
    assert {row.file for row in forward.samples[0]} <= {"0.parquet", "1.parquet", "2.parquet"}
    assert forward.distinct_url_counts is not None
    assert forward.distinct_url_counts.tolist() == [4, 0, 0]  # "a" in all files, and "0", "1", "2"


def test_one_shard_without_addresses_makes_the_distinct_count_unknown(tmp_path: Path) -> None:
    write_shard(tmp_path / "0.parquet", ["Monet"], URL=["a"])
    write_shard(tmp_path / "1.parquet", ["Monet"])
    counts = count(tmp_path)
    assert counts.caption_counts.tolist() == [2, 0, 0]
    assert counts.distinct_url_counts is None


def test_text_that_is_not_utf8_still_counts(tmp_path: Path) -> None:
    captions = strings(
        [b"Monet", b"Monet\xff", b"\xffMonet", b"Mon\xffet", None, "Georgia O\u2019Keeffe".encode()]
    )
    pq.write_table(pa.table({"TEXT": captions}), tmp_path / "a.parquet")
    counts = count(tmp_path)
    assert counts.caption_counts.tolist() == [3, 1, 0]
    assert counts.tally == CaptionTally(rows=6, excluded=0, null=1, empty=0, repaired=3, named=4)
    assert "Monet\ufffd" in {row.caption for row in counts.samples[0]}


def test_empty_shard(tmp_path: Path) -> None:
    counts = count(write_shard(tmp_path / "a.parquet", []))
    assert counts.caption_counts.tolist() == [0, 0, 0]
    assert counts.tally == CaptionTally()


def test_nulls_and_foreign_letters_keep_the_rows_apart(tmp_path: Path) -> None:
    # Line breaks and nulls in a batch that is folded as one text; rows 1, 4 and 6 name Monet.
    captions = ["é\nmon", "et Monet é", None, "é mon", "MONÉT", "", "\nMonet\né", "é"]
    counts = count(write_shard(tmp_path / "a.parquet", captions))
    assert sorted(row.row for row in counts.samples[0]) == [1, 4, 6]


def test_many_batches_and_long_captions(tmp_path: Path) -> None:
    captions = ["x" * 50 if number % 997 else "by Claude Monet" for number in range(50_000)]
    captions[123] = "long " * 200_000 + "Georgia O'Keeffe"
    counts = count(write_shard(tmp_path / "a.parquet", captions))
    assert counts.caption_counts.tolist() == [51, 1, 0]  # 0, 997, ..., 49850: 51 rows


def test_regular_expression_characters_in_names(tmp_path: Path) -> None:
    concepts = (Concept("a.*b (c)"), Concept("x|y [z]+"), Concept("100% $art^"))
    path = write_shard(tmp_path / "a.parquet", ["A *B (c)", "axxb c", "x|y [z]+!", "100% $ART^"])
    counts = CaptionCounter(CaptionQuery(concepts)).count(open_shard(path))
    assert counts.caption_counts.tolist() == [1, 1, 1]


def test_any_other_finder_gives_the_same(tmp_path: Path) -> None:
    class Everything:
        """Takes every caption for a candidate of every phrase."""

        def __init__(self, index: PhraseIndex) -> None:
            self.positions = range(len(index.phrases))

        def find(self, captions: pa.LargeStringArray) -> Iterator[tuple[int, Collection[int]]]:
            return ((row, self.positions) for row, text in enumerate(captions.to_pylist()) if text)

    path = write_shard(tmp_path / "a.parquet", ["Monet", "MONÉT’s", "o'keeffe", None, "", "nobody  known"])
    slow = CaptionCounter(CaptionQuery(CONCEPTS), Everything).count(open_shard(path))
    fast = CaptionCounter(CaptionQuery(CONCEPTS)).count(open_shard(path))
    assert slow.caption_counts.tolist() == fast.caption_counts.tolist() == [2, 0, 1]
    assert slow.samples == fast.samples


def test_bad_queries(tmp_path: Path) -> None:
    with pytest.raises(ConceptsError, match="at least 2 letters"):
        CaptionCounter(CaptionQuery((Concept("X"),)))
    with pytest.raises(SettingsError, match="no SQL condition"):
        CaptionCounter(CaptionQuery(CONCEPTS, where="punsafe <"))
    shard = open_shard(write_shard(tmp_path / "a.parquet", ["x"]))
    shard.path.unlink()
    with pytest.raises(CorpusError, match="cannot be read"):
        CaptionCounter(CaptionQuery(CONCEPTS)).count(shard)


def test_merging_what_does_not_belong_together(tmp_path: Path) -> None:
    shard = open_shard(write_shard(tmp_path / "a.parquet", ["x"]))
    one = CaptionCounter(CaptionQuery(CONCEPTS)).count(shard)
    other = CaptionCounter(CaptionQuery(CONCEPTS[:2])).count(shard)
    with pytest.raises(ValueError, match="different concepts"):
        merge([one, other])
    with pytest.raises(ValueError, match="no counts"):
        merge([])


def test_keys_are_64_bit_and_differ() -> None:
    keys = RowKeys(0, "Monet", "a.parquet")
    values = np.array([keys.key(row) for row in range(2000)], np.uint64)
    assert len(np.unique(values)) == 2000
    assert abs(float(np.mean(values / 2**64)) - 0.5) < 5 * (1 / 12 / 2000) ** 0.5
    assert keys.key(1) != RowKeys(0, "Monet", "b.parquet").key(1) != RowKeys(1, "Monet", "b.parquet").key(1)
