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
    assert "0 concepts change their verdict" in done.out


def test_one_run_is_nothing_to_compare(command: Command, micro_run: Path) -> None:
    assert command("compare", str(micro_run)).code == 2
    assert command("compare", str(micro_run), str(micro_run)).code == 2


def test_a_run_without_a_curve_is_one_line(command: Command, micro_run: Path, copy: Path) -> None:
    shutil.rmtree(copy / "threshold")
    done = command("compare", str(micro_run), str(copy))
    assert done.code == 20
    assert done.err.count("\n") == 1
