"""Hyperscan, DuckDB alone, a process pool and a Ray cluster count what the definition counts."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from concepts.concept import Concept
from corpus.automaton import Automaton
from corpus.captions import CaptionCounter, CaptionQuery
from corpus.counts import merge
from corpus.executors import Done, make_executor
from corpus.shards import find_shards
from corpus.word_join import WordJoin
from tests.property import nasty
from tests.spec import reference_counter

NAMES = (
    ("Claude Monet", "Monet"),
    ("Jan van der Heyden",),
    ("J. R. R. Tolkien", "JRR Tolkien"),
    ("Édouard Manet",),
    ("Georgia O'Keeffe",),
    ("葛飾北斎", "Hokusai"),
    ("김환기",),
    ("Toulouse-Lautrec",),
)


def spelt(rng: random.Random, name: str) -> str:
    """A name in one of many ways to write it, right or nearly so."""
    name = rng.choice((str, str.upper, str.lower, str.casefold, str.title))(name)
    separators = rng.choice((" ", " ", "  ", "-", " – ", ".", "\u00a0", "_ ", "\n", "", " x "))
    name = separators.join(name.split(" "))
    if rng.random() < 0.3:
        name = name.translate(str.maketrans("aeo'", "áëõ’"))
    return rng.choice(("", "by ", "é", "x", "(", "#")) + name + rng.choice(("", "'s", ",", "é", "s", " 日本"))


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Six shards of captions with names, near-misses and nasty text."""
    rng, folder = random.Random(11), tmp_path_factory.mktemp("shards")
    phrases = [phrase for aliases in NAMES for phrase in aliases]
    pieces = (*nasty.LETTERS, *nasty.MARKS, *nasty.SEPARATORS, *nasty.APOSTROPHES, *nasty.OTHERS)
    captions: list[str] = []
    for number in range(6):
        rows = []
        for _ in range(80):
            parts = [spelt(rng, rng.choice(phrases)) for _ in range(rng.randint(0, 2))]
            noise = ["".join(rng.choices(pieces, k=rng.randint(0, 9))) for _ in range(len(parts) + 1)]
            rows.append(
                " ".join(noise[:1] + [each for pair in zip(parts, noise[1:], strict=True) for each in pair])
            )
        pq.write_table(pa.table({"TEXT": rows, "URL": rows}), folder / f"{number}.parquet")
        captions += rows
    return folder, captions


@pytest.fixture(scope="module")
def expected(shards: tuple[Path, list[str]]) -> list[int]:
    counts = [reference_counter.count(list(shards[1]), list(aliases)) for aliases in NAMES]
    assert min(counts) > 3  # a comparison of zeros would show nothing
    return counts


CONCEPTS = tuple(Concept(aliases[0], aliases[1:]) for aliases in NAMES)


@pytest.mark.parametrize(("finder", "workers"), [(Automaton, 1), (Automaton, 2), (WordJoin, 2)])
def test_every_engine_counts_the_same(
    shards: tuple[Path, list[str]], expected: list[int], finder: type, workers: int
) -> None:
    counter = CaptionCounter(CaptionQuery(CONCEPTS, seed=3, sample=7), finder)
    with make_executor("local", workers) as executor:
        outcomes = list(executor.map(counter, find_shards(shards[0])))
    tables = [each.result for each in outcomes if isinstance(each, Done)]
    counts = merge(tables, counter.query.names)
    assert counts.caption_counts.tolist() == expected
    alone = CaptionCounter(CaptionQuery(CONCEPTS, seed=3, sample=7), Automaton)
    reference = merge([alone.count(shard) for shard in find_shards(shards[0])], counter.query.names)
    assert counts.samples.equals(reference.samples)
    assert counts.table().equals(reference.table())


def test_the_command_on_a_cluster(
    shards: tuple[Path, list[str]], expected: list[int], tmp_path: Path
) -> None:
    from fit import cli

    concepts, out = tmp_path / "names.csv", tmp_path / "counts.csv"
    with concepts.open("w", newline="") as file:
        csv.writer(file).writerows([("concept", "aliases"), *((a[0], "|".join(a[1:])) for a in NAMES)])
    arguments = ["count", "--captions", str(shards[0]), "--concepts", str(concepts), "--out", str(out)]
    assert cli.run([*arguments, "--engine", "ray", "--workers", "2"]) == 0
    with out.open() as file:
        assert [int(row["caption_count"]) for row in csv.DictReader(file)] == expected
