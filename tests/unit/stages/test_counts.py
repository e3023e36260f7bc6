"""Stage `counts`: as the plain counter counts; conditions cannot reach out of their brackets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from concepts.errors import SettingsError, StageIncomplete
from corpus.registry import load_corpus
from fit.stages import counts
from tests.spec.reference_counter import count
from tests.unit.corpus.files import write_shard
from tests.unit.stages.job import LISTED, job_of, leave_concepts, skipped

CAPTIONS: list[str | None] = [
    "a house by Ada Lume",
    "ADA-LUME, oil",
    "lumeda: a boat",
    "Bo Krin and Ada Lume",
    "Bokrin's mug",
    None,
    "",
    "nobody",
]
SAFE = [0.1, 0.2, 0.9, 0.3, 0.1, 0.1, 0.1, 0.1]
WIDTH = [10, 20, 30, 40, 50, 60, 70, 80]


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    for number, rows in enumerate((slice(0, 4), slice(4, 8))):
        urls = [f"https://a.example/{row}" for row in range(8)][rows]
        columns = {"URL": urls, "punsafe": SAFE[rows], "WIDTH": WIDTH[rows]}
        write_shard(tmp_path / "shards" / f"{number}.parquet", CAPTIONS[rows], **columns)
    leave_concepts(tmp_path / "run")
    return tmp_path / "shards"


def found(job: counts.Job) -> dict[str, int]:
    table = job.read("counts", "counts")
    return dict(zip(table["concept"].to_pylist(), table["caption_count"].to_pylist(), strict=True))


def test_it_counts_as_the_plain_counter_does(shards: Path, tmp_path: Path) -> None:
    job = job_of(tmp_path / "run", "counts", corpus=str(shards))
    counts.run(job)
    expected = {name: count(CAPTIONS, [name, *aliases]) for name, aliases, _ in LISTED}
    assert found(job) == expected == {"Ada Lume": 4, "Bo Krin": 1, "Cy Voss": 0}
    samples = job.read("counts", "samples")
    assert sorted(samples["caption"].to_pylist()) == sorted([*CAPTIONS[:4], CAPTIONS[3]])
    tally = job.read_json("counts", "tally")
    assert (tally["rows"], tally["named"], tally["null"], tally["empty"]) == (8, 4, 1, 1)
    assert skipped(job) == [
        ("", "1 rows", "left out of the count: null captions"),
        ("", "1 rows", "left out of the count: empty captions"),
    ]
    assert counts.work(job)[0].startswith("8 captions in 2 shards")


def test_a_finished_part_is_not_counted_again(shards: Path, tmp_path: Path) -> None:
    job = job_of(tmp_path / "run", "counts", corpus=str(shards))
    counts.run(job)
    before = {path: path.read_bytes() for path in job.folder.rglob("*.parquet")}
    parts = sorted(job.parts_folder.iterdir())
    kept = {path: path.stat().st_mtime_ns for path in parts[:1]}
    parts[1].unlink()
    counts.run(job)
    assert {path: path.read_bytes() for path in job.folder.rglob("*.parquet")} == before
    assert {path: path.stat().st_mtime_ns for path in parts[:1]} == kept


def test_a_part_whose_bytes_have_flipped_is_removed_and_counted_again(shards: Path, tmp_path: Path) -> None:
    job = job_of(tmp_path / "run", "counts", corpus=str(shards))
    counts.run(job)
    before = {path: path.read_bytes() for path in job.folder.rglob("*.parquet")}
    part = sorted(job.parts_folder.iterdir())[0]
    spoilt = bytearray(part.read_bytes())
    column = pq.read_metadata(part).row_group(0).column(0)
    spoilt[(column.dictionary_page_offset or column.data_page_offset) + column.total_compressed_size - 1] ^= 4
    part.write_bytes(spoilt)
    with pytest.raises(StageIncomplete, match=r"00000\.parquet: damaged .* it was removed"):
        counts.run(job)
    counts.run(job)
    assert {path: path.read_bytes() for path in job.folder.rglob("*.parquet")} == before


def test_another_byte_in_a_shard_is_another_input(shards: Path, tmp_path: Path) -> None:
    job = job_of(tmp_path / "run", "counts", corpus=str(shards))
    before = counts.outside(job)
    assert list(before) == ["shard 0.parquet", "shard 1.parquet"]
    write_shard(shards / "1.parquet", ["Ada Lume"])
    after = counts.outside(job)
    assert [name for name in after if after[name] != before[name]] == ["shard 1.parquet"]


@pytest.mark.parametrize(
    ("corpus_where", "own_where", "expected"),
    [
        ("", "punsafe < 0.5", {"Ada Lume": 3, "Bo Krin": 1, "Cy Voss": 0}),  # the third caption goes
        ("WIDTH < 40", "", {"Ada Lume": 3, "Bo Krin": 0, "Cy Voss": 0}),  # the fourth and all behind
        ("WIDTH < 40", "punsafe < 0.5", {"Ada Lume": 2, "Bo Krin": 0, "Cy Voss": 0}),
        # As text, "(WIDTH < 25) AND (punsafe > 1 OR WIDTH > 0)" and its like need their brackets.
        ("WIDTH < 25", "punsafe > 1 OR WIDTH > 0", {"Ada Lume": 2, "Bo Krin": 0, "Cy Voss": 0}),
        ("WIDTH < 25 -- the small ones", "punsafe < 0.15", {"Ada Lume": 1, "Bo Krin": 0, "Cy Voss": 0}),
    ],
)
def test_both_conditions_hold(
    shards: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    corpus_where: str,
    own_where: str,
    expected: dict[str, int],
) -> None:
    row = replace(load_corpus(str(shards)), where=corpus_where)  # only rows of the registry bring one
    monkeypatch.setattr(counts, "corpus_of", lambda settings: row)
    job = job_of(tmp_path / "run", "counts", f"counts.where={own_where}", corpus=str(shards))
    counts.run(job)
    assert found(job) == expected
    excluded = job.read_json("counts", "tally")["excluded"]
    assert (f"{excluded:,} rows", "left out of the count: the condition") in [
        each[1:] for each in skipped(job)
    ]


def test_a_condition_cannot_leave_its_brackets(
    shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = replace(load_corpus(str(shards)), where="WIDTH < 25")
    monkeypatch.setattr(counts, "corpus_of", lambda settings: row)
    # Put between brackets as text this would be "(WIDTH < 25) AND (1=1) OR (1=1)": every row.
    job = job_of(tmp_path / "run", "counts", "counts.where=1=1) OR (1=1", corpus=str(shards))
    with pytest.raises(SettingsError, match="where"):
        counts.run(job)


def test_counts_by_concept() -> None:
    table = pa.table({"concept": ["a", "b"], "caption_count": [3, 0], "distinct_url_count": [2, None]})
    assert counts.counts_by_concept(table) == {"a": (3, 2), "b": (0, None)}
