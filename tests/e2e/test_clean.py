"""What can go of a finished run goes, and the result is as good as before."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from fit import execute
from fit.pipeline import STAGES
from fit.run import folder
from fit.run.freed import NAME, note_freed
from fit.run.receipts import read_receipt
from tests.conftest import Finished
from tests.e2e.micro import artefacts_of

Command = Callable[..., Finished]
STAGE_NAMES = [stage.name for stage in STAGES]


@pytest.fixture
def run(micro_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(micro_run, tmp_path / "run"))


def tars(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (run / "generation" / "parts").glob("*.tar")}


def computed(done: Finished) -> list[str]:
    """The stages that a command says it computes, in order."""
    told = [line.split(": ") for line in done.err.splitlines()]
    return [line[0] for line in told if line[0] in STAGE_NAMES and "current" not in line[1]]


def test_it_shows_and_deletes_nothing_unless_told_to(command: Command, run: Path) -> None:
    before = artefacts_of(run)
    done = command("clean", str(run))
    assert done.code == 0, done.err
    assert artefacts_of(run) == before
    assert [line.split()[0] for line in done.out.splitlines()[1:-1]] == [*STAGE_NAMES, "embeddings"]
    found = {row["stage"]: row for row in json.loads(command("clean", str(run), "--json").out)["stages"]}
    sizes = {name: len(content) for name, content in tars(run).items()}
    assert found["generation"]["files"] == len(sizes)
    assert found["generation"]["freeable"] == sum(sizes.values())
    assert found["embeddings"]["freeable"] == found["embeddings"]["bytes"] > 0
    assert sum(found[name]["freeable"] for name in STAGE_NAMES) == sum(sizes.values())
    for name in STAGE_NAMES:
        paths = [path for path in (run / name).rglob("*") if path.is_file()]
        assert found[name]["bytes"] == sum(path.stat().st_size for path in paths)


def test_a_cleaned_run_is_as_good_as_before(command: Command, run: Path, tmp_path: Path) -> None:
    before = artefacts_of(run)
    done = command("clean", str(run), "--yes")
    assert done.code == 0, done.err
    gone = {name for name in before if name.startswith("generation/parts/") and name.endswith(".tar")}
    assert len(gone) > 1
    kept = {k: v for k, v in before.items() if k not in gone and not k.startswith("embeddings/")}
    assert {k: v for k, v in artefacts_of(run).items() if k != NAME} == kept
    status = json.loads(command("status", str(run), "--json").out)
    assert all(stage["current"] for stage in status["stages"])
    assert status["freed"] == {"generation": len(gone)}
    assert f"freed: {len(gone)} files of generation" in command("status", str(run)).out

    for arguments in (["verify", str(run)], ["estimate", *_of(run)]):
        again = command(*arguments)
        assert again.code == 0, again.err
        assert computed(again) == []
    assert f"generation: current; {len(gone)} of its files were freed" in again.err

    bundle = tmp_path / "bundle.zip"
    assert command("bundle", str(run), "--out", str(bundle), "--pictures").code == 0
    checked = command("check", str(bundle))
    assert checked.code == 0, checked.out
    assert "DIFFERS" not in checked.out
    assert command("clean", str(run), "--yes").out == f"{run}: nothing can be deleted\n"


def test_what_needs_the_images_has_the_same_ones_again(command: Command, run: Path) -> None:
    images, receipt = tars(run), read_receipt(run / "generation")
    assert command("clean", str(run), "--stage", "generation", "--yes").code == 0
    assert tars(run) == {}
    assert (run / "embeddings").is_dir()
    asked = command("estimate", *_of(run), "--set", "scores.pool_size=7", "--dry-run")
    assert "its files were freed, and scores needs them" in asked.out
    assert f"{sum(_asked(run))} images to sample" in asked.out
    done = command("estimate", *_of(run), "--set", "scores.pool_size=7")
    assert done.code == 0, done.err
    assert computed(done)[0] == "generation"
    assert set(computed(done)[1:]) == {"generation", "scores", "threshold", "report"}
    assert tars(run) == images
    assert read_receipt(run / "generation") == receipt
    assert not (run / NAME).exists()


def test_a_report_that_is_written_again_says_why_it_has_no_pictures(command: Command, run: Path) -> None:
    assert command("clean", str(run), "--yes").code == 0
    done = command("report", str(run), "--set", "report.strips=2")
    assert done.code == 0, done.err
    assert computed(done) == ["report"]
    facts = json.loads((run / "report" / "report.json").read_text())
    assert facts["strips"] == []
    assert "fit clean" in facts["no_pictures_because"]


def test_images_stay_until_they_have_scores(command: Command, run: Path) -> None:
    shutil.rmtree(run / "scores")
    shown = {row["stage"]: row for row in json.loads(command("clean", str(run), "--json").out)["stages"]}
    assert shown["generation"]["files"] == shown["embeddings"]["files"] == 0
    assert shown["generation"]["note"] == "needed until scores is computed"
    refused = command("clean", str(run), "--stage", "generation", "--yes")
    assert refused.code == 20
    assert refused.err == "error: generation: needed until scores is computed\n"
    assert tars(run)


def test_fetched_images_go_too(command: Command, run: Path) -> None:
    fetched = run / "verification" / "images" / "00000.tar"
    fetched.parent.mkdir()
    fetched.write_bytes(b"a picture")
    loaded = folder.load(run)
    for stage in STAGES:  # verification and what follows from it
        execute.sign(loaded, stage)
    assert command("clean", str(run), "--stage", "verification", "--yes").code == 0
    assert not fetched.exists()
    assert all(state.current for state in execute.status(loaded, deep=True))


def test_a_deletion_that_was_interrupted_loses_nothing(command: Command, run: Path) -> None:
    receipt = read_receipt(run / "generation")
    assert receipt is not None
    gone = {name: digest for name, digest in receipt.outputs.items() if name.endswith(".tar")}
    note_freed(run, "generation", gone)
    (run / "generation" / min(gone)).unlink()
    assert all(state.current for state in execute.status(folder.load(run), deep=True))
    assert command("clean", str(run), "--stage", "generation", "--yes").code == 0
    assert tars(run) == {}


def test_somebody_is_forgotten_without_their_images(command: Command, run: Path) -> None:
    name = json.loads((run / "report" / "report.json").read_text())["points"][0]["concept"]
    assert command("clean", str(run), "--yes").code == 0
    done = command("forget", name, str(run))
    assert done.code == 0, done.err
    assert all(state.current for state in execute.status(folder.load(run), deep=True))
    assert name not in (run / "report" / "report.json").read_text()


def test_a_folder_of_which_nothing_can_go_is_named(command: Command, run: Path) -> None:
    done = command("clean", str(run), "--stage", "scores")
    assert done.code == 2
    assert "known: embeddings, generation, verification" in done.err


def _of(run: Path) -> list[str]:
    return ["--domain", "art-styles/micro.csv", "--model", "demo", "--run", str(run)]


def _asked(run: Path) -> list[int]:
    tables = (run / "generation" / "parts").glob("*.parquet")
    return [pq.read_metadata(path).num_rows for path in tables]
