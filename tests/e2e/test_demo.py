"""The README's first command, as far as the runner answers for it. Minutes: one demo run for all tests."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from fit.pipeline import STAGES
from tests.conftest import demo_command, fit

pytestmark = pytest.mark.demo


def test_every_stage_leaves_a_receipt(demo_run: Path) -> None:
    for stage in STAGES:
        receipt = json.loads((demo_run / stage.name / "receipt.json").read_text())
        assert receipt["outputs"]
        assert set(stage.needs) <= set(receipt["inputs"])
    assert (demo_run / "skipped.parquet").is_file()


def test_a_second_run_says_that_everything_is_current(demo_run: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in demo_run.rglob("*") if path.is_file()}
    done = fit(*demo_command(), "--run", str(demo_run))
    assert done.code == 0
    assert f"everything is current in {demo_run}" in done.err
    assert {path: path.stat().st_mtime_ns for path in demo_run.rglob("*") if path.is_file()} == before


def test_stdout_is_the_answer_and_the_report(demo_run: Path) -> None:
    answer, report = fit(*demo_command(), "--run", str(demo_run)).out.splitlines()
    assert answer.endswith(".")
    assert Path(report.removeprefix("report: ")).is_file()


def test_json_is_the_contracts_object(demo_run: Path) -> None:
    found = json.loads(fit(*demo_command(), "--run", str(demo_run), "--json").out)
    promised = (
        "status reason shape threshold interval level transition safe_below censored p_value baseline "
        "ceiling rate_threshold groups n_concepts method fit_version"
    )
    assert set(promised.split()) <= set(found)
    assert found == json.loads((demo_run / "threshold" / "threshold.json").read_text())


def test_the_report_alone_is_made_again(demo_run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(demo_run, copy)
    (copy / "report" / "report.html").unlink()
    stale = json.loads(fit("status", str(copy), "--json").out)["stages"][-1]
    assert stale["reasons"] == ["output report.html is missing"]
    assert fit("report", str(copy)).code == 0
    assert (copy / "report" / "report.html").read_bytes() == (
        demo_run / "report" / "report.html"
    ).read_bytes()


def test_a_dry_run_says_the_work_and_writes_nothing(tmp_path: Path) -> None:
    done = fit(*demo_command(), "--run", str(tmp_path / "new"), "--dry-run")
    assert done.code == 0
    assert [line.split(":")[0] for line in done.out.splitlines() if not line.startswith(" ")] == [
        stage.name for stage in STAGES
    ]
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(("option", "value"), [("--seed", "1"), ("--domain", "faces")])
def test_another_run_is_refused(demo_run: Path, option: str, value: str) -> None:
    done = fit(*demo_command(), "--run", str(demo_run), option, value)
    assert done.code == 15
    assert done.err.count("\n") == 1
    assert "choose another --run" in done.err
