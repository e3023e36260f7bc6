"""Tasks for the executors' tests. They tell of themselves by files, because they run in other processes."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from concepts.errors import CorpusError, FitError

WAIT = 240.0  # seconds after which a test gives up waiting for something that has to come


@dataclass(frozen=True)
class Diary:
    """Lines that several processes append to files of a folder; a line is written whole or not at all."""

    folder: Path

    def note(self, name: str, line: object) -> None:
        handle = os.open(self.folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(handle, f"{line}\n".encode())
        os.close(handle)

    def lines(self, name: str) -> list[str]:
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    def wait_for(self, name: str, lines: int) -> list[str]:
        """Return the lines of a file as soon as there are so many."""
        end = time.monotonic() + WAIT
        while len(self.lines(name)) < lines:
            if time.monotonic() > end:
                raise TimeoutError(f"{name}: {self.lines(name)}")
            time.sleep(0.01)
        return self.lines(name)


@dataclass(frozen=True)
class Task:
    """Squares numbers; subclasses do something else with some of them."""

    diary: Diary

    def __call__(self, item: int) -> Any:
        self.diary.note("tried", item)
        return self.of(item, self.diary.lines("tried").count(str(item)))

    def of(self, item: int, attempt: int) -> Any:
        return item * item


class Loaded(Task):
    """Notes the process each time that it is unpickled; works when two have, and says in which."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.diary.note("loaded", os.getpid())

    def of(self, item: int, attempt: int) -> Any:
        self.diary.wait_for("loaded", 2)
        return item * item, os.getpid()


@dataclass(frozen=True)
class FailsAtFirst(Task):
    """Fails with one item so many times."""

    item: int
    times: int

    def of(self, item: int, attempt: int) -> int:
        if item == self.item and attempt <= self.times:
            raise CorpusError(f"shard {item}: cannot be read; fetch it again")
        return item * item


class Bug(Task):
    """Has a mistake that shows with 3, told in two lines."""

    def of(self, item: int, attempt: int) -> int:
        if item == 3:
            raise ZeroDivisionError("first line\nsecond line")
        return item * item


@dataclass(frozen=True)
class Mistaken(Task):
    """Was given an error to raise with 3."""

    error: FitError

    def of(self, item: int, attempt: int) -> int:
        if item == 3:
            raise self.error
        return item * item


@dataclass(frozen=True)
class Kills(Task):
    """Kills its own process with one item so many times."""

    item: int
    times: int

    def of(self, item: int, attempt: int) -> int:
        if item == self.item and attempt <= self.times:
            os.kill(os.getpid(), signal.SIGKILL)
        return item * item


class Unpicklable(Task):
    """Returns with 3 what no other process can be sent."""

    def of(self, item: int, attempt: int) -> Any:
        return (lambda: None) if item == 3 else item * item


class NeedsWhatIsNotThere(Task):
    """Cannot be unpickled."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        raise ModuleNotFoundError("No module named 'nowhere'")


class DiesAsItIsLoaded(Task):
    """Ends the process that unpickles it."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        os._exit(3)


@dataclass(frozen=True)
class Hangs(Task):
    """Is through with some items, then notes its process and works without end."""

    done: int = 0

    def of(self, item: int, attempt: int) -> int:
        if item >= self.done:
            self.diary.note("at work", os.getpid())
            time.sleep(10 * WAIT)
        return item


@dataclass(frozen=True)
class HangsOnce(Task):
    """Works without end at its first attempt with one item, and notes its process."""

    item: int

    def of(self, item: int, attempt: int) -> int:
        if item == self.item and attempt == 1:
            self.diary.note("at work", os.getpid())
            time.sleep(10 * WAIT)
        return item * item


class Environment(Loaded):
    """Returns what its process may use."""

    def of(self, item: int, attempt: int) -> dict[str, str]:
        self.diary.wait_for("loaded", 2)
        from corpus.executors import threads_here

        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "CUDA_VISIBLE_DEVICES")
        found = {name: os.environ.get(name, "") for name in names}
        return found | {"threads here": str(threads_here()), "pid": str(os.getpid())}
