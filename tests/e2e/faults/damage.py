"""Files of a finished run that a disk has spoilt, one in each stage: found by digest and computed again."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np

from fit.run import artefacts
from fit.run.receipts import PLAN, RECEIPT
from tests.e2e.faults import tiny
from tests.e2e.faults.diary import Case
from tests.e2e.faults.faults import left_in
from tests.e2e.faults.kills import Undisturbed
from tests.e2e.micro import Micro

Act: TypeAlias = Callable[[Path, np.random.Generator], None]
Damage: TypeAlias = Callable[[Path, np.random.Generator], str]
"""Does something to a stage's folder and returns the file, relative to it."""


def rounds(
    micro: Micro, whole: Undisturbed, home: Path, numbers: Iterable[int], seed: int
) -> Iterator[list[Case]]:
    """Yield what became of copies of a finished run in which a file of each stage was spoilt."""
    for number in numbers:
        run = home / f"damage-{number}"
        shutil.copytree(whole.run, run)
        yield _round(micro, whole, run, number, np.random.default_rng([seed, number]))
        shutil.rmtree(run)


def _round(micro: Micro, whole: Undisturbed, run: Path, number: int, rng: np.random.Generator) -> list[Case]:
    cases = []
    for stage in tiny.NAMES:
        name = list(HOW)[int(rng.integers(len(HOW)))]
        detail = HOW[name](run / stage, rng)
        cases.append(Case(number, name, stage, detail, stage))
    ended = tiny.bring(micro, run)
    for case in cases:
        case.code = ended.code
        told = f"{case.target}: {'' if case.detail == RECEIPT else 'output '}{case.detail} "
        if told not in ended.said:
            case.failures.append(f"not said: {told}")
    if ended.code != 0:
        cases[-1].failures.append(f"ended with {ended.code}: {ended.last_line}")
    cases[-1].failures += left_in(run, whole, complete=True)
    return cases


def _output(folder: Path, rng: np.random.Generator) -> Path:
    """Return an output of a stage that holds anything."""
    found = [p for p in artefacts.finished_files(folder) if p.name not in (PLAN, RECEIPT)]
    return found[int(rng.integers(len(found)))]


def flip(path: Path, rng: np.random.Generator) -> None:
    """Flip one bit of a file."""
    content = bytearray(path.read_bytes())
    content[int(rng.integers(len(content)))] ^= 1 << int(rng.integers(8))
    path.write_bytes(content)


def cut(path: Path, rng: np.random.Generator) -> None:
    """Cut a file off, to anything from nothing to all but its last byte."""
    content = path.read_bytes()
    path.write_bytes(content[: int(rng.integers(len(content)))])


def _to_output(
    act: Callable[[Path, np.random.Generator], None],
) -> Callable[[Path, np.random.Generator], str]:
    def done(folder: Path, rng: np.random.Generator) -> str:
        path = _output(folder, rng)
        act(path, rng)
        return str(path.relative_to(folder))

    return done


def _to_receipt(
    act: Callable[[Path, np.random.Generator], None],
) -> Callable[[Path, np.random.Generator], str]:
    def done(folder: Path, rng: np.random.Generator) -> str:
        act(folder / RECEIPT, rng)
        return RECEIPT

    return done


HOW: dict[str, Damage] = {
    "a bit of an output flipped": _to_output(flip),
    "an output cut off": _to_output(cut),
    "an output removed": _to_output(lambda path, _: path.unlink()),
    "a bit of a receipt flipped": _to_receipt(flip),
    "a receipt cut off": _to_receipt(cut),
}
