"""One process at a time works on a run folder.

The lock is the kernel's (``flock``), so it falls when its holder dies, however it dies; the file's
content only tells who holds it. A lock file that nobody holds is stale and is taken over.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from concepts.errors import RunFolderError

NAME = "lock"


@dataclass(frozen=True)
class Holder:
    """The process that works on a run folder; pid 0 where it has not written its name yet."""

    pid: int
    host: str


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold the lock of a run folder while the block runs.

    Raises:
        RunFolderError: Another process holds it; the message names its pid and host.
    """
    handle = _acquire(folder / NAME)
    try:
        os.ftruncate(handle, 0)
        os.write(handle, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode())
        yield
    finally:
        try:
            # Unlink before the close: whoever waits for this file sees that it is gone and takes a new one.
            (folder / NAME).unlink(missing_ok=True)
        finally:
            os.close(handle)


def holder(folder: Path) -> Holder | None:
    """Tell which process works on a run folder, or None."""
    try:
        handle = os.open(folder / NAME, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(handle)
    else:
        return None
    finally:
        os.close(handle)


def _acquire(path: Path) -> int:
    tries = 5
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = _read(handle)
            os.close(handle)
            tries -= 1
            if tries:  # `fit status` holds the lock for an instant when it looks
                time.sleep(0.02)
                continue
            raise RunFolderError(
                f"{path.parent}: process {other.pid} on {other.host} works on this run folder; "
                "wait for it or choose another --run"
            ) from None
        if _same_file(handle, path):
            return handle
        os.close(handle)  # its holder has just finished and removed it


def _same_file(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _read(handle: int) -> Holder:
    try:
        content = json.loads(os.pread(handle, 4096, 0))
        return Holder(int(content["pid"]), str(content["host"]))
    except (ValueError, KeyError, TypeError):
        return Holder(0, "an unknown host")
