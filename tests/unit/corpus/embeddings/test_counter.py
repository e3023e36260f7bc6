"""Counting one file: hand arithmetic, planted rows, addresses, captions, ties."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from concepts.errors import CorpusError
from corpus.captions import NamingRow
from corpus.embeddings import counter as counter_module
from corpus.embeddings.counter import NamedRows
from corpus.found import url_hash
from tests.spec import reference_embeddings as definition
from tests.unit.corpus.embeddings.layouts import (
    count,
    counter,
    lists,
    references,
    texts,
    write_npy,
    write_parquet,
)

# Cosines with the x axis: 1, 0.8, 0.6, 0, -1, and 0.6 at ten times the length.
ROWS = np.array([[1, 0], [4, 3], [3, 4], [0, 1], [-1, 0], [30, 40]], np.float16)


def test_cosines_by_hand(tmp_path: Path) -> None:
    write_npy(tmp_path, "0", ROWS)
    of = references(x=[[2, 0]], y=[[0, 5]], both=[[2, 0], [0, 5]])
    # x: 1, .8, .6, 0, -1, .6; y: 0, .6, .8, 1, 0, .8; both: the larger of the two.
    found = count(counter(of, 0.6, top=2), tmp_path)
    assert found.counts.tolist() == [4, 4, 5]
    assert (found.url_hashes, found.overlap) == (None, None)
    assert [(near.cosine, near.row) for near in found.nearest[0]] == [(1, 0), (np.float32(0.8), 1)]
    assert [(near.cosine, near.row) for near in found.nearest[2]] == [(1, 0), (1, 3)]
    # At the cut, just above a cosine, and below all of them.
    assert count(counter(of, [0.8, 0.9, -1.0 + 1e-6]), tmp_path).counts.tolist() == [2, 1, 6]
    assert count(counter(of, float(np.nextafter(np.float32(0.6), np.float32(1)))), tmp_path).counts[0] == 2


def test_a_copy_of_a_reference_has_cosine_one(tmp_path: Path) -> None:
    row = np.random.default_rng(4).standard_normal((1, 768)).astype(np.float16)
    write_npy(tmp_path, "0", np.concatenate([row, row * np.float16(2), -row]))
    found = count(counter(references(a=row.tolist()), 1.0, top=3), tmp_path)
    assert found.counts.tolist() == [2]
    assert [near.cosine for near in found.nearest[0]] == [1, 1, -1]


def test_planted_rows_are_found(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    of = references(**{f"c{i}": rng.standard_normal((1 + i % 4, 64)).tolist() for i in range(12)})
    rows = rng.standard_normal((5000, 64)).astype(np.float32)
    places = rng.choice(5000, 120, replace=False)
    # At 0.9 of a reference and 0.1 of noise the cosine is far above 0.75; random rows never reach it.
    for number, place in enumerate(places):
        concept = of.units[of.of(number % 12)]
        noise = rows[place] / np.linalg.norm(rows[place])
        rows[place] = 0.9 * concept[number % len(concept)] + 0.1 * noise
    write_npy(tmp_path, "0", rows.astype(np.float16), **texts(5000))
    found = count(counter(of, 0.75, top=10), tmp_path)
    assert found.counts.tolist() == [10] * 12
    planted = [sorted(places[number::12].tolist()) for number in range(12)]
    assert [sorted(near.row for near in each) for each in found.nearest] == planted
    assert found.nearest[0][0].caption == f"picture {found.nearest[0][0].row}"
    assert found.nearest[0][0].url == f"https://example.org/{found.nearest[0][0].row // 2}.jpg"


def test_distinct_addresses(tmp_path: Path) -> None:
    urls: list[str | None] = ["a", "b", "a", None, "", "c"]
    write_npy(tmp_path, "0", ROWS, url=urls)
    found = count(counter(references(x=[[1, 0]], none=[[0, -1]]), 0.5), tmp_path)
    # Rows 0, 1, 2 and 5 show x: a, b, a, c.
    assert found.url_hashes is not None
    assert found.url_hashes[0].tolist() == sorted(url_hash(url) for url in "abc")
    assert found.url_hashes[1].tolist() == []
    found = count(counter(references(all=[[1, 0], [0, 1], [-1, 0]]), 0.5), tmp_path)
    assert (found.counts.tolist(), found.distinct_url_counts) == ([6], [3])


def test_unusable_rows_show_nothing_even_below_every_cut(tmp_path: Path) -> None:
    rows = np.concatenate([ROWS, np.float16([[0, 0], [np.nan, 1], [np.inf, 1]])])
    write_npy(tmp_path, "0", rows)
    found = count(counter(references(x=[[1, 0]]), -0.999999, top=9), tmp_path)
    # All rows but the opposite one, whose cosine is -1.
    assert found.counts.tolist() == [5]
    assert sorted(near.row for near in found.nearest[0]) == [0, 1, 2, 3, 4, 5]
    assert (found.tally.rows, found.tally.zero, found.tally.invalid, found.tally.usable) == (9, 1, 2, 6)


def test_equal_cosines_stand_by_row(tmp_path: Path) -> None:
    # 3,000 equal rows: more than the list of candidates has room for, in several blocks.
    write_npy(tmp_path, "0", np.tile(np.float16([[3, 4]]), (3000, 1)))
    for threads in (1, 2):
        found = count(counter(references(x=[[1, 0]], y=[[0, 1]]), 0.7, top=3, threads=threads), tmp_path)
        assert [(near.cosine, near.row) for near in found.nearest[0]] == [
            (np.float32(0.6), i) for i in range(3)
        ]
        assert found.counts.tolist() == [0, 3000]


def test_fewer_rows_than_are_wanted(tmp_path: Path) -> None:
    write_npy(tmp_path, "0", ROWS[:2])
    found = count(counter(references(x=[[1, 0]]), 0.5, top=7), tmp_path)
    assert [near.row for near in found.nearest[0]] == [0, 1]


def test_a_file_without_rows(tmp_path: Path) -> None:
    write_npy(tmp_path, "0", ROWS[:0], url=[], caption=[])
    named = NamedRows((), np.array([0]))
    found = count(counter(references(x=[[1, 0]], y=[[0, 1]]), 0.5, top=3), tmp_path, named)
    assert found.counts.tolist() == [0, 0]
    assert found.nearest == ((), ())
    assert found.url_hashes is not None
    assert [len(each) for each in found.url_hashes] == [0, 0]
    assert found.overlap is not None
    assert found.overlap.known.tolist() == [True, False]


def test_captions_and_embeddings_held_against_each_other(tmp_path: Path) -> None:
    write_npy(tmp_path, "0", np.concatenate([ROWS, np.float16([[0, 0]])]))
    # Searched for: y, somebody without references, x. Row 6 is zero: no embedding could show anything.
    rows = [
        NamingRow(0, None, (2,)),
        NamingRow(3, None, (0, 1, 2)),
        NamingRow(4, None, (1,)),
        NamingRow(5, None, (0, 2)),
        NamingRow(6, None, (2,)),
    ]
    of = references(x=[[1, 0]], z=[[1, 0]], y=[[0, 1]])
    found = count(counter(of, 0.5), tmp_path, NamedRows(rows, np.array([2, -1, 0])))
    assert found.overlap is not None
    assert found.overlap.known.tolist() == [True, False, True]
    # x is shown by 0, 1, 2, 5 and named by 0, 3, 5; y is shown by 1, 2, 3, 5 and named by 3, 5.
    assert found.overlap.named.tolist() == [3, 0, 2]
    assert found.overlap.shown.tolist() == [4, 4, 4]
    assert found.overlap.both.tolist() == [2, 0, 2]
    assert found.tally.captioned == 7


@pytest.mark.parametrize("fixed", [True, False])
def test_parquet_gives_what_npy_gives(tmp_path: Path, fixed: bool) -> None:
    rows = np.random.default_rng(6).standard_normal((40, 8)).astype(np.float16)
    of = references(a=rows[:2].tolist(), b=rows[5:6].tolist())
    columns = {key: list[str | None](value) for key, value in texts(40).items()}
    write_npy(tmp_path / "npy", "0", rows, **columns)
    write_parquet(tmp_path / "parquet/0.parquet", rows, fixed, **columns)
    one, other = (count(counter(of, 0.3, top=5), tmp_path / kind) for kind in ("npy", "parquet"))
    assert one.counts.tolist() == other.counts.tolist()
    assert [[row._replace(file="") for row in each] for each in one.nearest] == [
        [row._replace(file="") for row in each] for each in other.nearest
    ]
    assert one.distinct_url_counts is not None
    assert other.distinct_url_counts is not None
    assert one.distinct_url_counts.tolist() == other.distinct_url_counts.tolist()


def test_addresses_in_any_kind_of_text_column(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    raw = pa.array([b"a", b"\xff\xfe", b"a", b"b", None, b"c"], pa.binary())
    captions = pa.array(["p", "q", "p", "q", None, "r"]).dictionary_encode()
    table = pa.table({"embedding": lists(ROWS), "URL": raw, "TEXT": captions})
    pq.write_table(table, tmp_path / "0.parquet")
    found = count(counter(references(x=[[1, 0]]), 0.5, top=3), tmp_path)
    # Rows 0, 1, 2, 5.
    assert found.distinct_url_counts == [3]
    assert [(near.url, near.caption) for near in found.nearest[0]] == [("a", "p"), ("��", "q"), ("a", "p")]


def test_a_column_of_addresses_that_holds_numbers(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"embedding": lists(ROWS), "url": list(range(6))}), tmp_path / "0.parquet")
    with pytest.raises(CorpusError, match="the column 'url' cannot be read"):
        count(counter(references(x=[[1, 0]]), 0.5), tmp_path)


def test_cuts_that_let_everything_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counter_module, "MOST_HITS", 500)
    write_npy(tmp_path, "0", np.tile(ROWS, (200, 1)))
    with pytest.raises(CorpusError, match=r"hits in its first 256 rows; the cuts are too low"):
        count(counter(references(x=[[1, 0]], y=[[0, 1]]), 0.5), tmp_path)


def test_cosines_as_the_definition_has_them() -> None:
    rows = np.random.default_rng(7).standard_normal((30, 33)).astype(np.float16)
    others = list(np.random.default_rng(8).standard_normal((4, 33)).astype(np.float32))
    values = [definition.largest_cosine(row, others) for row in rows]
    wide = rows.astype(np.float64) / np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    units = np.array(others, np.float64) / np.linalg.norm(np.float64(others), axis=1, keepdims=True)
    assert values == pytest.approx((wide @ units.T).max(axis=1), abs=1e-7)
