"""Counts of several files together, as tables and back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from concepts.errors import MalformedFile
from corpus.embeddings.counts import EmbeddingCounts, EmbeddingTally, NearRow, merge
from corpus.embeddings.overlap import Overlap
from corpus.embeddings.tables import COUNTS, counts_of, counts_table, nearest_table, shard_table


def near(cosine: float, file: str, row: int) -> NearRow:
    return NearRow(cosine, file, row, f"{file}{row}", None)


def overlap(named: list[int], shown: list[int], both: list[int]) -> Overlap:
    return Overlap(np.array([True, False]), np.array(named), np.array(shown), np.array(both))


A = EmbeddingCounts(
    concepts=("x", "y"),
    tally=EmbeddingTally(10, 1, 0, 10),
    counts=np.array([3, 1]),
    url_hashes=(np.array([1, 5], np.uint64), np.array([], np.uint64)),
    nearest=((near(0.5, "a", 7), near(0.25, "a", 1)), ()),
    top=2,
    overlap=overlap([4, 0], [3, 1], [2, 0]),
)
B = replace(
    A,
    tally=EmbeddingTally(20, 0, 2, 20),
    counts=np.array([2, 0]),
    url_hashes=(np.array([5, 2**63], np.uint64), np.array([9], np.uint64)),
    nearest=((near(0.75, "b", 9), near(0.5, "b", 0)), (near(0.125, "b", 3),)),
    overlap=overlap([1, 0], [2, 0], [1, 0]),
)


def test_sums_unions_and_the_nearest_of_all() -> None:
    whole = merge([A, B])
    assert whole.tally == EmbeddingTally(30, 1, 2, 30)
    assert whole.counts.tolist() == [5, 1]
    assert whole.url_hashes is not None
    assert [each.tolist() for each in whole.url_hashes] == [[1, 5, 2**63], [9]]
    # Of the two at 0.5 the one in the first file, although its row comes later.
    assert [(row.cosine, row.file, row.row) for row in whole.nearest[0]] == [(0.75, "b", 9), (0.5, "a", 7)]
    assert whole.overlap is not None
    assert [each.tolist() for each in (whole.overlap.named, whole.overlap.shown, whole.overlap.both)] == [
        [5, 0], [5, 1], [3, 0],
    ]  # fmt: skip
    assert shard_table(merge([B, A])).equals(shard_table(whole), check_metadata=True)


def test_without_the_addresses_of_one_file_there_are_none() -> None:
    for parts in ([A, replace(B, url_hashes=None)], [replace(A, url_hashes=None), B]):
        assert merge(parts).url_hashes is None
        assert merge(parts).distinct_url_counts is None


def test_captions_of_some_files() -> None:
    whole = merge([A, replace(B, overlap=None, tally=EmbeddingTally(20, 0, 2, 0))])
    assert whole.overlap is not None
    assert whole.overlap.named.tolist() == [4, 0]
    assert whole.tally.captioned == 10


def test_answers_to_different_questions_are_not_added_up() -> None:
    with pytest.raises(ValueError, match="no counts"):
        merge([])
    for other in (replace(B, concepts=("x", "z")), replace(B, top=3)):
        with pytest.raises(ValueError, match="different concepts or numbers"):
            merge([A, other])


@pytest.mark.parametrize(
    "counts", [A, B, replace(A, overlap=None), replace(A, url_hashes=None), replace(A, nearest=((), ()))]
)
def test_a_table_and_back(counts: EmbeddingCounts) -> None:
    table = shard_table(counts)
    again = counts_of(table)
    assert shard_table(again).equals(table, check_metadata=True)
    assert again.nearest == counts.nearest
    assert (again.overlap is None, again.url_hashes is None) == (
        counts.overlap is None,
        counts.url_hashes is None,
    )


def test_a_table_of_something_else() -> None:
    with pytest.raises(MalformedFile, match="no counts by embeddings: columns a; count again"):
        counts_of(pa.table({"a": [1]}))


def test_the_table_for_readers() -> None:
    table = counts_table(merge([A, B]), np.array([4, 2]), np.float32([0.5, 0.25]), {"x": (0.75, 0.1)})
    assert table.schema.equals(COUNTS, check_metadata=True)
    x, y = table.to_pylist()
    assert x == {
        "concept": "x", "references": 4, "cut": 0.5, "embedding_count": 5, "distinct_url_count": 3,
        "caption_count": 5, "both_count": 3, "caption_only_count": 2, "embedding_only_count": 2,
        "missed_by_captions": 2 / 5, "sensitivity": 0.75, "false_match_rate": 0.1,
    }  # fmt: skip
    # Captions were not searched for y, and its cut was not calibrated.
    assert y == {
        "concept": "y", "references": 2, "cut": 0.25, "embedding_count": 1, "distinct_url_count": 1,
        **dict.fromkeys(COUNTS.names[5:]),
    }  # fmt: skip
    assert all(field.metadata[b"unit"] and field.metadata[b"meaning"] for field in table.schema)


def test_a_concept_that_no_row_shows_misses_no_share() -> None:
    counts = replace(A, overlap=overlap([4, 0], [0, 1], [0, 0]))
    x, _ = counts_table(counts, np.array([1, 1]), np.float32([0, 0]), {}).to_pylist()
    assert (x["embedding_only_count"], x["missed_by_captions"]) == (0, None)


def test_the_table_of_nearest_rows() -> None:
    rows = nearest_table(merge([A, B])).to_pylist()
    assert [(row["concept"], row["rank"], row["file"], row["row"]) for row in rows] == [
        ("x", 1, "b", 9), ("x", 2, "a", 7), ("y", 1, "b", 3),
    ]  # fmt: skip
