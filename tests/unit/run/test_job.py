"""What a stage reads and writes."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from concepts.errors import StageIncomplete
from fit.config import Settings
from fit.run import Job, Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path, Settings(domain="d", concepts="c", model="m", corpus="x", seed=9))


@pytest.fixture
def counts(run: Run) -> Job:
    return Job(run, "counts", ())


@pytest.fixture
def scores(run: Run) -> Job:
    return Job(run, "scores", ("counts",))


def test_a_stage_reads_what_another_wrote(counts: Job, scores: Job) -> None:
    table = pa.table({"n": [1, 2]})
    assert not scores.has("counts", "counts")
    counts.write("counts", table, {"unit": "captions"})
    counts.write_json("tally", {"rows": 2})
    counts.write_bytes("images/a.bin", b"\x00")
    assert scores.has("counts", "counts")
    assert scores.read("counts", "counts").to_pydict() == table.to_pydict()
    assert scores.read_json("counts", "tally") == {"rows": 2}
    assert scores.path("counts", "images/a.bin").read_bytes() == b"\x00"
    assert scores.seed == 9


def test_parts_come_in_the_order_of_their_names(counts: Job, scores: Job) -> None:
    for name in ("b", "a", "c"):
        counts.write_part(name, pa.table({"part": [name]}))
    assert counts.part_names() == ("a", "b", "c")
    assert scores.read_parts("counts")["part"].to_pylist() == ["a", "b", "c"]
    assert [part["part"][0].as_py() for part in scores.parts("counts")] == ["a", "b", "c"]
    assert counts.has_part("a")
    assert not counts.has_part("d")


def test_no_parts_is_a_situation(counts: Job) -> None:
    with pytest.raises(StageIncomplete, match="counts: has no parts"):
        counts.read_parts()


def test_a_missing_result_names_the_stage_to_run(scores: Job) -> None:
    with pytest.raises(
        StageIncomplete, match=r"counts/counts\.parquet: not there; run fit estimate --until counts"
    ):
        scores.read("counts", "counts")


@pytest.mark.parametrize("damage", [b"PAR1", b"", b"x" * 100])
def test_a_damaged_result_is_put_out_of_the_way(counts: Job, scores: Job, damage: bytes) -> None:
    counts.write("counts", pa.table({"n": [1]}))
    (counts.folder / "counts.parquet").write_bytes(damage)
    with pytest.raises(StageIncomplete, match="was removed, run the same command again"):
        scores.read("counts", "counts")
    assert not scores.has("counts", "counts")


def test_what_is_left_out(counts: Job) -> None:
    counts.skip("Monet", "row 3", "no image")
    counts.write_skipped()
    rows = pq.read_table(counts.folder / "skipped.parquet").to_pylist()
    assert rows == [{"stage": "counts", "concept": "Monet", "item": "row 3", "reason": "no image"}]


def test_nothing_left_out_is_an_empty_table(counts: Job) -> None:
    counts.write_skipped()
    table = pq.read_table(counts.folder / "skipped.parquet")
    assert (table.num_rows, table.column_names) == (0, ["stage", "concept", "item", "reason"])


def test_progress_is_quiet_where_nobody_looks(counts: Job, capsys: pytest.CaptureFixture[str]) -> None:
    with counts.progress(2, "files") as bar:
        bar.advance()
        bar.advance(1)
    assert capsys.readouterr() == ("", "")
