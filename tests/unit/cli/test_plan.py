"""`fit plan` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fit import cli
from fit.stages import planning


@pytest.fixture(autouse=True)
def few_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fit.threshold.planning._POWER_RUNS", 40)
    monkeypatch.setattr("fit.threshold.planning._WIDTH_RUNS", 3)


def write_pilot(path: Path, **more: object) -> Path:
    rng = np.random.default_rng(1)
    lines = ["concept,frequency,score,score_se,images,passed"]
    for i in range(60):
        frequency = round(10 ** rng.uniform(0, 4))
        score = 0.1 + 0.4 / (1 + np.exp(-3 * (np.log10(1 + frequency) - 2))) + rng.normal(0, 0.05)
        lines.append(f"c{i},{frequency},{score:.4f},0.02,20,0")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_plan_is_a_table_of_rises(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["plan", "--concepts", "60", "--images", "20"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("60 concepts, 20 images of each")
    assert "found in" in out
    assert len([line for line in out.splitlines() if "%" in line]) >= 4


def test_a_pilot_gives_noise_and_says_where_images_should_go(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pilot = write_pilot(tmp_path / "pilot.csv")
    arguments = [
        "plan",
        "--concepts",
        "60",
        "--images",
        "20",
        "--pilot",
        str(pilot),
        "--extra",
        "100",
        "--json",
    ]
    assert cli.run(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["noise"]["source"] == str(pilot)
    # score_se * sqrt(images) = 0.02 * sqrt(20)
    assert found["noise"]["image"] == pytest.approx(0.02 * 20**0.5)
    powers = [row["power"] for row in found["prospects"]]
    assert powers == sorted(powers)
    assert sum(number for _, number in found["next_images"]["concepts"]) == 100


def test_extra_images_need_a_pilot(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["plan", "--concepts", "60", "--images", "20", "--extra", "5"]) == 2
    assert "--pilot" in capsys.readouterr().err


def test_a_pilot_of_a_run_without_a_curve_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.toml").write_text("")
    assert cli.run(["plan", "--concepts", "60", "--images", "20", "--pilot", str(tmp_path)]) in (10, 15, 20)
    assert capsys.readouterr().err.count("\n") == 1


def test_frequencies_of_a_plan_are_spread_like_the_pilots(tmp_path: Path) -> None:
    curve = planning.read_curve(write_pilot(tmp_path / "pilot.csv"))
    spread = planning._spread(curve, 600)
    for share in (0.1, 0.5, 0.9):
        assert np.quantile(spread, share) == pytest.approx(np.quantile(curve.frequency, share), rel=0.15)
