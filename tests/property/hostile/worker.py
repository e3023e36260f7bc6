"""A process that gives hostile files to readers: one JSON line for each job that it is given on stdin.

``worker PLACE MODULE``: the readers are those of ``MODULE.READERS``.

A reader that crashes the interpreter, hangs or takes memory without bound takes this process with it and not
the tests; the file that the process is given then holds the case that it was reading.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import resource
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path

from concepts.errors import FitError
from tests.property.hostile.readers import Reader

CPU_SECONDS = 30
"""A file that takes more of them to read stops the process: no reader may hang."""

SECONDS = 300
"""So does one that waits so long for something that never comes."""

SPACE = 3 * 2**30
"""Bytes of address space that reading may take beyond what the process has after its imports."""

CODES = {2, 10, 11, 12, 13, 14, 15, 20, 21}
"""Exit codes of the contract that a file may lead to."""


@dataclass
class Tally:
    """What became of some cases.

    Attributes:
        cases: How many were read.
        refused: Of these, how many the reader refused in one of our errors; it made something of the others.
        failures: Each case that ended otherwise, and how.
        cpu_seconds: Processor time of the slowest.
        grown: Bytes by which the most memory that the process ever held has grown.
    """

    cases: int = 0
    refused: int = 0
    failures: list[dict[str, object]] = field(default_factory=list)
    cpu_seconds: float = 0.0
    grown: int = 0


def main(place: str, module: str) -> None:
    warnings.simplefilter("ignore")
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # nothing that a reader prints is an answer
    readers = {reader.name: reader for reader in importlib.import_module(module).READERS}
    file = os.open(place, os.O_WRONLY | os.O_CREAT)

    @contextmanager
    def bounded(case: int) -> Iterator[None]:
        os.pwrite(file, b"%12d" % case, 0)
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
        signal.alarm(SECONDS)
        yield
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)

    for line in sys.stdin:
        name, first, count, seed = json.loads(line)
        with tempfile.TemporaryDirectory(prefix="fit-hostile-") as folder:
            readers[name].prepare(Path(folder))
            _bound_memory()
            tally = read_all(readers[name], range(first, first + count), seed, Path(folder), bounded)
        print(json.dumps(asdict(tally)), file=answers, flush=True)


def read_all(
    reader: Reader,
    cases: Iterable[int],
    seed: int,
    folder: Path,
    bounded: Callable[[int], AbstractContextManager[None]] = lambda _: nullcontext(),
) -> Tally:
    """Read the cases of a seed, one after the other, each within ``bounded``."""
    before, tally = _most_memory(), Tally()
    for case in cases:
        content = reader.make(random.Random(f"{seed} {reader.name} {case}"))
        begun = _cpu_seconds()
        with bounded(case):
            wrong = _read(reader, content, folder, tally)
        if wrong:
            tally.failures.append({"case": case, **wrong})
        tally.cases += 1
        tally.cpu_seconds = max(tally.cpu_seconds, round(_cpu_seconds() - begun, 3))
    tally.grown = _most_memory() - before
    return tally


def _read(reader: Reader, content: bytes, folder: Path, tally: Tally) -> dict[str, str]:
    """Read one file and return what is wrong with how that ended, if anything."""
    try:
        reader.read(content, folder)
    except FitError as error:
        tally.refused += 1
        if error.exit_code not in CODES or not str(error).strip():
            return {"error": f"exit code {error.exit_code}: {error}"[:300]}
    except BaseException as error:  # noqa: BLE001 (whatever it is, it is a finding)
        told = "".join(traceback.format_exception(error))[-3000:]
        return {"error": f"{type(error).__name__}: {error}"[:300], "traceback": told}
    return {}


def _bound_memory() -> None:
    """Let the address space grow by `SPACE` and no further."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + SPACE
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _most_memory() -> int:
    """The most memory that this process has held so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main(*sys.argv[1:])
