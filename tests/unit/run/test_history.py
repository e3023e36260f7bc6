"""run.json tells with what a run was computed, and nothing secret."""

from __future__ import annotations

from pathlib import Path

import pytest

import fit
from fit.run import history


def test_an_invocation_is_there_from_its_first_stage_on(tmp_path: Path) -> None:
    history.begin(tmp_path)
    assert history.invocations(tmp_path) == []
    record = history.Record(tmp_path, seed=5)
    record.begin("concepts")
    (row,) = history.invocations(tmp_path)
    assert (row["seed"], row["version"], row["ended"], row["seconds"]) == (
        5,
        fit.__version__,
        None,
        {"concepts": None},
    )
    record.end("concepts")
    record.begin("counts")
    record.end("counts")
    (row,) = history.invocations(tmp_path)
    assert list(row["seconds"]) == ["concepts", "counts"]
    assert row["seconds"]["counts"] >= 0
    assert row["ended"] >= row["started"]
    assert row["packages"]["numpy"]
    history.Record(tmp_path, seed=5).begin("scores")
    assert len(history.invocations(tmp_path)) == 2


def test_no_secret_of_the_environment_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_planted")
    history.Record(tmp_path, seed=0).begin("concepts")
    assert "hf_planted" not in (tmp_path / "run.json").read_text()


@pytest.mark.parametrize(
    "content", ["", "[]", '{"invocations": 3}', pytest.param("[" * 100_000, id="nested without end")]
)
def test_a_damaged_history_is_an_empty_one(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content)
    assert history.invocations(tmp_path) == []
    assert history.format_of(tmp_path) == history.FORMAT
