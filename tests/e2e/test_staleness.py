"""A change makes exactly the stages stale that depend on it, and the status says why."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from concepts.errors import RunFolderError, StageIncomplete
from fit import execute
from fit.run import folder
from tests.e2e.fakes import first, second, table


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    place = tmp_path / "corpus"
    place.mkdir()
    (place / "source.txt").write_text("brush")
    return place


@pytest.fixture
def run(tmp_path: Path, corpus: Path) -> Path:
    place = tmp_path / "run"
    assert table.bring(place, corpus) == ["first", "second", "third"]
    return place


def reasons(run: Path, *assignments: str, deep: bool = False) -> dict[str, str]:
    states = execute.status(folder.load(run, assignments), table.STAGES, deep=deep)
    return {state.stage: state.sentence for state in states}


def test_a_finished_run_is_current_and_computes_nothing(run: Path, corpus: Path) -> None:
    assert reasons(run) == {"first": "current", "second": "current", "third": "current"}
    assert table.bring(run, corpus) == []


def test_nothing_is_computed_yet(tmp_path: Path, corpus: Path) -> None:
    planned = folder.plan(tmp_path / "new", table.settings(corpus), ())
    states = execute.status(planned, table.STAGES)
    assert [state.sentence for state in states] == ["not computed yet", "waits for first", "waits for second"]
    assert not (tmp_path / "new").exists()


def test_a_setting_makes_its_stage_stale_and_those_behind_it_wait(run: Path, corpus: Path) -> None:
    assert reasons(run, "threshold.level=0.9") == {
        "first": "current",
        "second": "setting threshold.level changed from 0.95 to 0.9",
        "third": "waits for second",
    }
    assert table.bring(run, corpus, "threshold.level=0.9") == ["second", "third"]


def test_a_setting_of_the_last_stage_leaves_the_others(run: Path, corpus: Path) -> None:
    assert table.bring(run, corpus, "report.strips=3") == ["third"]


def test_a_setting_that_no_stage_names_changes_nothing(run: Path, corpus: Path) -> None:
    assert table.bring(run, corpus, "generation.steps=7") == []


def test_settings_of_a_run_are_kept_until_they_are_changed(run: Path, corpus: Path) -> None:
    table.bring(run, corpus, "report.strips=3")
    assert table.bring(run, corpus) == []
    assert folder.load(run).settings.report.strips == 3


def test_an_input_from_outside(run: Path, corpus: Path) -> None:
    (corpus / "source.txt").write_text("pencil")
    assert reasons(run)["first"] == "input source.txt changed"


def test_equal_results_make_nobody_stale(run: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first, "VERSION", 2)
    assert reasons(run)["first"] == "stage version 1 -> 2"
    assert table.bring(run, corpus) == ["first"]


def test_other_results_make_the_next_stage_stale(run: Path, corpus: Path) -> None:
    (corpus / "source.txt").write_text("pencil")
    # The second stage's own result, the number of rows, stays the same: the third is left alone.
    assert table.bring(run, corpus) == ["first", "second"]


def test_the_reason_names_the_stage_computed_again(run: Path, corpus: Path) -> None:
    (corpus / "source.txt").write_text("pencil")
    execute.bring_up_to_date(folder.load(run), table.STAGES[:1], table.STAGES)
    assert reasons(run)["second"] == "first was computed again"


def test_a_missing_output(run: Path, corpus: Path) -> None:
    whole = (run / "second" / "table-4.parquet").read_bytes()
    (run / "second" / "table-4.parquet").unlink()
    assert reasons(run)["second"] == "output table-4.parquet is missing"
    assert table.bring(run, corpus) == ["second"]
    assert (run / "second" / "table-4.parquet").read_bytes() == whole


def test_a_flipped_byte_in_a_part_costs_that_part_alone(
    run: Path, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = run / "first" / "parts" / "004.parquet"
    whole = part.read_bytes()
    part.write_bytes(whole[:40] + bytes([whole[40] ^ 1]) + whole[41:])
    assert reasons(run)["first"] == "current"  # the quick look does not read the bytes
    assert reasons(run, deep=True)["first"] == "output parts/004.parquet was changed"
    monkeypatch.setenv("FAKE_LOG", str(tmp_path / "log"))
    assert table.bring(run, corpus) == ["first"]
    assert (tmp_path / "log").read_text() == "first 4\n"
    assert part.read_bytes() == whole


def test_a_stage_that_is_computed_again_has_no_receipt_meanwhile(
    run: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(job: object) -> None:
        raise KeyboardInterrupt

    (run / "first" / "parts" / "004.parquet").unlink()
    monkeypatch.setattr(first, "run", interrupt)
    with pytest.raises(KeyboardInterrupt):
        table.bring(run, corpus)
    assert not (run / "first" / "receipt.json").exists()
    assert reasons(run)["first"] == "not finished, 9 parts are kept"


def test_a_flipped_byte_in_a_receipt(run: Path, corpus: Path) -> None:
    receipt = run / "second" / "receipt.json"
    whole = receipt.read_bytes()
    receipt.write_bytes(whole.replace(b"0.95", b"0.96"))
    assert reasons(run)["second"] == "receipt.json is damaged"
    assert table.bring(run, corpus) == ["second"]
    assert receipt.read_bytes() == whole


def test_a_truncated_part_of_an_unfinished_stage_is_computed_again(
    run: Path, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    part = run / "first" / "parts" / "002.parquet"
    whole = part.read_bytes()
    (run / "first" / "receipt.json").unlink()
    part.write_bytes(whole[:100])
    assert reasons(run)["first"] == "not finished, 10 parts are kept"
    table.bring(run, corpus)
    assert "part 002 was damaged" in capsys.readouterr().err
    assert part.read_bytes() == whole


def test_what_was_left_out_is_brought_together(run: Path) -> None:
    rows = pq.read_table(run / "skipped.parquet").to_pylist()
    # The first stage skips items 0, 3, 6 and 9, the second skips one, the third none.
    assert [row["stage"] for row in rows] == ["first"] * 4 + ["second"]
    assert rows[1] == {"stage": "first", "concept": "concept 3", "item": "row 7", "reason": "does not count"}


def test_skipped_is_there_when_a_run_died_just_before_it(run: Path, corpus: Path) -> None:
    whole = (run / "skipped.parquet").read_bytes()
    (run / "skipped.parquet").unlink()
    assert table.bring(run, corpus) == []
    assert (run / "skipped.parquet").read_bytes() == whole


def test_a_stage_reads_only_the_stages_that_its_row_names(run: Path) -> None:
    job = table.STAGES[2].job(folder.load(run))
    with pytest.raises(ValueError, match="stage third reads first"):
        job.read_parts("first")


def test_a_disk_fault_is_one_line(run: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(job: object) -> None:
        raise OSError(28, "No space left on device", "table.parquet")

    monkeypatch.setattr(second, "run", full)
    with pytest.raises(StageIncomplete, match=r"^second: No space left on device"):
        table.bring(run, corpus, "threshold.level=0.9")


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path, corpus: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_text("dear")
    with pytest.raises(RunFolderError, match="no run folder"):
        table.bring(tmp_path / "home", corpus)
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("name", ["domain", "concepts", "model", "corpus"])
def test_another_run_is_refused(run: Path, corpus: Path, name: str) -> None:
    other = table.settings(corpus).model_copy(update={name: "other"})
    with pytest.raises(RunFolderError, match=f"a run of {name} .*, not other; choose another --run"):
        folder.plan(run, other, (name,))


def test_another_seed_is_refused_however_it_is_asked_for(run: Path, corpus: Path) -> None:
    with pytest.raises(RunFolderError, match="a run of seed 0, not 5"):
        folder.plan(run, table.settings(corpus, seed=5), ("seed",))
    with pytest.raises(RunFolderError, match="a run of seed 0, not 5"):
        folder.load(run, ("seed=5",))


def test_a_newer_format_is_refused(run: Path) -> None:
    history = run / "run.json"
    history.write_text(history.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(RunFolderError, match="format 2, this fit reads 1; update fit"):
        folder.load(run)
