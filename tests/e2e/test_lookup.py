"""`fit lookup` in the micro world, whose truth is known."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.conftest import Finished
from tests.e2e.micro import Micro

Command = Callable[..., Finished]


@pytest.fixture
def named(micro_run: Path) -> dict[str, object]:
    """The artist with the most captions."""
    rows = pq.read_table(micro_run / "verification" / "frequencies.parquet").to_pylist()
    return max(rows, key=lambda row: row["caption_count"])


def test_the_figures_are_the_runs(command: Command, micro_run: Path, named: dict[str, object]) -> None:
    done = command("lookup", str(named["concept"]).upper(), "--run", str(micro_run), "--json")
    assert done.code == 0, done.err
    (found,) = json.loads(done.out)
    assert found["name"] == named["concept"]
    for key in ("caption_count", "frequency", "frequency_low", "frequency_high", "hit_rate"):
        assert found[key] == named[key]
    assert 1 <= len(found["examples"]) <= 5
    assert found["in_run"] is True


def test_an_evidence_sheet_is_written(
    command: Command, micro_run: Path, named: dict[str, object], tmp_path: Path
) -> None:
    sheet = tmp_path / "sheet.html"
    done = command("lookup", str(named["concept"]), "--run", str(micro_run), "--sheet", str(sheet))
    assert done.code == 0, done.err
    assert str(named["concept"]) in sheet.read_text()


def test_a_name_outside_the_run_is_counted_now(command: Command, micro: Micro, micro_run: Path) -> None:
    shards = sorted((micro.data / "demo" / "captions").glob("*.parquet"))
    captions = [text for shard in shards for text in pq.read_table(shard)["TEXT"].to_pylist()]
    word = next(word for word in captions[0].split() if word.isalpha() and len(word) > 3)
    expected = sum(
        word.casefold() in "".join(c if c.isalnum() else " " for c in text.casefold()).split()
        for text in captions
    )
    done = command("lookup", word, "--run", str(micro_run), "--json")
    assert done.code == 0, done.err
    assert "counted now" in done.err
    (found,) = json.loads(done.out)
    assert found["caption_count"] == expected > 0
    assert found["in_run"] is False


def test_near_names_are_offered(command: Command, micro_run: Path, named: dict[str, object]) -> None:
    name = str(named["concept"])
    done = command("lookup", name[:-1] + "x", "--run", str(micro_run))
    assert f"did you mean {name}" in done.err


def test_a_run_that_has_only_counted_says_what_it_knows(
    command: Command, micro_run: Path, named: dict[str, object], tmp_path: Path
) -> None:
    shutil.copytree(micro_run, tmp_path / "run")
    for stage in ("verification", "generation", "scores", "threshold", "report"):
        shutil.rmtree(tmp_path / "run" / stage)
    done = command("lookup", str(named["concept"]), "--run", str(tmp_path / "run"), "--json")
    assert done.code == 0, done.err
    (found,) = json.loads(done.out)
    assert found["caption_count"] == named["caption_count"]
    assert found["frequency"] is None
    assert "unfinished run" in found["quote"]


def test_no_run_is_one_line(command: Command, tmp_path: Path) -> None:
    done = command("lookup", "Anybody", "--run", str(tmp_path))
    assert done.code == 15
    assert done.err.count("\n") == 1
