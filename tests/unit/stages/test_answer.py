"""What a command prints of a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from concepts.errors import UsageError
from fit import config
from fit.run import Run, artefacts
from fit.stages import answer


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path, config.Settings(domain="d", concepts="c", model="m", corpus="x"))


def test_the_sentence_and_where_the_report_is(run: Run) -> None:
    artefacts.write_json(run.folder / "report" / "report.json", {"answer": {"sentence": "It is 31."}})
    assert answer.lines(run, "report") == ["It is 31.", f"report: {run.folder / 'report' / 'report.html'}"]


def test_a_run_that_stops_before_says_where_its_results_are(run: Run) -> None:
    assert answer.lines(run, "counts") == [str(run.folder / "counts")]


def test_the_threshold_is_given_as_it_was_written(run: Run) -> None:
    artefacts.write_json(run.folder / "threshold" / "threshold.json", {"threshold": None})
    assert answer.threshold(run) == {"threshold": None}


@pytest.mark.parametrize(
    "stage", ["concepts", "counts", "references", "verification", "generation", "scores"]
)
def test_there_is_no_threshold_before_its_stage(stage: str) -> None:
    with pytest.raises(UsageError, match=f"--json prints the threshold, which comes after {stage}"):
        answer.check_json(stage)


def test_there_is_one_after_it() -> None:
    answer.check_json("threshold")
    answer.check_json("report")
