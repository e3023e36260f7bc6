"""The caption engine, from Parquet files to counts, equals the definition in any order of files."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from concepts.concept import Concept
from corpus.automaton import Automaton
from corpus.captions import CaptionCounter, CaptionQuery
from corpus.counts import merge
from corpus.shards import open_shard
from corpus.word_join import WordJoin
from tests.property import nasty
from tests.spec import reference_counter

Case = tuple[list[list[str]], list[str | None]]
SCHEMA = pa.schema({"TEXT": pa.string(), "URL": pa.string()})


def count(case: Case, groups: list[list[int]], sample: int = 400, finder: type = Automaton) -> list[pa.Table]:
    """Count each group of rows as a file of its own; two neighbouring captions share a URL."""
    catalogue, captions = case
    concepts = tuple(Concept(aliases[0], tuple(aliases[1:])) for aliases in catalogue)
    counter = CaptionCounter(CaptionQuery(concepts, seed=1, sample=sample), finder)
    parts = []
    with tempfile.TemporaryDirectory() as folder:
        for number, rows in enumerate(groups):
            path = Path(folder) / f"{number}.parquet"
            table = {"TEXT": [captions[row] for row in rows], "URL": [f"u{row // 2}" for row in rows]}
            pq.write_table(pa.table(table, schema=SCHEMA), path)
            parts.append(counter.count(open_shard(path)))
    return parts


@settings(max_examples=150, deadline=None)
@given(nasty.catalogues_and_captions())
def test_engine_equals_the_definition(case: Case) -> None:
    catalogue, captions = case
    (part,) = count(case, [list(range(len(captions)))])
    counts = merge([part], [aliases[0] for aliases in catalogue])
    assert counts.caption_counts.tolist() == [reference_counter.count(captions, each) for each in catalogue]
    named = [
        {row for row, caption in enumerate(captions) if reference_counter.count([caption], aliases)}
        for aliases in catalogue
    ]
    sampled: list[set[int]] = [set() for _ in catalogue]
    for place, rows in zip(part["position"].to_pylist(), part["sample"].to_pylist(), strict=True):
        sampled[place] = {row["row"] for row in rows}
    assert sampled == named
    assert counts.distinct_url_counts is not None
    assert counts.distinct_url_counts.tolist() == [len({row // 2 for row in rows}) for rows in named]
    assert counts.tally.named == len(set().union(*named))
    assert counts.tally.null == captions.count(None)
    assert counts.tally.empty == captions.count("")


@settings(max_examples=60, deadline=None)
@given(nasty.catalogues_and_captions())
def test_duckdb_alone_gives_the_same(case: Case) -> None:
    rows = [list(range(len(case[1])))]
    assert count(case, rows, finder=WordJoin)[0].equals(count(case, rows)[0])


@settings(max_examples=20, deadline=None)
@given(nasty.catalogues_and_captions(), st.integers(1, 11), st.integers(0, 3))
def test_files_add_up_in_any_order(case: Case, cut: int, sample: int) -> None:
    catalogue, captions = case
    assume(len({aliases[0] for aliases in catalogue}) == len(catalogue))  # as in every list
    rows = list(range(len(captions)))
    first, second, empty = count(case, [rows[:cut], rows[cut:], []], sample)
    names = [aliases[0] for aliases in catalogue]
    forward, backward = merge([first, second, empty], names), merge([empty, second, first], names)
    assert forward.samples.equals(backward.samples)
    assert forward.tally == backward.tally
    for merged in (forward, backward):
        expected = [reference_counter.count(captions, each) for each in catalogue]
        assert merged.caption_counts.tolist() == expected
        names = merged.samples["concept"].to_pylist()
        assert [names.count(name) for name in merged.concepts] == [min(sample, n) for n in expected]
        assert merged.distinct_url_counts is not None
        assert (merged.distinct_url_counts <= merged.caption_counts).all()
    assert forward.table().equals(backward.table())
