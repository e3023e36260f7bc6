"""Whatever stops a run, the next one goes on and comes to the same bytes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fit.run import artefacts, lock
from tests.e2e.fakes import table

ROOT = Path(__file__).parents[2]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "source.txt").write_text("brush")
    return folder


def start(
    run: Path, corpus: Path, *assignments: str, seconds: float = 0.0, log: Path | None = None
) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FAKE_SECONDS": str(seconds)}
    if log:
        environment["FAKE_LOG"] = str(log)
    command = [sys.executable, "-m", "tests.e2e.fakes.table", str(run), str(corpus), *assignments]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, start_new_session=True)


def artefacts_of(run: Path) -> dict[str, str]:
    """Digests of every file but run.json, which holds times and hosts."""
    files = (path for path in sorted(run.rglob("*")) if path.is_file() and path != run / "run.json")
    return {str(path.relative_to(run)): artefacts.digest_file(path) for path in files}


def wait_until(happened: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while not happened() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def wait_for_parts(run: Path, process: subprocess.Popen[bytes], n: int) -> None:
    wait_until(lambda: len(list(run.glob("first/parts/[0-9]*"))) >= n, process)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("moment", [1, 3])
def test_a_killed_run_comes_to_the_same_bytes(
    tmp_path: Path, corpus: Path, how: signal.Signals, moment: int
) -> None:
    undisturbed = tmp_path / "undisturbed"
    table.bring(undisturbed, corpus)
    run, log = tmp_path / "run", tmp_path / "log"
    process = start(run, corpus, seconds=0.02, log=log)
    # Not before the interpreter has started: moments are spread over the ten parts and the five tables.
    wait_for_parts(run, process, 1)
    time.sleep(random.Random(f"{how} {moment}").uniform(0, 0.3))
    os.killpg(process.pid, how)
    message = process.communicate(timeout=60)[1].decode()
    assert process.returncode in (0, -9 if how == signal.SIGKILL else 130)
    if process.returncode == 130:
        told = "error: interrupted; what is done is kept, run the same command again to go on\n"
        assert message.endswith(told)
        assert "Traceback" not in message
    assert start(run, corpus, log=log).wait(120) == 0
    assert artefacts_of(run) == artefacts_of(undisturbed)
    computed = log.read_text().split("\n")
    repeated = sum(computed.count(f"first {item}") - 1 for item in range(10))
    assert repeated <= 1  # at most the part that was being made


def test_parts_that_are_done_are_not_computed_again(tmp_path: Path, corpus: Path) -> None:
    run, log = tmp_path / "run", tmp_path / "log"
    process = start(run, corpus, seconds=0.2, log=log)
    wait_for_parts(run, process, 3)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(60)
    kept = len(list(run.glob("first/parts/[0-9]*")))
    before = len(log.read_text().splitlines())
    assert 3 <= kept < 10
    assert start(run, corpus, log=log).wait(120) == 0
    computed = log.read_text().splitlines()[before:]
    assert len([line for line in computed if line.startswith("first")]) == 10 - kept


def test_a_second_process_is_refused_with_pid_and_host(tmp_path: Path, corpus: Path) -> None:
    run = tmp_path / "run"
    holder = start(run, corpus, seconds=60)
    wait_until(lambda: lock.holder(run) == lock.Holder(holder.pid, os.uname().nodename), holder)
    try:
        other = start(run, corpus)
        message = other.communicate(timeout=120)[1].decode()
        assert other.returncode == 15
        assert message.startswith("error: ")
        assert message.count("\n") == 1
        assert f"process {holder.pid} on {os.uname().nodename} works on this run folder" in message
    finally:
        os.killpg(holder.pid, signal.SIGKILL)
        holder.wait(60)
    assert (run / "lock").exists()  # left by the kill: stale
    assert start(run, corpus).wait(120) == 0
    assert not (run / "lock").exists()


def test_leftovers_of_an_interrupted_write_are_removed(tmp_path: Path, corpus: Path) -> None:
    run = tmp_path / "run"
    table.bring(run, corpus)
    leftover = run / "first" / "parts" / ".unfinished-77-004.parquet"
    leftover.write_bytes(b"half")
    assert table.bring(run, corpus) == []
    assert not leftover.exists()
