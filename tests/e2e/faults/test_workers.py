"""Workers that count die, and the work goes on: nothing is counted twice, and nothing is missing.

New workers import much, so all of this runs in the long form; `tests/spec` kills workers of quick tasks.
"""

from __future__ import annotations

import os
import signal
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.faults import faults, tiny
from tests.e2e.faults.diary import TORTURE, Case, Diary, totals
from tests.e2e.faults.kills import SIGNALS, Undisturbed
from tests.e2e.faults.workers import SECONDS, UNTIL_COUNTS, Begun, counted, counted_in, slowly
from tests.e2e.micro import Micro
from tests.e2e.nodes import two_nodes
from tests.spec import processes
from tests.spec.executor_tasks import Diary as Notes

SEED = 9
WORKERS = 2
TWO = (*UNTIL_COUNTS, "--set", f"execution.workers={WORKERS}")
CLUSTER = (*UNTIL_COUNTS, "--set", "execution.engine=ray")
SPAN = SECONDS * tiny.TINY.caption_shards / WORKERS  # that two workers take, without their start
SAMPLE, LONG, CLUSTERS = 2, 24, 4


@pytest.mark.torture
def test_workers_and_groups_are_killed(world: Micro, undisturbed: Undisturbed, tmp_path: Path) -> None:
    cases = [
        *(kill_a_worker(world, undisturbed, tmp_path / f"worker-{n}", n) for n in range(SAMPLE)),
        *(kill_the_group(world, undisturbed, tmp_path / f"group-{n}", n) for n in range(SAMPLE)),
    ]
    assert totals(cases)["failures"] == []
    assert totals(cases)["hits"] >= SAMPLE


@pytest.mark.torture
@pytest.mark.timeout(5400)
def test_many_workers_groups_and_nodes_are_killed(
    world: Micro, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    diary = Diary(TORTURE / "workers.json")
    found = diary.read()
    for act, many in ((kill_a_worker, LONG), (kill_the_group, LONG), (kill_a_node, CLUSTERS)):
        for number in range(SAMPLE, SAMPLE + many):
            name = f"{act.__name__}-{number}"
            if not any(name == case.target for case in found):
                case = act(world, undisturbed, tmp_path / name, number)
                case.target = name
                found.append(case)
                diary.write(found)
    figures = totals(found)
    assert figures["failures"] == []
    assert figures["hits"] >= LONG
    assert figures["by_kind"]["a worker and a node"] >= 1


@pytest.mark.torture
@pytest.mark.parametrize("how", ["killed", "out of memory"])
def test_a_shard_that_no_worker_survives(
    how: str, world: Micro, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shard = sorted((world.data / "demo" / "captions").glob("*.parquet"))[0].name
    ended = tiny.bring(world, run, slowly(tmp_path / "notes", f"{shard} {how}"), *TWO)
    assert faults.end_of(ended, "counts") == []
    assert "1 of 8 shards cannot be read" in ended.last_line
    assert {"killed": "SIGKILL; out of memory?", "out of memory": "MemoryError"}[how] in ended.last_line
    assert len(list((run / "counts" / "parts").iterdir())) == 7
    again = tiny.bring(world, run, slowly(tmp_path / "again"), *TWO)
    assert (again.code, again_begun(tmp_path)) == (0, [shard])
    assert counted(run) == counted_in(undisturbed)


def again_begun(home: Path) -> list[str]:
    return [shard for _, shard in Begun(Notes(home / "again")).attempts()]


def kill_a_worker(world: Micro, whole: Undisturbed, home: Path, number: int) -> Case:
    """Kill the worker that began a shard last, at a moment of the work."""
    home.mkdir()
    share = float(np.random.default_rng([SEED, number]).uniform())
    case = Case(number, "a worker", "counts", f"{share:.4f} of the work")
    run, begun = home / "run", Begun(Notes(home / "notes"))
    process = tiny.start(world, world.estimate(run, *TWO), home / "log", slowly(home / "notes"))
    begun.diary.wait_for("begun", 1)
    time.sleep(share * SPAN)
    strike(case, process, begun.at_work()[0], home / "log")
    look(case, run, whole, [begun])
    return case


def kill_the_group(world: Micro, whole: Undisturbed, home: Path, number: int) -> Case:
    """Send a signal to the command and its workers, at a moment of the work; then go on."""
    home.mkdir()
    share = float(np.random.default_rng([SEED, 1000 + number]).uniform())
    how = SIGNALS[number % len(SIGNALS)]
    case = Case(number, f"{how.name} to all", "counts", f"{share:.4f} of the work")
    run, begun = home / "run", Begun(Notes(home / "notes"))
    process = tiny.start(world, world.estimate(run, *TWO), home / "log", slowly(home / "notes"))
    begun.diary.wait_for("begun", 1)
    time.sleep(share * SPAN)
    if process.is_alive():
        os.killpg(process.pid or 0, how)
        process.join(tiny.PATIENCE)
        case.hit, case.code = "counts" if process.exitcode else None, process.exitcode
    process.join(tiny.PATIENCE)
    if process.exitcode not in (0, 130, -int(signal.SIGKILL)):
        case.failures.append(f"ended with {process.exitcode}: {(home / 'log').read_text()[-400:]}")
    processes.wait_for_end(*begun.at_work())
    kept = {path.stem for path in (run / "counts" / "parts").glob("[0-9]*.parquet")}
    last = tiny.bring(world, run, slowly(home / "again"), *TWO)
    if last.code != 0:
        case.failures.append(f"the last process ended with {last.code}: {last.last_line}")
    again = Begun(Notes(home / "again"))
    case.repeated = len({s for _, s in begun.attempts()} & {s for _, s in again.attempts()})
    if len(again.attempts()) != tiny.TINY.caption_shards - len(kept):
        case.failures.append(f"{len(kept)} parts were kept, {len(again.attempts())} shards read again")
    look(case, run, whole, [begun, again])
    return case


def kill_a_node(world: Micro, whole: Undisturbed, home: Path, number: int) -> Case:
    """Kill a worker of a cluster of two nodes and then a node, at moments of the work."""
    home.mkdir()
    first, second = np.sort(np.random.default_rng([SEED, 2000 + number]).uniform(0, 0.5, 2))
    case = Case(number, "a worker and a node", "counts", f"{first:.4f} and {second:.4f} of the work")
    run, begun = home / "run", Begun(Notes(home / "notes"))
    with two_nodes() as (cluster, node):
        prepare = slowly(home / "notes", RAY_ADDRESS=cluster.address)
        process = tiny.start(world, world.estimate(run, *CLUSTER), home / "log", prepare)
        begun.diary.wait_for("begun", 2)
        time.sleep(float(first) * SPAN)
        os.kill(begun.at_work()[0], signal.SIGKILL)
        time.sleep(float(second - first) * SPAN)
        case.hit = "counts" if process.is_alive() else None
        cluster.remove_node(node, allow_graceful=False)
        process.join(tiny.PATIENCE)
        case.code = process.exitcode
        if process.exitcode != 0:
            process.kill()
            case.failures.append(f"ended with {process.exitcode}: {(home / 'log').read_text()[-400:]}")
    look(case, run, whole, [begun], lost=1 + WORKERS)
    return case


def strike(case: Case, process: BaseProcess, worker: int, log: Path) -> None:
    """Kill a worker and wait for the end of the command, which goes on without it."""
    case.hit = "counts" if process.is_alive() and processes.alive(worker) else None
    if case.hit:
        os.kill(worker, signal.SIGKILL)
    process.join(tiny.PATIENCE)
    case.code = process.exitcode
    if process.exitcode != 0:
        process.kill()
        case.failures.append(f"ended with {process.exitcode}: {log.read_text()[-400:]}")


def look(case: Case, run: Path, whole: Undisturbed, begun: list[Begun], lost: int = WORKERS) -> None:
    """Compare what was counted with the undisturbed run, and how often a shard was begun with once."""
    if counted(run) != counted_in(whole):
        case.failures.append("the counts are not as in the undisturbed run")
    attempts = sum(len(each.attempts()) for each in begun)
    case.repeated = max(case.repeated, attempts - tiny.TINY.caption_shards)
    if case.repeated > (1 if case.kind == "a worker" else lost):
        case.failures.append(f"{case.repeated} shards were begun again")
