from __future__ import annotations

import os
from pathlib import Path

import pytest

from corpus.executors import share


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("200000 100000\n", 2),
        ("150000 100000\n", 2),  # one core and a half: the half would lie idle
        ("max 100000\n", 64),
        ("", 64),
    ],
)
def test_quota_of_the_control_group(content: str, expected: int, tmp_path: Path) -> None:
    path = tmp_path / "cpu.max"
    path.write_text(content)
    assert share._quota(path, 64) == expected


def test_no_control_group_no_quota(tmp_path: Path) -> None:
    assert share._quota(tmp_path / "cpu.max", 64) == 64


def test_cores_are_those_that_this_process_may_use() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert share.cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)


def test_threads_here_are_the_share_or_all_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIT_THREADS", "3")
    assert share.threads_here() == 3
    for nonsense in ("", "0", "many"):
        monkeypatch.setenv("FIT_THREADS", nonsense)
        assert share.threads_here() == share.cores()


def test_the_environment_is_as_before_after_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEPT", "before")
    monkeypatch.delenv("NEW", raising=False)
    monkeypatch.delenv("SET_INSIDE", raising=False)
    with pytest.raises(ZeroDivisionError):
        meddle()
    assert os.environ["KEPT"] == "before"
    assert "NEW" not in os.environ
    assert "SET_INSIDE" not in os.environ


def meddle() -> None:
    with share.environment({"KEPT": "inside", "NEW": "inside"}, restored=["SET_INSIDE"]):
        assert os.environ["KEPT"] == os.environ["NEW"] == "inside"
        os.environ["SET_INSIDE"] = "1"
        raise ZeroDivisionError
