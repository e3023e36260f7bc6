"""Stored rows, in memory or still in their file."""

from __future__ import annotations

import os
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from concepts.errors import CorpusError

Numbers: TypeAlias = NDArray[np.floating[Any]]
STORED = (np.dtype(np.float16), np.dtype(np.float32))


class OpenFile:
    """A file that can be read at any place by several threads, open as long as somebody holds it."""

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            OSError: It cannot be opened.
        """
        self.path = path
        self._handle = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._handle)

    def read(self, start: int, size: int) -> bytes:
        """Return so many bytes from a place.

        Raises:
            CorpusError: The file ends before, or cannot be read.
        """
        try:
            content = os.pread(self._handle, size, start)
        except OSError as error:
            raise CorpusError(f"{self.path}: cannot be read ({error.strerror or error})") from error
        if len(content) < size:
            raise CorpusError(f"{self.path}: has become shorter than its header says; fetch it again")
        return content


@dataclass(frozen=True, slots=True)
class FileRows:
    """Rows of an open file that are read whenever they are looked at, as `numpy.asarray` does.

    They are not mapped into memory: reading a few hundred at a time is at least as fast, none of the file
    counts as the process's memory, and a file that is cut short meanwhile is an error and no fatal signal.

    Attributes:
        file: The file.
        offset: Where the first row begins, in bytes.
        shape: (rows, dimensions).
        dtype: How they are stored.
    """

    file: OpenFile
    offset: int
    shape: tuple[int, int]
    dtype: np.dtype[Any]

    def __len__(self) -> int:
        """Return how many rows there are."""
        return self.shape[0]

    def __getitem__(self, part: slice) -> FileRows:
        """Return some of the rows that follow each other."""
        start, stop, step = part.indices(len(self))
        if step != 1:
            raise ValueError(f"a step of {step}: rows are read one after the other")
        return FileRows(
            self.file,
            self.offset + start * self._row_size,
            (max(0, stop - start), self.shape[1]),
            self.dtype,
        )

    def __array__(self, dtype: np.dtype[Any] | None = None, copy: bool | None = None) -> Numbers:
        """Read the rows.

        Raises:
            CorpusError: They cannot be read.
        """
        content = self.file.read(self.offset, len(self) * self._row_size)
        rows: Numbers = np.frombuffer(content, self.dtype).reshape(self.shape)
        return rows if dtype is None and not copy else np.array(rows, dtype)

    def single(self, rows: NDArray[np.int64]) -> Numbers:
        """Read rows that may lie far apart.

        Raises:
            CorpusError: They cannot be read.
        """
        size = self._row_size
        content = b"".join(self.file.read(self.offset + row * size, size) for row in rows.tolist())
        found: Numbers = np.frombuffer(content, self.dtype).reshape(len(rows), self.shape[1])
        return found

    @property
    def _row_size(self) -> int:
        return self.shape[1] * self.dtype.itemsize


Stored: TypeAlias = Numbers | FileRows
