"""What can go wrong on the way to a shard: tried again a few times, then told in one line.

File systems raise the errors of their network libraries, each a family of its own. They are rows of
`_FAMILIES`, looked up among what has been imported, so that none is imported for the sake of an ``except``.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from concepts.errors import CorpusError
from corpus.sources.places import protocol_of, protocols, redact, shown

WAITS = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each further attempt."""

Result = TypeVar("Result")

_FAMILIES = {
    "aiohttp": ("ClientError",),
    "azure.core.exceptions": ("AzureError",),
    "botocore.exceptions": ("BotoCoreError", "ClientError"),
    "gcsfs.retry": ("HttpError",),
    "google.auth.exceptions": ("GoogleAuthError",),
    "httpx": ("HTTPError", "InvalidURL"),
    "httpx2": ("HTTPError", "InvalidURL"),
    "huggingface_hub.errors": ("HfHubHTTPError",),
    "requests": ("RequestException",),
}
_ABSENT = (FileNotFoundError, IsADirectoryError, NotADirectoryError)
_LASTING = (*_ABSENT, PermissionError, ValueError, NotImplementedError)
_REFUSALS = (ValueError, RuntimeError, TypeError, KeyError)  # what was asked for is nothing that is known
_WORTH_ANOTHER_TRY = (408, 425, 429)  # of the 4xx answers: timeout, too early, too many requests


def faults(*more: type[Exception]) -> tuple[type[Exception], ...]:
    """Return the errors that file systems raise when a place cannot be read, and some more."""
    families: Iterator[type[Exception]] = (
        getattr(sys.modules[module], name)
        for module, names in _FAMILIES.items()
        if module in sys.modules
        for name in names
    )
    return (OSError, EOFError, ValueError, NotImplementedError, *families, *more)


def attempt(call: Callable[[], Result], location: str, waits: tuple[float, ...] | None = None) -> Result:
    """Return what a call returns; try again after `WAITS` when a fault may pass.

    Args:
        call: Reads something; may be called several times.
        location: What it reads, for the message.
        waits: Seconds before each further attempt; None: `WAITS`; empty: only one attempt.

    Raises:
        CorpusError: It failed for good, or each time.
    """
    waits = WAITS if waits is None else waits
    for number in range(len(waits) + 1):
        try:
            return call()
        except CorpusError:
            raise
        except faults() as error:
            if number == len(waits) or _lasting(error):
                # Not chained: the libraries' messages can hold signed links and tokens.
                raise situation(error, location, number + 1) from None
        time.sleep(waits[number])
    raise AssertionError("the last attempt returns or raises")


def situation(error: BaseException, location: str, attempts: int = 1) -> CorpusError:
    """Return our error for a fault: what, which place, what to do; on one line and without secrets."""
    place, reason, status = shown(location), told(error), _status(error)
    if isinstance(error, _ABSENT) or status == 404:
        return CorpusError(f"{place}: not found ({reason}); check the path")
    if isinstance(error, PermissionError) or status in {401, 403}:
        row = protocols().get(protocol_of(location).replace("hub", "hf"))
        advice = row.credentials if row else "check the credentials"
        return CorpusError(f"{place}: access refused ({reason}); {advice}")
    if isinstance(error, _REFUSALS) and not isinstance(error, OSError):
        return CorpusError(f"{place}: cannot be read ({reason}); check the path")
    tried = f" after {attempts} attempts" if attempts > 1 else ""
    return CorpusError(f"{place}: cannot be read{tried} ({reason}); check the network and run again")


def told(error: BaseException) -> str:
    """Return an error's first line without secrets, its class when it says nothing.

    A hub's errors say there what number they are, and elsewhere what the server says.
    """
    lines = (getattr(error, "server_message", None) or str(error)).strip().splitlines()
    return redact(lines[0].rstrip(" .:")) if lines else type(error).__name__


def _lasting(error: BaseException) -> bool:
    status = _status(error)
    if status is not None:
        return 400 <= status < 500 and status not in _WORTH_ANOTHER_TRY
    return isinstance(error, _LASTING)


def _status(error: BaseException) -> int | None:
    """Return the HTTP status that an error carries, if any."""
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", getattr(error, "status", None))
    return status if isinstance(status, int) else None
