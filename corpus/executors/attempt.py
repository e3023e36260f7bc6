"""One attempt at one item, and what a worker tells of it: the same in this process and in any other."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb
from typing import Any, TypeAlias

from concepts.errors import CorpusError, FitError, StageIncomplete, TooLittleData

OF_ONE_ITEM = (CorpusError, StageIncomplete, TooLittleData)
"""The errors that concern one item; any other FitError concerns the whole work."""


@dataclass(frozen=True, slots=True)
class Returned:
    """The task returned.

    Attributes:
        result: What it returned.
    """

    result: Any


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt failed.

    Attributes:
        reason: Why, one line.
        error: An error that concerns the whole work, to be raised; None when it concerns the item.
    """

    reason: str
    error: FitError | None = None


Answer: TypeAlias = Returned | Failed


def attempt(task: Callable[[Any], Any], item: Any) -> Answer:
    """Try an item. KeyboardInterrupt and SystemExit pass through."""
    try:
        return Returned(task(item))
    except OF_ONE_ITEM as error:
        return Failed(_one_line(error))
    except FitError as error:
        return Failed(_one_line(error), error)
    except Exception as error:  # noqa: BLE001 (the edge of an item: whatever it is, the others go on)
        return Failed(told(error))


def attempt_packed(task: Callable[[Any], Any], item: bytes) -> Answer:
    """Try an item that was pickled; one that cannot be loaded here is a failed attempt."""
    return attempt(lambda data: task(pickle.loads(data)), item)  # noqa: S301 (from the process that maps)


def packed(answer: Answer) -> bytes:
    """Return an answer as bytes; a result that cannot be pickled is a failed attempt."""
    try:
        return pickle.dumps(answer, pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # noqa: BLE001 (pickling runs code of the result's class)
        kind = type(answer.result).__name__ if isinstance(answer, Returned) else type(answer.error).__name__
        return pickle.dumps(Failed(f"{kind}: cannot be sent back from a worker ({_one_line(error)})"))


def told(error: Exception) -> str:
    """Return an unforeseen error as one line, with the place where it was raised."""
    frames = extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    message = _one_line(error)
    return f"{type(error).__name__}{': ' + message if message else ''}{place}"


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
