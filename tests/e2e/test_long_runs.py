"""A run of very many parts: memory, file handles and log stay flat, and `fit status` answers meanwhile."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from fit import cli
from fit.pipeline import STAGES
from tests.conftest import ROOT
from tests.e2e.long_run import TELL_EVERY, Look, arguments, make_corpus, read_looks

LINE = re.compile(r"^counts: ([\d,]+) of ([\d,]+) files, [\d.,]+ files/s, .* left$")


@dataclass(frozen=True)
class Ran:
    """What a long run took.

    Attributes:
        looks: At its process, while it made parts.
        slope: Bytes of memory for each part, over the last three quarters of the looks.
        said: Lines on stderr.
        statuses: Seconds that `fit status` took meanwhile, and the parts that it told.
    """

    looks: list[Look]
    slope: float
    said: list[str]
    statuses: list[tuple[float, int]]


def long_run(home: Path, shards: int, capsys: pytest.CaptureFixture[str]) -> Ran:
    make_corpus(home, shards)
    for stage in STAGES:
        stage.code()  # imported before, so that `fit status` answers in time
    run, looks, said = home / "run", home / "looks", home / "said"
    command = [sys.executable, "-m", "tests.e2e.long_run", str(looks), str(said), str(run)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([*command, *arguments(home, run)], cwd=home, env=environment)
    statuses = []
    try:
        while process.poll() is None:
            if (run / "counts" / "parts").is_dir():
                begun = time.monotonic()
                assert cli.run(["status", str(run), "--json"]) == 0
                told = json.loads(capsys.readouterr().out)
                stage = {row["stage"]: row for row in told["stages"]}["counts"]
                if told["working"] is not None and not stage["current"]:
                    assert told["working"]["pid"] == process.pid
                    statuses.append((time.monotonic() - begun, stage["parts"]))
            time.sleep(0.05)
    finally:
        process.kill()
    assert process.returncode == 0, said.read_text()
    seen = read_looks(looks)
    late = seen[len(seen) // 4 :]
    slope = float(np.polyfit([look.parts for look in late], [look.memory for look in late], 1)[0])
    return Ran(seen, slope, said.read_text().splitlines(), statuses)


def check(ran: Ran, most_slope: float) -> None:
    assert ran.slope < most_slope
    handles = [look.handles for look in ran.looks]
    assert max(handles[len(handles) // 4 :]) <= max(handles[: len(handles) // 4]) + 2
    told = [line for line in ran.said if LINE.match(line)]
    assert len(told) <= ran.looks[-1].seconds / TELL_EVERY + 1
    assert len(ran.said) - len(told) <= 10
    assert max(map(len, ran.said)) < 300
    parts = [parts for _, parts in ran.statuses]
    assert parts
    assert parts == sorted(parts)


def test_two_hundred_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    check(long_run(tmp_path, 200, capsys), most_slope=40_000)  # of few parts: noise weighs much


@pytest.mark.torture
@pytest.mark.timeout(5400)
def test_ten_thousand_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = long_run(tmp_path, 10_000, capsys)
    figures = {
        "parts": ran.looks[-1].parts,
        "seconds": ran.looks[-1].seconds,
        "memory_first": ran.looks[0].memory,
        "memory_last": ran.looks[-1].memory,
        "bytes_per_part": ran.slope,
        "handles": [min(look.handles for look in ran.looks), max(look.handles for look in ran.looks)],
        "lines_said": len(ran.said),
        "statuses": len(ran.statuses),
        "slowest_status_seconds": max(seconds for seconds, _ in ran.statuses),
    }
    log = ROOT / "build" / "torture" / "long-runs.json"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(json.dumps(figures, indent=1) + "\n")
    check(ran, most_slope=1_000)
