"""Which captions of a batch could name something? The one place that another engine replaces.

A finder may be generous (the exact rules of `concepts.matching` decide afterwards) and must miss nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from concepts.matching import fold
from concepts.phrase_index import PhraseIndex
from corpus.ascii_words import AsciiWords


class CandidateFinder(Protocol):
    """Finds the captions that could hold one of many phrases."""

    def find(self, captions: pa.LargeStringArray) -> Iterator[tuple[int, Collection[int]]]:
        """Yield (index in the batch, positions of phrases), each index at most once, in any order.

        Every phrase that a caption contains is among its positions; others may be. Null and empty captions
        are never yielded.
        """
        ...


class WordIndexFinder:
    """Looks the captions' words up in an index that holds one word of each phrase.

    ASCII captions, nearly all of an English corpus, are taken as bytes straight from the Arrow buffer and
    searched a batch at a time; the others are folded a batch at a time and searched one by one.
    """

    def __init__(self, index: PhraseIndex) -> None:
        """Take an index over the phrases."""
        self._index = index
        self._ascii = AsciiWords(word.encode() for word in index.words if word.isascii())

    def find(self, captions: pa.LargeStringArray) -> Iterator[tuple[int, Collection[int]]]:
        """Yield the candidates of a batch, as `CandidateFinder` says."""
        text, offsets = _bytes_of(captions)
        codes = np.frombuffer(text, np.uint8)
        foreign = np.unique(np.searchsorted(offsets, np.flatnonzero(codes > 127), side="right") - 1)
        yield from self._find_ascii(text, offsets, foreign)
        if len(foreign) > 0:
            yield from self._find_foreign(text, offsets, foreign)

    def _find_ascii(
        self, text: bytes, offsets: NDArray[np.int64], foreign: NDArray[np.int64]
    ) -> Iterator[tuple[int, Collection[int]]]:
        found: dict[int, set[int]] = {}
        hits = self._ascii.find(text, offsets)
        is_foreign = np.isin(hits.rows, foreign)
        for row, word in zip(hits.rows[~is_foreign].tolist(), hits.words[~is_foreign].tolist(), strict=True):
            found.setdefault(row, set()).update(self._index.words[self._ascii.words[word].decode()])
        yield from found.items()

    def _find_foreign(
        self, text: bytes, offsets: NDArray[np.int64], foreign: NDArray[np.int64]
    ) -> Iterator[tuple[int, Collection[int]]]:
        spans = zip(offsets[foreign].tolist(), offsets[foreign + 1].tolist(), strict=True)
        lines = (text[start:end].decode().replace("\n", " ") for start, end in spans)
        # One long text folds several times faster than many short ones; no folding reaches over a line break.
        for row, form in zip(foreign.tolist(), fold("\n".join(lines)).split("\n"), strict=True):
            if positions := self._index.candidates(form):
                yield row, positions


def _bytes_of(captions: pa.LargeStringArray) -> tuple[bytes, NDArray[np.int64]]:
    """Return the captions' UTF-8 bytes one after the other, and their offsets, shape (n + 1,)."""
    if len(captions) == 0:
        return b"", np.zeros(1, np.int64)
    filled = captions.fill_null("")
    _, offset_buffer, data = filled.buffers()
    offsets = np.frombuffer(offset_buffer, np.int64)[filled.offset : filled.offset + len(filled) + 1]
    text = b"" if data is None else memoryview(data)[offsets[0] : offsets[-1]].tobytes()
    return text, offsets - offsets[0]
