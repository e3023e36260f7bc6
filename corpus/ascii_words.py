"""Finding whole words in a batch of ASCII captions, with array operations over the batch's bytes.

Every run of letters and digits gets a 64-bit signature, its first eight bytes and its length; a table tells
which signatures could be one of the words; the few runs that remain are compared with the words themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PREFIX = 8
"""Bytes of a run that its signature holds."""

TABLE_BITS = 18
"""The table has 2**18 entries (256 KiB, to stay in a processor's cache); 100,000 words fill a third of it."""

_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio, odd: spreads differences to the upper bits


@dataclass(frozen=True, slots=True, eq=False)
class WordHits:
    """Where words were found.

    Attributes:
        rows: The texts' indices, ascending, shape (h,).
        words: The words' positions, shape (h,).
    """

    rows: NDArray[np.int64]
    words: NDArray[np.int64]


class AsciiWords:
    """A set of words to find as whole runs of ASCII letters and digits, whatever their case.

    Attributes:
        words: The words, in lower case.
    """

    def __init__(self, words: Iterable[bytes]) -> None:
        """Take the words: lower-case ASCII letters and digits only."""
        self.words: tuple[bytes, ...] = tuple(words)
        self._positions = {word: position for position, word in enumerate(self.words)}
        self._table = np.zeros(1 << TABLE_BITS, np.bool_)
        text = b" ".join(self.words)
        starts, ends = _runs(text, np.array([0, len(text)], np.int64))
        self._table[_slots(text, starts, ends)] = True

    def find(self, text: bytes, offsets: NDArray[np.int64]) -> WordHits:
        """Find the words in texts that lie one after the other.

        Args:
            text: Bytes of all texts; bytes of 128 and more count as spaces.
            offsets: Where each text starts, and where the last one ends, shape (n + 1,), from 0 to len(text).
        """
        clean = text.translate(_WORDS_ONLY)
        starts, ends = _runs(clean, offsets)
        possible = np.flatnonzero(self._table[_slots(clean, starts, ends)])
        starts, ends = starts[possible], ends[possible]
        runs = zip(starts.tolist(), ends.tolist(), strict=True)
        words = np.array([self._positions.get(clean[start:end], -1) for start, end in runs], np.int64)
        rows = np.searchsorted(offsets, starts, side="right") - 1
        return WordHits(rows=rows[words >= 0], words=words[words >= 0])


def _runs(clean: bytes, offsets: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return start and end of every run of non-spaces, none of which reaches over an offset."""
    length = len(clean)
    inside = np.frombuffer(clean, np.uint8) != ord(" ")
    starts, ends = inside.copy(), inside.copy()
    starts[1:] &= ~inside[:-1]
    ends[:-1] &= ~inside[1:]
    cuts = offsets[(offsets > 0) & (offsets < length)]
    starts[cuts] = inside[cuts]
    ends[cuts - 1] = inside[cuts - 1]
    return np.flatnonzero(starts), np.flatnonzero(ends) + 1


def _slots(clean: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return the table entry of each run, a hash of its first eight bytes and its length."""
    padded = np.frombuffer(clean + bytes(PREFIX), np.uint8)
    windows = np.lib.stride_tricks.sliding_window_view(padded, PREFIX)
    prefixes: NDArray[np.uint64] = windows[starts].view("<u8").reshape(-1)
    lengths = ends - starts
    signatures: NDArray[np.uint64] = prefixes & _MASKS[np.minimum(lengths, PREFIX)]
    return ((signatures ^ lengths.astype(np.uint64)) * _MIX) >> np.uint64(64 - TABLE_BITS)


def _words_only() -> bytes:
    """Return the table that lowers ASCII letters, keeps digits, and makes every other byte a space."""
    kept = (chr(code).lower().encode() if chr(code).isalnum() else b" " for code in range(128))
    return b"".join(kept) + b" " * 128


_WORDS_ONLY = _words_only()
_MASKS = np.array([(1 << (8 * length)) - 1 for length in range(PREFIX + 1)], np.uint64)
