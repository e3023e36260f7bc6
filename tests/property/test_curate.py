"""Curation plans on random corpora: what holds afterwards when the slow counter counts again.

What holds, precisely: how many rows go of each set of concepts above their limits depends on the captions
alone, not on their order nor on how they are cut into files. Which rows go is independent of both as well
when the best by a column are kept and no two values are equal; at random it depends on the seed and on each
row's file and number beside the captions.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from fit.sections import Execution
from fit.stages.count_files import Captions
from fit.stages.curate_files import Asked, curate
from fit.stages.curation_apply import apply_plan
from tests.spec import reference_counter

CATALOGUE = {"Ada Brush": ["AB"], "Bo Krin": [], "Jan Bo": [], "Jan Bo Krin": []}
PIECES = [
    "Ada Brush",
    "ada-brush",
    "A\u0301da  BRUSH",
    "AB",
    "Bo Krin",
    "bo_krin",
    "Jan",
    "Bo",
    "Krin",
    "Jan Bo",
]
CAPTION = st.lists(st.sampled_from([*PIECES, "Adabrush", "a", ",", "tree"]), max_size=4).map(" ".join)
CAPTIONS = st.lists(st.none() | CAPTION, max_size=25)
LIMIT = st.integers(0, 5)
DOMAIN = "gone.example"


def named(caption: str | None) -> frozenset[str]:
    found = ((name, [name, *aliases]) for name, aliases in CATALOGUE.items())
    return frozenset(name for name, phrases in found if reference_counter.count([caption], phrases))


def totals(captions: list[str | None]) -> Counter[str]:
    return Counter(name for caption in captions for name in named(caption))


class Corpus:
    """Rows as (number, caption) in files, numbered over all files before they are dealt out."""

    def __init__(self, home: Path, files: list[list[tuple[int, str | None]]], opted_out: set[int]) -> None:
        self.home, self.files = home, files
        (home / "shards").mkdir(parents=True)
        for number, rows in enumerate(files):
            hosts = [DOMAIN if i in opted_out else "kept.example" for i, _ in rows]
            table = {
                "TEXT": pa.array([caption for _, caption in rows], pa.string()),
                "URL": pa.array(
                    [f"http://{host}/{i}" for host, (i, _) in zip(hosts, rows, strict=True)], pa.string()
                ),
                "value": pa.array([i * 7919 % 1009 for i, _ in rows], pa.int64()),
                "number": pa.array([i for i, _ in rows], pa.int64()),
            }
            pq.write_table(pa.table(table), home / "shards" / f"{number}.parquet", row_group_size=3)
        lines = [f"{name},{'|'.join(aliases)}" for name, aliases in CATALOGUE.items()]
        (home / "concepts.csv").write_text("\n".join(["concept,aliases", *lines]) + "\n")
        (home / "out.csv").write_text(f"kind,value\ndomain,{DOMAIN}\n")

    def dropped(self, limit: int, *, keep_best: str = "", seed: int = 0) -> set[int]:
        """Plan; return the numbers of the rows that go."""
        captions = Captions(str(self.home / "shards"))
        asked = Asked(
            captions, self.home / "concepts.csv", str(limit), keep_best, self.home / "out.csv", seed=seed
        )
        curate(asked, self.home / "plan.parquet", self.home / "work", Execution())
        plan = pq.read_table(self.home / "plan.parquet", columns=["file", "row"]).to_pylist()
        places = [(int(row["file"].removesuffix(".parquet")), row["row"]) for row in plan]
        assert places == sorted(set(places))
        return {self.files[file][row][0] for file, row in places}

    def left(self) -> list[tuple[int, str | None]]:
        """Apply the plan; return the rows that stay."""
        out = self.home / "filtered"
        apply_plan(self.home / "plan.parquet", Captions(str(self.home / "shards")), out, Execution())
        tables = [pq.read_table(out / f"{number}.parquet") for number in range(len(self.files))]
        return [(row["number"], row["TEXT"]) for table in tables for row in table.to_pylist()]


def cut(captions: list[str | None], order: list[int], at: int) -> list[list[tuple[int, str | None]]]:
    rows = [(i, captions[i]) for i in order]
    return [rows[:at], rows[at:]]


@settings(max_examples=15, deadline=None)
@given(CAPTIONS, LIMIT, st.integers(0, 25), st.sets(st.integers(0, 24), max_size=5))
def test_nobody_is_above_the_limit_afterwards_and_nothing_goes_without_a_reason(
    captions: list[str | None], limit: int, at: int, opted_out: set[int]
) -> None:
    opted_out &= set(range(len(captions)))
    with tempfile.TemporaryDirectory() as folder:
        corpus = Corpus(Path(folder), cut(captions, list(range(len(captions))), at), opted_out)
        gone = corpus.dropped(limit)
        left = corpus.left()
    assert left == [(i, caption) for i, caption in enumerate(captions) if i not in gone]
    after = totals([caption for _, caption in left])
    assert all(number <= limit for number in after.values())
    assert opted_out <= gone
    held = totals([caption for i, caption in enumerate(captions) if i not in opted_out])
    for i in gone - opted_out:
        assert any(held[name] > limit for name in named(captions[i]))
        # None is superfluous: with it back, some concept would be above the limit.
        assert any(after[name] == limit for name in named(captions[i]))


@settings(max_examples=8, deadline=None)
@given(CAPTIONS)
def test_a_limit_of_zero_drops_every_row_that_names_a_concept_and_no_other(
    captions: list[str | None],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        gone = Corpus(Path(folder), cut(captions, list(range(len(captions))), 10), set()).dropped(0)
    assert gone == {i for i, caption in enumerate(captions) if named(caption)}


@settings(max_examples=8, deadline=None)
@given(CAPTIONS, LIMIT, st.integers(0, 25), st.randoms(use_true_random=False))
def test_order_and_files_change_neither_how_many_go_nor_which_are_the_best(
    captions: list[str | None], limit: int, at: int, random: object
) -> None:
    order = list(range(len(captions)))
    random.shuffle(order)  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory() as folder:
        one = Corpus(Path(folder) / "one", cut(captions, sorted(order), len(order)), set())
        other = Corpus(Path(folder) / "other", cut(captions, order, at), set())
        assert one.dropped(limit, keep_best="value") == other.dropped(limit, keep_best="value")
        drawn = [one.dropped(limit, seed=1), other.dropped(limit, seed=2)]
    held = totals(captions)
    above = [
        Counter(frozenset(n for n in named(captions[i]) if held[n] > limit) for i in gone) for gone in drawn
    ]
    assert above[0] == above[1]
