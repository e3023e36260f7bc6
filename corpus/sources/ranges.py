"""A remote file as DuckDB and pyarrow want it: an object to seek and read, and a file system of one file.

DuckDB 2 reads ahead in several threads that share one such object, and each calls ``seek`` and then ``read``.
With a common position (any fsspec file) they read each other's bytes, so that here each thread has its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from fsspec import AbstractFileSystem

from concepts.errors import FitError

TAIL = 65_536
"""Bytes at a file's end that are fetched together: most footers (read several times) and small files."""

Read = Callable[[int, int], bytes]
"""Returns a file's bytes from a position to before another."""


class Ranges:
    """A file's bytes by position; its end is fetched once and kept."""

    def __init__(self, read: Read, size: int) -> None:
        """Take what fetches bytes, and the file's length."""
        self.size = size
        self.failure: FitError | None = None
        self._read, self._start, self._tail = read, max(0, size - TAIL), b""

    def read(self, start: int, end: int) -> bytes:
        """Return the bytes from ``start`` to before ``end``; what went wrong stays in ``failure``.

        Raises:
            CorpusError: They cannot be had.
        """
        end = min(end, self.size)
        if start >= end:
            return b""
        try:
            if start < self._start:
                return self._read(start, end)
            self._tail = self._tail or self._read(self._start, self.size)
        except FitError as error:
            self.failure = error
            raise
        return self._tail[start - self._start : end - self._start]


class RangeFile:
    """A read-only binary file over `Ranges`, with a position for each thread."""

    def __init__(self, ranges: Ranges) -> None:
        """Take the bytes; the positions start at 0."""
        self._ranges, self._here = ranges, threading.local()
        self.size, self.closed, self.mode = ranges.size, False, "rb"

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move this thread's position, from the start (0), from where it is (1) or from the end (2)."""
        self._here.position = (0, self.tell(), self.size)[whence] + offset
        return self.tell()

    def tell(self) -> int:
        """Return this thread's position."""
        return int(getattr(self._here, "position", 0))

    def read(self, length: int = -1) -> bytes:
        """Return bytes from this thread's position on, all of them for a negative length."""
        start = self.tell()
        data = self._ranges.read(start, self.size if length < 0 else start + length)
        self._here.position = start + len(data)
        return data

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def writable(self) -> bool:
        """Return False."""
        return False

    def flush(self) -> None:
        """Do nothing: there is nothing to write."""

    def close(self) -> None:
        """Close the file."""
        self.closed = True


class OneFile(AbstractFileSystem):  # type: ignore[misc]
    """A file system with one file that can only be read, for DuckDB's ``register_filesystem``."""

    protocol = "shard"
    cachable = False
    path = "shard://file.parquet"

    def __init__(self, ranges: Ranges) -> None:
        """Take the file's bytes."""
        super().__init__()
        self._ranges = ranges

    def open(self, path: str, mode: str = "rb", **_: Any) -> RangeFile:
        """Open the file.

        Raises:
            FileNotFoundError: Another one is asked for, or writing is.
        """
        if path != self.path or mode != "rb":
            raise FileNotFoundError(path)
        return RangeFile(self._ranges)

    def glob(self, path: str, **_: Any) -> list[str]:
        """Return the file when it is the one asked for."""
        return [path] if path == self.path else []

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Return the file's name, type and length in bytes."""
        return {"name": path, "size": self._ranges.size, "type": "file"}

    def modified(self, path: str) -> datetime:
        """Return a fixed time: the session lives no longer than one reading of the file."""
        return datetime.fromtimestamp(0, UTC)

    def unstrip_protocol(self, name: str) -> str:
        """Return the name, which has its protocol."""
        return name
