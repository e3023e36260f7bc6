"""What a machine does to a run: a full disk, rights taken away, flipped bytes, no memory, a broken device.

A chain is one run to which the same kind of fault happens in each of its stages, one after the other; it goes
on after every fault.
"""

from __future__ import annotations

import ctypes
import itertools
import resource
import shutil
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from fit.run import provenance
from fit.run.history import Record
from tests.e2e.faults import tiny
from tests.e2e.faults.diary import Case
from tests.e2e.faults.kills import Undisturbed
from tests.e2e.micro import Micro

STAGE_INCOMPLETE, RUN_FOLDER = 20, 15
LOG_BYTES = 2000  # of what a command says
_CAPABILITIES = struct.pack("=Ii", 0x20080522, 0)  # version 3 of the kernel's interface, this process


def chains(
    kind: str, micro: Micro, whole: Undisturbed, home: Path, numbers: Iterable[int], seed: int
) -> Iterator[list[Case]]:
    """Yield the faults of a kind that happen to each of some runs; each run has a folder below `home`."""
    for number in numbers:
        folder = home / f"{kind.replace(' ', '-')}-{number}"
        folder.mkdir()
        yield _chain(kind, micro, whole, folder / "run", Case(number, kind, "", ""), seed)
        shutil.rmtree(folder)


def _chain(kind: str, micro: Micro, whole: Undisturbed, run: Path, first: Case, seed: int) -> list[Case]:
    """Let a kind of fault happen in each stage of a new run, and look at what is left each time."""
    rng, cases = np.random.default_rng([seed, first.chain]), list[Case]()
    for target in tiny.NAMES:
        detail, fault = KINDS[kind](run, target, whole, rng)
        ended = tiny.bring(micro, run, partial(arm, target, fault))
        _give_back(run)
        case = replace(first, target=target, detail=detail, code=ended.code, failures=left_in(run, whole))
        if ended.code == 0:
            case.failures.append(f"nothing happened: {ended.last_line}")
        else:
            case.hit = target
            case.failures += end_of(ended, target)
        cases.append(case)
    cases[-1].failures += goes_on(micro, run, whole)
    return cases


def goes_on(micro: Micro, run: Path, whole: Undisturbed) -> list[str]:
    """Return what is wrong with a run after it has gone on to its end."""
    last = tiny.bring(micro, run)
    wrong = [f"the last process ended with {last.code}: {last.last_line}"] if last.code != 0 else []
    return wrong + left_in(run, whole, complete=True)


def end_of(
    ended: tiny.Ended, stage: str = "", codes: tuple[int, ...] = (STAGE_INCOMPLETE, RUN_FOLDER)
) -> list[str]:
    """Return what is wrong with the end of a command that a fault has stopped.

    Args:
        ended: The command.
        stage: What its message has to name, unless the run's folder is to blame.
        codes: The exit codes that it may have.
    """
    wrong = []
    if ended.code not in codes:
        wrong.append(f"ended with {ended.code}: {ended.last_line}")
    if "Traceback" in ended.said or "Exception ignored" in ended.said:
        wrong.append(f"a traceback: {ended.said[-400:]}")
    named = ended.code == RUN_FOLDER or stage in ended.last_line
    if not ended.last_line.startswith("error: ") or not named:
        wrong.append(f"does not tell what is wrong: {ended.last_line}")
    return wrong


def left_in(run: Path, whole: Undisturbed, complete: bool = False) -> list[str]:
    """Return what is wrong with the files of a run: each is as in the undisturbed run, or is not there."""
    found = tiny.results(run)
    wrong = [
        f"{name} is not as in the undisturbed run" for name in found if found[name] != whole.results.get(name)
    ]
    if complete:
        wrong += [f"{name} is missing" for name in sorted(whole.results.keys() - found.keys())]
        wrong += [f"left over: {name}" for name in tiny.leftovers(run)]
    return wrong


def arm(stage: str, fault: Callable[[], None]) -> None:
    """Let something happen in this process as soon as a stage begins."""
    begin = Record.begin

    def begun(record: Record, name: str) -> None:
        begin(record, name)
        if name == stage:
            fault()

    Record.begin = begun  # type: ignore[method-assign]


# What can happen.


def full_disk(most: int) -> None:
    """Let no file grow beyond some bytes: what a quota or a full disk does, without a disk of one's own."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def read_only(folder: Path) -> None:
    """Take away the right to change a folder, and root's to do so all the same."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o555)
    obey_modes()


def obey_modes() -> None:
    """Give up all capabilities of this process: root ignores the modes of files, its owner alone does not."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.capset(_CAPABILITIES, bytes(24)) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def broken_device(error: str, after: int) -> None:
    """Let a device work some times and then never again.

    Args:
        error: What it raises: ``torch.OutOfMemoryError``, or ``RuntimeError`` as CUDA's errors are.
        after: Batches that it samples before.
    """
    import torch

    from fit.generation.sampling import Sampler

    kind = torch.OutOfMemoryError if error == "torch.OutOfMemoryError" else RuntimeError
    draw, drawn = Sampler._draw, itertools.count()

    def breaking(*arguments: Any) -> Any:
        if next(drawn) >= after:
            raise kind("CUDA error: device-side assert triggered")
        return draw(*arguments)

    Sampler._draw = breaking  # type: ignore[method-assign]


def backwards_clock() -> None:
    """Let an hour be lost each time that the clock is looked at."""
    hours = itertools.count()
    now = time.time()
    time.time = lambda: now - 3600 * next(hours)
    provenance.now = lambda: datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds")


# What can happen in a stage: from the run, the stage, the undisturbed run and chance, what it is and does.

Fault: TypeAlias = tuple[str, Callable[[], None]]


def _disk_that_fills(run: Path, stage: str, whole: Undisturbed, rng: np.random.Generator) -> Fault:
    """Let the stage's largest file not fit; a process must be able to say so in its log."""
    largest = max(path.stat().st_size for path in (whole.run / stage).rglob("*") if path.is_file())
    most = int(rng.integers(min(LOG_BYTES, largest - 1), largest))
    return f"{most} of {largest} bytes", partial(full_disk, most)


def _rights_that_go(run: Path, stage: str, whole: Undisturbed, rng: np.random.Generator) -> Fault:
    """Let the run's folder, or the stage's, be read-only."""
    place = (run, run / stage)[int(rng.integers(2))]
    return f"{place.relative_to(run.parent)} is read-only", partial(read_only, place)


def _give_back(run: Path) -> None:
    for path in (run, *run.iterdir()):
        if path.is_dir():
            path.chmod(0o755)


KINDS: dict[str, Callable[[Path, str, Undisturbed, np.random.Generator], Fault]] = {
    "full disk": _disk_that_fills,
    "no right to write": _rights_that_go,
}
