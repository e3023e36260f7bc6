"""`fit compare` on runs of the micro world."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Finished

Command = Callable[..., Finished]


@pytest.fixture
def copy(micro_run: Path, tmp_path: Path) -> Path:
    shutil.copytree(micro_run, tmp_path / "other")
    return tmp_path / "other"


def test_a_run_and_its_copy_do_not_differ(command: Command, micro_run: Path, copy: Path) -> None:
    done = command("compare", str(micro_run), str(copy), "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["paired"] is True
    assert found["differ"] is False
    assert [change["concepts"] for change in found["verdict_changes"]] == [0]
    assert set(found["runs"]) == {str(micro_run), str(copy)}


def test_it_is_told_in_words(command: Command, micro_run: Path, copy: Path) -> None:
    done = command("compare", str(micro_run), str(copy))
    assert done.code == 0, done.err
    assert "concepts are on the curves of all runs" in done.out
    assert "0 concepts have another verdict" in done.out


def test_one_run_is_nothing_to_compare(command: Command, micro_run: Path) -> None:
    assert command("compare", str(micro_run)).code == 2
    assert command("compare", str(micro_run), str(micro_run)).code == 2


def test_a_run_without_a_curve_is_one_line(command: Command, micro_run: Path, copy: Path) -> None:
    shutil.rmtree(copy / "threshold")
    done = command("compare", str(micro_run), str(copy))
    assert done.code == 20
    assert done.err.count("\n") == 1


def test_the_comparison_is_written_as_a_page(
    command: Command, micro_run: Path, copy: Path, tmp_path: Path
) -> None:
    out = tmp_path / "compared"
    done = command("compare", str(micro_run), str(copy), "--out", str(out))
    assert done.code == 0, done.err
    assert done.out.splitlines()[-1] == f"page: {out / 'compare.html'}"
    assert {path.name for path in out.iterdir()} == {
        "compare.html",
        "compare.json",
        "compare.md",
        "compare.svg",
        "compare.vl.json",
    }
    told = json.loads((out / "compare.json").read_text())
    assert told == json.loads(command("compare", str(micro_run), str(copy), "--json").out)
    # Nothing rises in an untrained model, so there is no factor, and the reason is said.
    assert told["factors"] == [
        {
            "first": "A",
            "second": "B",
            "factor": None,
            "interval": None,
            "level": 0.95,
            "reason": "not every run has a threshold",
        }
    ]
    assert "not every run has a threshold" in (out / "compare.html").read_text()
