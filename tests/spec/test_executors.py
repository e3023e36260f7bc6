"""What every executor does, against the obvious way to do it: one item after the other in a plain loop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from concepts.errors import CorpusError, MissingExtra, SettingsError, StageIncomplete, UsageError
from corpus.executors import Done, Executor, Outcome, SetAside, make_executor
from tests.conftest import ROOT
from tests.spec import executor_tasks as tasks
from tests.spec import processes

ITEMS = range(12)
WORKERS = {"serial": 1, "pool": 2, "ray": 2}
ENGINES = {"serial": "local", "pool": "local", "ray": "ray"}
ELSEWHERE = ("pool", "ray")  # those whose workers are other processes


@pytest.fixture(scope="module")
def ray_executor() -> Iterator[Executor]:
    """One cluster for all tests of this module; it starts with the first `map`."""
    with make_executor("ray", WORKERS["ray"]) as executor:
        yield executor


@pytest.fixture
def executor(request: pytest.FixtureRequest) -> Executor:
    if request.param == "ray":
        made: Executor = request.getfixturevalue("ray_executor")
        return made
    return make_executor(ENGINES[request.param], WORKERS[request.param])


@pytest.fixture
def diary(tmp_path: Path) -> tasks.Diary:
    return tasks.Diary(tmp_path)


every = pytest.mark.parametrize("executor", WORKERS, indirect=True)
# For what the pool and Ray have from the same lines: workers of Ray take seconds to start.
one_of_each = pytest.mark.parametrize("executor", ["serial", "pool"], indirect=True)
in_the_pool = pytest.mark.parametrize("executor", ["pool"], indirect=True)
elsewhere = pytest.mark.parametrize("executor", ELSEWHERE, indirect=True)


def results(outcomes: Sequence[Outcome[int, Any]]) -> dict[int, Any]:
    """Return item -> result of those that are done, and see that no item comes twice."""
    assert sorted(outcome.index for outcome in outcomes) == list(range(len(outcomes)))
    return {outcome.item: outcome.result for outcome in outcomes if isinstance(outcome, Done)}


def squares(items: Sequence[int] = ITEMS, without: Sequence[int] = ()) -> dict[int, int]:
    return {item: item * item for item in items if item not in without}


@every
def test_each_item_has_one_outcome(executor: Executor, diary: tasks.Diary) -> None:
    outcomes = list(executor.map(tasks.Task(diary), ITEMS))
    assert results(outcomes) == squares()
    assert all(outcome.item == ITEMS[outcome.index] and outcome.attempts == 1 for outcome in outcomes)


@one_of_each
def test_results_do_not_depend_on_the_order_of_the_items(executor: Executor, diary: tasks.Diary) -> None:
    turned = ITEMS[::-1]
    outcomes = list(executor.map(tasks.Task(diary), turned))
    assert results(outcomes) == squares()
    assert all(outcome.item == turned[outcome.index] for outcome in outcomes)


@one_of_each
def test_equal_items_are_different_items(executor: Executor, diary: tasks.Diary) -> None:
    outcomes = list(executor.map(tasks.Task(diary), [5, 5, 5]))
    assert sorted((each.index, each.result) for each in outcomes if isinstance(each, Done)) == [
        (0, 25), (1, 25), (2, 25),
    ]  # fmt: skip


@one_of_each
def test_no_items_no_outcomes(executor: Executor, diary: tasks.Diary) -> None:
    assert list(executor.map(tasks.Loaded(diary), [])) == []
    assert diary.lines("loaded") == []


@one_of_each
def test_what_fails_twice_is_done_at_the_third_attempt(executor: Executor, diary: tasks.Diary) -> None:
    outcomes = list(executor.map(tasks.FailsAtFirst(diary, 3, 2), ITEMS))
    assert results(outcomes) == squares()
    assert {outcome.item: outcome.attempts for outcome in outcomes} == {n: 3 if n == 3 else 1 for n in ITEMS}


@every
def test_what_fails_three_times_is_set_aside_with_its_reason(executor: Executor, diary: tasks.Diary) -> None:
    outcomes = list(executor.map(tasks.FailsAtFirst(diary, 3, 99), ITEMS))
    assert results(outcomes) == squares(without=[3])
    left = [outcome for outcome in outcomes if isinstance(outcome, SetAside)]
    assert left == [SetAside(3, 3, "shard 3: cannot be read; fetch it again", 3)]


@one_of_each
def test_an_unforeseen_error_is_set_aside_in_one_line_with_its_place(
    executor: Executor, diary: tasks.Diary
) -> None:
    outcomes = list(executor.map(tasks.Bug(diary), ITEMS))
    assert results(outcomes) == squares(without=[3])
    (left,) = [outcome for outcome in outcomes if isinstance(outcome, SetAside)]
    source = Path(tasks.__file__).read_text().splitlines()
    line = next(n for n, text in enumerate(source, 1) if "raise ZeroDivisionError" in text)
    assert left.reason == f"ZeroDivisionError: first line second line (executor_tasks.py:{line})"


@one_of_each
def test_a_mistake_of_the_user_is_raised_at_once(executor: Executor, diary: tasks.Diary) -> None:
    task = tasks.Mistaken(diary, SettingsError("where: 'nsfw' is no column"))
    with pytest.raises(SettingsError, match=r"^where: 'nsfw' is no column$"):
        list(executor.map(task, range(1000)))
    tried = diary.lines("tried")
    assert tried.count("3") == 1
    assert len(tried) < 100  # of 1000: those before it, and what was under way


@elsewhere
def test_the_task_is_sent_once_to_each_worker(executor: Executor, diary: tasks.Diary) -> None:
    outcomes = list(executor.map(tasks.Loaded(diary), range(60)))
    workers = {pid for _, pid in results(outcomes).values()}
    assert sorted(diary.lines("loaded")) == sorted(str(pid) for pid in workers)
    assert len(workers) == 2
    assert os.getpid() not in workers


@in_the_pool
def test_a_result_that_cannot_be_sent_is_set_aside(executor: Executor, diary: tasks.Diary) -> None:
    outcomes = list(executor.map(tasks.Unpicklable(diary), ITEMS))
    assert results(outcomes) == squares(without=[3])
    (left,) = [outcome for outcome in outcomes if isinstance(outcome, SetAside)]
    assert left.reason.startswith("function: cannot be sent back from a worker (")


@in_the_pool
def test_a_killed_worker_costs_one_attempt_of_one_item(executor: Executor, diary: tasks.Diary) -> None:
    outcomes = list(executor.map(tasks.Kills(diary, 3, 1), ITEMS))
    assert results(outcomes) == squares()
    assert {outcome.item: outcome.attempts for outcome in outcomes} == {n: 2 if n == 3 else 1 for n in ITEMS}


@elsewhere
def test_an_item_that_kills_every_worker_is_set_aside(executor: Executor, diary: tasks.Diary) -> None:
    outcomes = list(executor.map(tasks.Kills(diary, 3, 99), ITEMS))
    assert results(outcomes) == squares(without=[3])
    (left,) = [outcome for outcome in outcomes if isinstance(outcome, SetAside)]
    assert left.reason in {
        "the worker process died (SIGKILL; out of memory?)",
        "the worker or its node was lost (ActorDiedError)",
    }
    assert diary.lines("tried").count("3") == left.attempts == 3


def test_a_worker_killed_from_outside_in_the_middle(diary: tasks.Diary) -> None:
    def kill() -> None:
        os.kill(int(diary.wait_for("at work", 1)[0]), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    outcomes = list(make_executor("local", 2).map(tasks.HangsOnce(diary, 3), ITEMS))
    killer.join()
    assert results(outcomes) == squares()


@elsewhere
def test_a_task_that_no_worker_can_load_is_named(executor: Executor, diary: tasks.Diary) -> None:
    with pytest.raises(MissingExtra, match=r"cannot load the task \(ModuleNotFoundError: No module named"):
        list(executor.map(tasks.NeedsWhatIsNotThere(diary), ITEMS))


@elsewhere
def test_workers_that_die_as_they_start_end_the_work(executor: Executor, diary: tasks.Diary) -> None:
    with pytest.raises(StageIncomplete, match="3 workers in a row died before they were ready"):
        list(executor.map(tasks.DiesAsItIsLoaded(diary), ITEMS))


@elsewhere
def test_closing_the_outcomes_ends_the_workers(executor: Executor, diary: tasks.Diary) -> None:
    outcomes = executor.map(tasks.Hangs(diary, done=1), ITEMS)
    assert next(outcomes) == Done(0, 0, 0, 1)
    workers = diary.wait_for("at work", 1)
    outcomes.close()  # type: ignore[attr-defined]
    processes.wait_for_end(*map(int, workers))
    assert len(diary.lines("tried")) <= 3  # the first, and one for each worker


@elsewhere
def test_workers_are_limited_to_their_share_of_threads(executor: Executor, diary: tasks.Diary) -> None:
    from corpus.executors import cores

    before = dict(os.environ)
    share = str(max(1, cores() // 2))
    for found in results(list(executor.map(tasks.Environment(diary), ITEMS))).values():
        assert found["OMP_NUM_THREADS"] == found["OPENBLAS_NUM_THREADS"] == found["threads here"] == share
    assert dict(os.environ) == before


def test_each_worker_sees_one_gpu(diary: tasks.Diary) -> None:
    found = results(list(make_executor("local", 0, gpus=["3", "5"]).map(tasks.Environment(diary), range(40))))
    seen = {(each["pid"], each["CUDA_VISIBLE_DEVICES"]) for each in found.values()}
    assert sorted(gpu for _, gpu in seen) == ["3", "5"]


SCRIPT = """
import sys
from pathlib import Path
from corpus.executors import make_executor
from tests.spec import executor_tasks as tasks

task = tasks.Hangs(tasks.Diary(Path(sys.argv[2])))
if __name__ == "__main__":
    with make_executor(sys.argv[1], 2) as executor:
        list(executor.map(task, range(9)))
"""
HANGS_AT_IMPORT = "task.of(0, 1)\n"  # each worker of the pool reads the script as it starts


def folders_of_clusters(pid: int) -> list[Path]:
    """Return the folders of clusters that a process has started and not removed."""
    return list(Path("/tmp").glob(f"fit-ray-*/session_*_{pid}"))  # noqa: S108 (where the executor makes them)


@contextmanager
def at_work(engine: str, folder: Path, more: str = "") -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """Start a process that maps, in a group of its own as a shell would; give it and its workers."""
    script = folder / "script.py"
    script.write_text(SCRIPT + more)
    process = subprocess.Popen(
        [sys.executable, str(script), engine, str(folder)],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT), "HOME": str(folder)}, process_group=0,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process, [int(pid) for pid in tasks.Diary(folder).wait_for("at work", 2)]
    except BaseException:  # the test has failed: nobody else ends them
        for pid in [process.pid, *processes.descendants(process.pid)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        raise
    finally:
        process.communicate()


@pytest.mark.parametrize(("engine", "more"), [("local", ""), ("local", HANGS_AT_IMPORT), ("ray", "")])
def test_an_interrupt_leaves_no_process(engine: str, more: str, tmp_path: Path) -> None:
    with at_work(engine, tmp_path, more) as (process, workers):
        started = processes.descendants(process.pid)
        assert set(workers) <= set(started)
        assert processes.listening(process.pid, *started) == ({"127.0.0.1"} if engine == "ray" else set())
        assert engine == "ray" or all(processes.is_kept_from(pid, signal.SIGINT) for pid in workers)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=tasks.WAIT)
        processes.wait_for_end(*started)
    assert process.returncode == -signal.SIGINT
    assert err.count("Traceback") == err.count("KeyboardInterrupt") == 1  # of the caller, and of no worker
    assert out == ""
    assert not (tmp_path / ".ray").exists()  # the home folder: no secret is left in it
    assert not folders_of_clusters(process.pid)


def test_workers_do_not_outlive_a_killed_caller(tmp_path: Path) -> None:
    with at_work("local", tmp_path) as (process, _):
        started = processes.descendants(process.pid)
        process.kill()
        processes.wait_for_end(*started)


def test_the_end_of_the_block_ends_what_is_under_way(diary: tasks.Diary) -> None:
    with make_executor("local", 2) as executor:
        outcomes = executor.map(tasks.Hangs(diary, done=1), ITEMS)
        next(outcomes)
        workers = diary.wait_for("at work", 1)
    processes.wait_for_end(*map(int, workers))
    with pytest.raises(RuntimeError, match="was closed"):
        list(outcomes)


def test_a_corpus_error_is_of_one_item_in_this_process_too(diary: tasks.Diary) -> None:
    (left,) = make_executor("local", 1, attempts=1).map(tasks.FailsAtFirst(diary, 0, 9), [0])
    assert isinstance(left, SetAside)
    assert left.attempts == 1
    assert issubclass(CorpusError, UsageError.__mro__[1])
