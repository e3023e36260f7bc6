"""Many hostile files, read in processes of their own; a process that dies is itself a finding."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from tests.conftest import ROOT
from tests.property.hostile.readers import READERS
from tests.property.hostile.worker import Tally

Job = tuple[str, int, int]
"""A reader, its first case, and how many."""

DYING = 5
"""So often may a reader take its process with it before the rest of a job is given up."""


def campaign(
    wanted: Sequence[Job],
    seed: int,
    processes: int,
    module: str = "tests.property.hostile.readers",
    diary: Path | None = None,
) -> dict[str, Tally]:
    """Give hostile files to readers, and return what became of them by reader.

    Args:
        wanted: Which readers, and which of their cases.
        seed: Decides what the cases are.
        processes: How many read.
        module: Where the table of the readers is.
        diary: Where each job that is done is noted, a line of JSON each; those that stand there already are
            not done again, so that an interrupted campaign goes on.
    """
    kept = _kept(diary)
    waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
    for job in wanted:
        if (*job, seed) not in kept:
            waiting.put(job)

    def work(_: int) -> None:
        for job, tally in _work(waiting, seed, module):
            kept[*job, seed] = tally
            if diary is not None:
                with diary.open("a") as file:
                    file.write(json.dumps([*job, seed, asdict(tally)]) + "\n")

    with ThreadPoolExecutor(processes) as pool:
        list(pool.map(work, range(processes)))
    names = dict.fromkeys(name for name, *_ in wanted)
    return {name: merged(kept[*job, seed] for job in wanted if job[0] == name) for name in names}


def _kept(diary: Path | None) -> dict[tuple[str, int, int, int], Tally]:
    if diary is None or not diary.is_file():
        return {}
    lines = [json.loads(line) for line in diary.read_text().splitlines()]
    return {(name, first, count, seed): Tally(**tally) for name, first, count, seed, tally in lines}


def jobs(total: int, piece: int) -> list[Job]:
    """Cut so many cases, of each reader its share but at least ten, into jobs of at most ``piece``."""
    shares = sum(reader.share for reader in READERS)
    counts = {reader.name: max(10, -(-total * reader.share // shares)) for reader in READERS}
    return [
        (name, first, min(piece, count - first))
        for name, count in counts.items()
        for first in range(0, count, piece)
    ]


def merged(tallies: Iterable[Tally]) -> Tally:
    """Return several tallies as one."""
    whole = Tally()
    for each in tallies:
        whole.cases += each.cases
        whole.refused += each.refused
        whole.failures += each.failures
        whole.cpu_seconds = max(whole.cpu_seconds, each.cpu_seconds)
        whole.grown = max(whole.grown, each.grown)
    return whole


def _work(waiting: queue.SimpleQueue[Job], seed: int, module: str) -> Iterator[tuple[Job, Tally]]:
    with tempfile.TemporaryDirectory(prefix="fit-campaign-") as folder:
        worker = _Worker(Path(folder), module)
        try:
            while True:
                name, first, count = job = waiting.get_nowait()
                yield job, _job(worker, name, range(first, first + count), seed)
        except queue.Empty:
            return
        finally:
            worker.stop()


def _job(worker: _Worker, name: str, cases: range, seed: int) -> Tally:
    """Have a job done; after a death its process is started again with the case behind the deadly one."""
    parts: list[Tally] = []
    while cases and len(parts) <= DYING:
        answer = worker.ask([name, cases.start, len(cases), seed])
        if answer is not None:
            return merged([*parts, Tally(**json.loads(answer))])
        deadly, how = worker.last_words()
        parts.append(Tally(deadly + 1 - cases.start, failures=[{"case": deadly, "error": how}]))
        cases = range(deadly + 1, cases.stop)
    return merged(parts)


class _Worker:
    """A process of `worker`, started when there is something to do."""

    def __init__(self, folder: Path, module: str) -> None:
        self._place, self._log, self._module = folder / "place", folder / "log", module
        self._process: subprocess.Popen[str] | None = None

    def ask(self, job: list[object]) -> str | None:
        """Return the answer to a job; None where the process has died of it."""
        if self._process is None:
            self._place.write_bytes(b"%12d" % int(str(job[1])))
            with self._log.open("w") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "tests.property.hostile.worker", str(self._place), self._module],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT,
                    env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONFAULTHANDLER": "1"},
                )  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            print(json.dumps(job), file=self._process.stdin, flush=True)
        except BrokenPipeError:
            return None
        return self._process.stdout.readline() or None

    def last_words(self) -> tuple[int, str]:
        """Return the case that the process has died of, and how; the next job starts another."""
        assert self._process is not None
        code = self._process.wait()
        self._process = None
        return int(self._place.read_bytes()), f"ended with {code}: {self._log.read_text()[-2000:]}"

    def stop(self) -> None:
        """End the process, which has no more jobs."""
        if self._process is not None:
            self._process.communicate()
