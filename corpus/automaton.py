"""Finding phrases with Hyperscan: one automaton over all of them sees a batch as one run of bytes.

A first scan sees the captions as they are, but for separators, which are made spaces: it is right for every
caption of printable ASCII that has single separators and no backticks inside its names, nearly all. The
others are few: those with other characters, and those where a word of a name has two separators or a backtick
at its side. Of these the canonical forms are scanned. What the automaton reports is the end of a phrase
somewhere in the batch; that it lies in one caption, and between word boundaries, is checked for all hits at
once.

Hyperscan: Wang et al. 2019, "Hyperscan: A Fast Multi-pattern Regex Matcher for Modern CPUs", NSDI.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from concepts.matching import Phrase, canonical, occurs
from corpus.hits import Hits
from corpus.texts import Texts, canonical_texts, spaced

LONGEST = 1024
"""Bytes of a phrase that the automaton looks for; what is longer is then confirmed by itself."""

_BITS = 40  # of a hit's place: a batch has less than a TiB
_LONG = 6  # bytes of a word that does not end or begin many others
_RUN = 5  # spaces in a row that are rare before a certain word
_FEWEST = 1500  # literals of an automaton
_NO_WORD, _WORD, _UNKNOWN = range(3)
_KINDS = np.array(
    [_UNKNOWN if byte >= 128 else _WORD if chr(byte).isalnum() else _NO_WORD for byte in range(256)], np.uint8
)


class Automaton:
    """Hyperscan's automaton over many phrases. Compiled once, and pickled as it is compiled."""

    name = "hyperscan"

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        """Compile the phrases: four seconds for 100,000."""
        self._phrases = tuple(phrases)
        needles = [phrase.needle.encode() for phrase in self._phrases]
        sizes = np.fromiter(map(len, needles), np.int64, len(needles))
        self._certain = sizes <= LONGEST
        self._sizes = np.minimum(sizes, LONGEST)
        self._bound_left = np.array([phrase.bound_left for phrase in self._phrases], np.bool_)
        self._bound_right = np.array([phrase.bound_right for phrase in self._phrases], np.bool_)
        literals = [needle[:LONGEST] for needle in needles] + sorted(_gaps(needles) | _backticks(needles))
        self._literals = literals + _padding(len(literals))
        self._database = _compiled(self._literals)

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs; the compiled automaton as Hyperscan's own bytes."""
        import hyperscan

        return {**self.__dict__, "_database": hyperscan.dumpb(self._database)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take up what another process sent; compile again where the processor is of another kind."""
        import hyperscan

        self.__dict__.update(state)
        try:
            self._database = hyperscan.loadb(state["_database"], hyperscan.HS_MODE_BLOCK)
            self._database.scratch = hyperscan.Scratch(self._database)
        except hyperscan.error:
            self._database = _compiled(self._literals)

    def find(self, texts: pa.LargeStringArray) -> Hits:
        """Find the phrases, as `Finder` says."""
        batch = Texts.of_arrow(texts)
        plain = Texts(spaced(batch.data), batch.offsets)
        phrases, ends = self._scan(plain.data)
        gap, others = phrases >= len(self._phrases), batch.unusual()
        others[plain.row_of(ends[gap] - 1)] = True
        hits = self._confirmed(plain, phrases[~gap], ends[~gap], ~others)
        return Hits.together([hits, self._find_canonical(texts, np.flatnonzero(others))])

    def _find_canonical(self, texts: pa.LargeStringArray, rows: NDArray[np.int64]) -> Hits:
        forms = canonical_texts(Texts.of_arrow(texts.take(pa.array(rows))))
        phrases, ends = self._scan(forms.data)
        gap = phrases >= len(self._phrases)
        hits = self._confirmed(forms, phrases[~gap], ends[~gap], np.ones(len(rows), np.bool_))
        return Hits(rows[hits.rows], hits.phrases)

    def _scan(self, data: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return which literals end where (the place behind the last byte)."""
        found = array("Q")

        def note(literal: int, _start: int, end: int, _flags: int, _context: object) -> None:
            found.append(literal << _BITS | end)

        self._database.scan(data, match_event_handler=note)
        hits = np.frombuffer(found, np.uint64).astype(np.int64) if found else np.zeros(0, np.int64)
        return hits >> _BITS, hits & ((1 << _BITS) - 1)

    def _confirmed(
        self, texts: Texts, phrases: NDArray[np.int64], ends: NDArray[np.int64], wanted: NDArray[np.bool_]
    ) -> Hits:
        """Return the hits that lie in one wanted text and cut no word in two."""
        starts = ends - self._sizes[phrases]
        rows = texts.row_of(starts)
        inside = (ends <= texts.offsets[rows + 1]) & wanted[rows]
        phrases, starts, ends, rows = phrases[inside], starts[inside], ends[inside], rows[inside]
        data, last = texts.data, len(texts.data) - 1
        open_left = ~self._bound_left[phrases] | (starts == texts.offsets[rows])
        open_right = ~self._bound_right[phrases] | (ends == texts.offsets[rows + 1])
        left = np.where(open_left, _NO_WORD, _KINDS[data[starts - 1]])
        right = np.where(open_right, _NO_WORD, _KINDS[data[np.minimum(ends, last)]])
        certain = self._certain[phrases]
        right[~certain] = _UNKNOWN
        sure = (left == _NO_WORD) & (right == _NO_WORD)
        unsure = np.flatnonzero(~sure & (left != _WORD) & (right != _WORD))
        for hit in unsure.tolist():
            text = canonical(texts.bytes_of(int(rows[hit])).decode())
            sure[hit] = occurs(self._phrases[phrases[hit]], text)
        return Hits(rows[sure], phrases[sure])


def _gaps(needles: Sequence[bytes]) -> set[bytes]:
    """Return what tells that separators inside a phrase may be more than one.

    Of each two neighbouring words the second after two spaces, if it is long; a short one ends or begins many
    other words, so that the first is looked for too, with two to four spaces between, or five before.
    """
    words = (needle[:LONGEST].split(b" ") for needle in needles)
    pairs = {pair for each in words for pair in itertools.pairwise(each)}
    short = {(left, right) for left, right in pairs if len(right) < _LONG}
    after_two = {b"  " + right for _, right in pairs - short}
    between = {left + b" " * run + right for left, right in short for run in range(2, _RUN)}
    return after_two | between | {b" " * _RUN + right for _, right in short}


def _backticks(needles: Sequence[bytes]) -> set[bytes]:
    """Return what tells that a backtick stands for an apostrophe of a phrase: it, and what is around it."""
    parts = (word.split(b"'") for needle in needles for word in needle[:LONGEST].split(b" "))
    return {b"`".join(pair) for each in parts for pair in itertools.pairwise(each)}


def _padding(literals: int) -> list[bytes]:
    """Return literals that are in no text: with fewer than 1,200 Hyperscan chooses a slower algorithm.

    Measured with Hyperscan 5.4 (benchmarks/count_captions.py): 33 against 12 ns for a caption of 68 bytes.
    """
    return [b"\xff%06d" % number for number in range(_FEWEST - literals)]


def _compiled(literals: Sequence[bytes]) -> Any:
    import hyperscan

    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=list(literals),
        ids=list(range(len(literals))),
        elements=len(literals),
        flags=[hyperscan.HS_FLAG_CASELESS] * len(literals),
        literal=True,
    )
    return database
