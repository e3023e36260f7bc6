"""The main job from end to end in the micro world: what it leaves, what stops it, what makes it stale."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from fit.generation.requests import image_seed
from fit.pipeline import STAGES
from fit.run.receipts import RECEIPT, read_receipt
from fit.world.plan import HIT, MISS
from tests.conftest import Finished
from tests.e2e.micro import SETTINGS, Micro, artefacts_of, finished, moments, times

Command = Callable[..., Finished]
NAMES = [stage.name for stage in STAGES]
PROMISED = (
    "status reason shape threshold interval level transition safe_below censored p_value baseline "
    "ceiling rate_threshold groups n_concepts method fit_version"
)


@pytest.fixture
def copy(micro_run: Path, tmp_path: Path) -> Path:
    """A run to work on, as good as the undisturbed one."""
    shutil.copytree(micro_run, tmp_path / "run")
    return tmp_path / "run"


def computed(done: Finished) -> list[str]:
    """The stages that a command says it computes, in order."""
    told = [line.split(":")[0] for line in done.err.splitlines()]
    return [name for name in told if name in NAMES]


# What a run leaves.


def test_every_stage_leaves_a_receipt_and_the_last_a_report(micro_run: Path) -> None:
    for stage in STAGES:
        receipt = read_receipt(micro_run / stage.name)
        assert receipt is not None
        assert receipt.outputs
        assert set(stage.needs) <= set(receipt.plan.inputs)
    assert (micro_run / "report" / "report.html").read_text().startswith("<!doctype html>")
    assert (micro_run / "report" / "report.md").read_text().strip()
    assert set(pq.read_table(micro_run / "skipped.parquet").column_names) == {
        "stage",
        "concept",
        "item",
        "reason",
    }
    assert not (micro_run / "lock").exists()


def test_the_last_lines_are_the_answer_and_the_report(micro: Micro, micro_run: Path) -> None:
    answer, report = (micro.home / "undisturbed.log").read_text().splitlines()[-2:]
    assert answer.endswith(".")
    assert report == f"report: {micro_run / 'report' / 'report.html'}"


def test_captions_are_counted_as_they_were_written(micro: Micro, micro_run: Path) -> None:
    names = [artist.name.name for artist in micro.plan.concepts]
    written = Counter(names[row.concept] for row in micro.plan.rows if row.kind in (HIT, MISS))
    counts = pq.read_table(micro_run / "counts" / "counts.parquet")
    found = dict(zip(*(counts[c].to_pylist() for c in ("concept", "caption_count")), strict=True))
    assert found == {name: written[name] for name in names}


def test_checked_images_are_those_of_the_captions(micro: Micro, micro_run: Path) -> None:
    # Few captions, so every one is sampled, and every one that names an artist has its picture.
    frequencies = pq.read_table(micro_run / "verification" / "frequencies.parquet").to_pylist()
    assert len(frequencies) == len(micro.plan.concepts)
    for row in frequencies:
        assert row["checked"] == row["sampled"] == row["caption_count"]
        assert 0 <= row["frequency_low"] <= row["frequency"] <= row["frequency_high"] <= row["caption_count"]


def test_every_concept_has_its_images_and_a_score(micro: Micro, micro_run: Path) -> None:
    files = sorted((micro_run / "generation" / "parts").glob("*.parquet"))
    parts = [row for file in files for row in pq.read_table(file).to_pylist()]
    asked = Counter((row["arm"], row["concept"]) for row in parts)
    names = [artist.name.name for artist in micro.plan.concepts]
    # Five prompts, one image each, from the model and from its untrained twin.
    assert asked == {(arm, name): 5 for arm in ("model", "control") for name in names}
    for row in parts:
        assert row["seed"] == image_seed(0, row["concept"], row["prompt"], row["image_index"])
    scores = pq.read_table(micro_run / "scores" / "scores.parquet")
    assert set(scores["concept"].to_pylist()) == set(names)
    assert set(scores["images"].to_pylist()) == {5}
    assert all(-1 <= value <= 1 for value in scores["matched"].to_pylist())


def test_settings_are_written_out_complete(micro_run: Path) -> None:
    text = (micro_run / "config.toml").read_text()
    assert "images_per_prompt = 1" in text
    assert "false_match_rate = 0.01" in text


# What stops it.


@pytest.mark.parametrize("seed", [1])
def test_a_run_killed_again_and_again_comes_to_the_same_bytes(
    micro: Micro, micro_run: Path, tmp_path: Path, seed: int
) -> None:
    run, log, kills = tmp_path / "run", tmp_path / "log", 0
    arguments = micro.estimate(run)
    for files, seconds in moments(finished(micro_run), 3, seed):
        process = micro.start(arguments, log)
        while process.is_alive() and finished(run) < files:
            time.sleep(0.005)
        time.sleep(seconds)
        process.kill()
        process.join(60)
        assert process.exitcode in (0, -9), log.read_text()
        kills += process.exitcode == -9
    assert kills >= 2  # two moments may lie so close that the third process has nothing left to do
    last = micro.start(arguments, log)
    last.join(300)
    assert last.exitcode == 0, log.read_text()
    assert artefacts_of(run) == artefacts_of(micro_run)
    assert "Traceback" not in log.read_text()


def test_a_second_run_says_that_everything_is_current(micro: Micro, copy: Path, command: Command) -> None:
    before = times(copy)
    done = command(*micro.estimate(copy))
    assert done.code == 0
    assert done.err == f"everything is current in {copy}\n"
    assert done.out.splitlines()[-1] == f"report: {copy / 'report' / 'report.html'}"
    assert times(copy) == before


# What makes it stale.


@pytest.mark.parametrize(("setting", "back"), [("threshold.level=0.9", "threshold.level=0.95")])
def test_another_level_computes_threshold_and_report_alone(
    micro: Micro, micro_run: Path, copy: Path, command: Command, setting: str, back: str
) -> None:
    before = times(copy)
    done = command(*micro.estimate(copy, "--set", setting))
    assert done.code == 0
    assert computed(done) == ["threshold", "report"]
    assert "threshold: setting threshold.level changed from 0.95 to 0.9" in done.err
    assert json.loads((copy / "threshold" / "threshold.json").read_text())["level"] == 0.9
    changed = {name for name, when in times(copy).items() if before.get(name) != when}
    assert {Path(name).parts[0] for name in changed} <= {"threshold", "report", "config.toml", "run.json"}
    assert computed(command(*micro.estimate(copy, "--set", back))) == ["threshold", "report"]
    assert artefacts_of(copy) == artefacts_of(micro_run)


def test_another_score_computes_threshold_and_report_alone(
    micro: Micro, copy: Path, command: Command
) -> None:
    scores = pq.read_table(copy / "scores" / "scores.parquet")
    done = command(*micro.estimate(copy, "--set", "scores.score=mimetic2"))
    assert done.code == 0
    assert computed(done) == ["threshold", "report"]
    curve = pq.read_table(copy / "threshold" / "curve.parquet")
    shown = dict(zip(curve["concept"].to_pylist(), curve["score"].to_pylist(), strict=True))
    assert shown == dict(zip(scores["concept"].to_pylist(), scores["mimetic2"].to_pylist(), strict=True))


def test_a_changed_list_makes_all_stages_stale_that_read_it(
    micro: Micro, copy: Path, command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # The same path, below another folder, with one artist less.
    lines = (micro.home / "art-styles" / "micro.csv").read_text("utf-8").splitlines(keepends=True)
    (tmp_path / "art-styles").mkdir()
    (tmp_path / "art-styles" / "micro.csv").write_text("".join(lines[:-1]), "utf-8")
    monkeypatch.chdir(tmp_path)
    found = json.loads(command("status", str(copy), "--json").out)["stages"]
    assert found[0]["reasons"] == ["input concepts art-styles/micro.csv changed"]
    assert all("waits for concepts" in row["reasons"][0] for row in found[1:2])


# What is asked for less or otherwise.


def test_until_stops_after_the_stage(micro: Micro, tmp_path: Path, command: Command) -> None:
    run = tmp_path / "run"
    done = command(*micro.estimate(run, "--until", "references"))
    assert done.code == 0
    assert done.out == f"{run / 'references'}\n"
    assert computed(done) == ["concepts", "counts", "references"]
    folders = {path.name for path in run.iterdir() if path.is_dir()}
    assert folders == {"concepts", "counts", "references", "embeddings"}  # the last is kept for other stages
    rest = json.loads(command("status", str(run), "--json").out)["stages"]
    assert [row["current"] for row in rest] == [True] * 3 + [False] * 5


def test_a_stage_command_computes_what_it_needs(micro: Micro, tmp_path: Path, command: Command) -> None:
    run = tmp_path / "run"
    command(*micro.estimate(run, "--until", "concepts"))
    done = command("verify", str(run))
    assert done.code == 0
    assert computed(done) == ["counts", "references", "verification"]


def test_a_dry_run_says_the_work_of_each_stage_and_makes_nothing(
    micro: Micro, tmp_path: Path, command: Command
) -> None:
    run = tmp_path / "run"
    done = command(*micro.estimate(run, "--dry-run"))
    assert done.code == 0
    assert not run.exists()
    lines = done.out.splitlines()
    assert [line.split(":")[0] for line in lines if not line.startswith(" ")] == NAMES
    work = {head.split(":")[0]: following for head, following in zip(lines, [*lines[1:], ""], strict=True)}
    assert work["concepts"] == "  24 concepts"
    assert work["counts"].startswith("  400 captions in 2 shards")
    # 24 artists x 5 prompts, model and control.
    assert any(line.startswith("  240 images to sample with 2 steps in ") for line in lines)
    assert any("images/s, measured on" in line for line in lines)
    assert any("MB on disk" in line for line in lines)
    assert all(work[name].startswith("  ") for name in NAMES)


def test_a_dry_run_on_a_run_says_what_a_change_would_cost(micro: Micro, copy: Path, command: Command) -> None:
    before = times(copy)
    done = command(*micro.estimate(copy, "--set", "threshold.level=0.9", "--dry-run"))
    lines = [line for line in done.out.splitlines() if not line.startswith(" ")]
    assert lines[:6] == [f"{name}: current" for name in NAMES[:6]]
    assert lines[6] == "threshold: setting threshold.level changed from 0.95 to 0.9"
    assert times(copy) == before


def test_json_is_the_contracts_object(micro: Micro, copy: Path, command: Command) -> None:
    done = command(*micro.estimate(copy, "--json"))
    found = json.loads(done.out)
    assert set(PROMISED.split()) <= set(found)
    assert found == json.loads((copy / "threshold" / "threshold.json").read_text())
    assert found["n_concepts"] == 24


def test_json_before_there_is_a_threshold_is_refused(micro: Micro, tmp_path: Path, command: Command) -> None:
    done = command(*micro.estimate(tmp_path / "run", "--until", "counts", "--json"))
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_fewer_than_ten_concepts_are_too_few(
    micro: Micro, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = (micro.home / "art-styles" / "micro.csv").read_text("utf-8").splitlines(keepends=True)
    (tmp_path / "art-styles").mkdir()
    (tmp_path / "art-styles" / "few.csv").write_text("".join(lines[:6]), "utf-8")
    monkeypatch.chdir(tmp_path)
    sets = [f"--set={each}" for each in (*SETTINGS, "generation.control=false")]
    done = command("estimate", "--domain", "art-styles/few.csv", "--model", "demo", "--run", "few", *sets)
    assert done.code == 21
    assert done.err.splitlines()[-1].startswith("error: ")
    assert not (tmp_path / "few" / "threshold" / RECEIPT).exists()
    assert (tmp_path / "few" / "scores" / RECEIPT).exists()  # what is done is kept
