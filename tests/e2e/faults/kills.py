"""Kills of a real run at seeded moments, and what is true after each of them.

A chain is one run that is killed in its start and in each of its stages, one after the other, and goes on
after every kill. The moment of a kill is uniform within the time that its stage takes in an undisturbed run.
Times are those of the processor: moments stay where they are on a machine that has other work as well.
"""

from __future__ import annotations

import ctypes
import shutil
import signal
import struct
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from multiprocessing.util import Finalize
from pathlib import Path

import numpy as np

from fit.run.history import Record
from tests.e2e.faults import tiny
from tests.e2e.faults.diary import Case
from tests.e2e.micro import Micro

START = "start"
TARGETS = (START, *tiny.NAMES)
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
TOLD = "error: interrupted; what is done is kept, run the same command again to go on"


@dataclass(frozen=True)
class Undisturbed:
    """A run that nothing disturbed.

    Attributes:
        run: Its folder.
        results: Digests of its files.
        seconds: The processor's time that each target took.
        owners: The part to which an item belongs, where it is none itself.
    """

    run: Path
    results: dict[str, str]
    seconds: dict[str, float]
    owners: dict[tuple[str, str], str]


def undisturbed(micro: Micro, run: Path) -> Undisturbed:
    """Make a run and measure its stages."""
    ended = tiny.bring(micro, run, partial(_tell_times, run.with_suffix(".times")))
    assert ended.code == 0, ended.said
    times = [0.0, *map(float, run.with_suffix(".times").read_text().split())]
    seconds = dict(zip(TARGETS, np.diff(times).tolist(), strict=True))
    return Undisturbed(run, tiny.results(run), seconds, tiny.part_of_items(run))


def chains(
    micro: Micro, whole: Undisturbed, home: Path, numbers: Iterable[int], seed: int
) -> Iterator[list[Case]]:
    """Yield the kills of each chain as it ends; two are under way at a time."""

    def one(number: int) -> list[Case]:
        folder = home / f"chain-{number}"
        folder.mkdir()
        cases = chain(micro, whole, folder, number, seed)
        shutil.rmtree(folder)
        return cases

    with ThreadPoolExecutor(2) as pool:
        for done in as_completed([pool.submit(one, number) for number in numbers]):
            yield done.result()


def chain(micro: Micro, whole: Undisturbed, folder: Path, number: int, seed: int) -> list[Case]:
    """Kill a run in its start and in every stage, let it go on after each, and look at all that is left."""
    rng = np.random.default_rng([seed, number])
    run, log = folder / "run", folder / "log"
    cases, before, written = list[Case](), set[str](), dict[str, tuple[int, int]]()
    for place, target in enumerate(TARGETS):
        how, share = SIGNALS[(number + place) % len(SIGNALS)], float(rng.uniform())
        case = Case(number, how.name, target, f"{share:.4f} of its time")
        _strike(case, how, micro, run, log, share * whole.seconds[target])
        before, written = _look(case, run, log, whole, before, written)
        cases.append(case)
    last = tiny.start(micro, micro.estimate(run), log)
    last.join(tiny.PATIENCE)
    final = cases[-1]
    _look(final, run, log, whole, before, written)
    if last.exitcode != 0:
        final.failures.append(f"the last process ended with {last.exitcode}: {_last_line(log)}")
    elif other := tiny.results(run).keys() ^ whole.results.keys():
        final.failures.append(f"other files: {sorted(other)}")
    final.failures += [f"left over: {name}" for name in tiny.leftovers(run)]
    return cases


def _strike(case: Case, how: signal.Signals, micro: Micro, run: Path, log: Path, moment: float) -> None:
    """Start the command, let the signal reach it at its moment, and wait for the end."""
    offset = log.stat().st_size if log.exists() else 0
    process = tiny.start(micro, micro.estimate(run), log, partial(_aim, case.target, how, moment))
    process.join(tiny.PATIENCE)
    case.code = process.exitcode
    if case.code is None:
        process.kill()
        process.join()
        case.failures.append("the process did not end")
    elif case.code != 0:
        case.hit = _stage(log, offset)
    elif case.target != tiny.NAMES[-1]:  # the last stage may take less time than it did undisturbed
        case.failures.append("the signal was lost")
    _judge(case, log, offset)


def _judge(case: Case, log: Path, offset: int) -> None:
    """Say what is wrong with the end of a process."""
    said = log.read_bytes()[offset:].decode() if log.exists() else ""
    if "Traceback" in said or "Exception ignored" in said:
        case.failures.append(f"a traceback: {said[said.find('Traceback') :][-400:]}")
    # Before the command has begun, a signal does what it does to any process.
    early = (-int(signal.SIGTERM), -int(signal.SIGINT)) if case.hit == START else ()
    if case.code not in (0, 130, -int(signal.SIGKILL), None, *early):
        case.failures.append(f"ended with {case.code}: {_last_line(log)}")
    if case.code == 130 and not said.endswith(f"{TOLD}\n"):
        case.failures.append(f"does not tell that it was interrupted: {_last_line(log)}")


def _look(
    case: Case,
    run: Path,
    log: Path,
    whole: Undisturbed,
    before: set[str],
    written: dict[str, tuple[int, int]],
) -> tuple[set[str], dict[str, tuple[int, int]]]:
    """Compare what is finished with the undisturbed run; return the parts begun last and what is finished."""
    for name, digest in (tiny.results(run) if run.is_dir() else {}).items():
        if whole.results.get(name) != digest:
            case.failures.append(f"{name} is not as in the undisturbed run")
    finished = tiny.finished(run) if run.is_dir() else {}
    for name, found in written.items():
        if finished.get(name) != found:
            case.failures.append(f"{name} was finished and was written again")
    begun = _begun(log, whole)
    again = begun & before
    case.repeated = len(again)
    if len(again) > 1:
        case.failures.append(f"more than one part was begun again: {sorted(again)}")
    return begun, finished


def _begun(log: Path, whole: Undisturbed) -> set[str]:
    """Return the parts that were begun since this was last asked."""
    path = tiny.begun_of(log)
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    items = [tuple(line.split("\t", 1)) for line in lines]
    return {f"{stage} {whole.owners.get((stage, item), item)}" for stage, item in items}


def _tell_times(path: Path) -> None:
    """Let this process write down its time of the processor as each stage begins, and at its end."""
    begin = Record.begin

    def told() -> None:
        with path.open("a") as file:
            file.write(f"{time.process_time()}\n")

    def begun(record: Record, name: str) -> None:
        told()
        begin(record, name)

    Record.begin = begun  # type: ignore[method-assign]
    Finalize(None, told, exitpriority=0)  # a forked process has no other end


def _aim(target: str, how: signal.Signals, moment: float) -> None:
    """Let the kernel send this process a signal when it has spent some time on a target.

    Where the kill before has fallen late and the target is finished, that is the next stage that begins.
    """
    if target == START:
        _send_later(how, moment)
        return
    begin, waiting = Record.begin, [target]

    def begun(record: Record, name: str) -> None:
        if waiting and tiny.NAMES.index(name) >= tiny.NAMES.index(target):
            _send_later(how, moment)
            waiting.clear()
        begin(record, name)

    Record.begin = begun  # type: ignore[method-assign]


def _send_later(how: signal.Signals, seconds: float) -> None:
    """Set a timer of this process that runs while it computes (timer_create(2)), in all of its threads."""
    libc, timer = ctypes.CDLL(None, use_errno=True), ctypes.c_void_p()
    event = struct.pack("=qii48x", 0, how, 0)
    whole, rest = divmod(max(1, int(seconds * 1e9)), 10**9)
    if libc.timer_create(time.CLOCK_PROCESS_CPUTIME_ID, event, ctypes.byref(timer)) != 0 or (
        libc.timer_settime(timer, 0, struct.pack("=qqqq", 0, 0, whole, rest), None) != 0
    ):
        raise OSError(ctypes.get_errno(), "no timer")


def _stage(log: Path, offset: int) -> str:
    """Return the stage that a process has told last that it begins."""
    said = log.read_bytes()[offset:].decode().splitlines() if log.exists() else []
    if any(line.startswith("report: /") for line in said):
        return "end"
    heads = [line.split(":")[0] for line in said]
    return next((head for head in reversed(heads) if head in tiny.NAMES), START)


def _last_line(log: Path) -> str:
    return (log.read_text().splitlines() or [""])[-1] if log.exists() else ""
