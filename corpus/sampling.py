"""A bounded sample of rows that depends on the rows alone, not on their order or on who saw them.

Each row has a key, a digest of (seed, concept, file, row); the sample is the rows with the smallest keys. So
the sample of a union is the sample of the samples, and its first n rows are a random sample of size n.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple


class SampleRow(NamedTuple):
    """One sampled row; rows sort by their key.

    Attributes:
        key: Its 64-bit digest.
        file: The shard's name.
        row: Its number in the file, from 0.
        url: Its address, None where there is none.
        caption: Its caption.
    """

    key: int
    file: str
    row: int
    url: str | None
    caption: str


class RowKeys:
    """The keys of one file's rows for one concept."""

    def __init__(self, seed: int, concept: str, file: str) -> None:
        """Prepare the part of the digest that all rows share."""
        self._shared = hashlib.blake2b(f"{seed}\0{concept}\0{file}\0".encode(), digest_size=8)

    def key(self, row: int) -> int:
        """Return a row's key, uniform over [0, 2**64)."""
        digest = self._shared.copy()
        digest.update(b"%d" % row)
        return int.from_bytes(digest.digest(), "little")


@dataclass(slots=True)
class BottomRows:
    """The rows with the smallest keys among those offered; holds at most twice ``size`` of them.

    Attributes:
        size: How many rows are kept, at least 0.
    """

    size: int
    _rows: list[SampleRow] = field(default_factory=list)
    _largest: int = 2**64

    def takes(self, key: int) -> bool:
        """Tell whether a row with this key would be kept now (so that others need not be built)."""
        return key <= self._largest and self.size > 0

    def offer(self, row: SampleRow) -> None:
        """Keep a row if it is among the smallest so far."""
        if self.takes(row.key):
            self._rows.append(row)
            if len(self._rows) >= 2 * self.size:
                self._rows = smallest(self._rows, self.size)
                self._largest = self._rows[-1].key

    def rows(self) -> tuple[SampleRow, ...]:
        """Return the kept rows in the order of their keys."""
        return tuple(smallest(self._rows, self.size))


def smallest(rows: Iterable[SampleRow], size: int) -> list[SampleRow]:
    """Return the ``size`` rows with the smallest keys (ties by file and row), in that order."""
    return sorted(rows, key=lambda row: row[:3])[:size]
