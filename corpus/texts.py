"""Many texts as one run of UTF-8 bytes, and their canonical forms, computed on the whole run at once.

`concepts.matching.canonical` defines what is computed here; it works on one text, and takes a microsecond
or two for it. Nearly all bytes of a corpus are ASCII, whose folding is a table of 256 entries. A character
that is not ASCII folds to characters that depend on it alone, so that each one is asked about once and then
written in place; a text that holds one which folds to more bytes than it has (Hangul), or which the order of
combining marks concerns, is left to `canonical` itself.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from concepts.matching import canonical, fold

SPACE = ord(" ")
_CONTROL_SPACES = "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f"
_NO_UTF8 = 0xFF  # a byte that is in no text
_LONGEST = 4  # bytes of a character in UTF-8


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Texts that lie one after the other.

    Attributes:
        data: Their UTF-8 bytes.
        offsets: Where each begins, and where the last one ends, shape (n + 1,), from 0 to len(data).
    """

    data: bytes
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        """Return how many texts there are."""
        return len(self.offsets) - 1

    @classmethod
    def of_arrow(cls, texts: pa.LargeStringArray) -> Texts:
        """Take Arrow strings; a null becomes an empty text."""
        if len(texts) == 0:
            return cls(b"", np.zeros(1, np.int64))
        filled = texts.fill_null("") if texts.null_count else texts
        _, places, data = filled.buffers()
        offsets = np.frombuffer(places, np.int64)[filled.offset : filled.offset + len(filled) + 1]
        view = memoryview(b"" if data is None else data)
        return cls(bytes(view[offsets[0] : offsets[-1]]), offsets - offsets[0])

    @classmethod
    def of_bytes(cls, texts: Sequence[bytes]) -> Texts:
        """Put texts one after the other."""
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        return cls(b"".join(texts), np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]))

    def row_of(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the text in which each byte position lies."""
        return np.searchsorted(self.offsets, positions, side="right") - 1

    def beyond_ascii(self) -> NDArray[np.bool_]:
        """Tell which texts hold a byte beyond ASCII, shape (n,)."""
        data, found = np.frombuffer(self.data, np.uint8), np.zeros(len(self), np.bool_)
        whole = len(data) - len(data) % 8
        words = 8 * np.flatnonzero(data[:whole].view(np.uint64) & np.uint64(0x8080808080808080) != 0)
        rows = self.row_of(words)
        inside = words + 7 < self.offsets[rows + 1]
        found[rows[inside]] = True
        across = words[~inside]  # eight bytes of more than one text
        near = np.concatenate([(across[:, None] + np.arange(8)).ravel(), np.arange(whole, len(data))])
        found[self.row_of(near[data[near] >= 0x80])] = True
        return found


def spaced(data: bytes) -> bytes:
    """Return ASCII texts with each separator as one space; letters keep their case, other bytes stay."""
    return data.translate(_SPACED)


def canonical_texts(texts: Texts) -> Texts:
    """Return the canonical form of each text (a single space may remain at its ends)."""
    folded, left_over = _fold(texts)
    if len(left_over) == 0:
        return _single_spaces(folded)
    view = memoryview(folded.data)
    bounds = folded.offsets.tolist()
    forms: list[bytes] = [bytes(view[bounds[i] : bounds[i + 1]]) for i in range(len(folded))]
    for row in left_over.tolist():
        original = texts.data[texts.offsets[row] : texts.offsets[row + 1]]
        forms[row] = canonical(original.decode()).encode()
    return _single_spaces(Texts.of_bytes(forms))


def _fold(texts: Texts) -> tuple[Texts, NDArray[np.int64]]:
    """Fold texts, separators to spaces; return the rows too that hold a character left to `canonical`."""
    data = np.frombuffer(texts.data.translate(_FOLDED), np.uint8).copy()
    places = np.flatnonzero(data >= 0xC0)
    points, lengths = _decode(data, places)
    _FOLDS.learn(points)
    kinds = _FOLDS.kind[points]
    left_over = np.unique(texts.row_of(places[kinds == _LEFT]))
    changed = kinds == _WRITTEN
    places, points, lengths = places[changed], points[changed], lengths[changed]
    written = _FOLDS.size[points]
    gone = []
    for step in range(_LONGEST):
        inside, kept = lengths > step, written > step
        data[places[kept] + step] = _FOLDS.written[points[kept], step]
        gone.append(places[inside & ~kept] + step)
    return _without(Texts(data.tobytes(), texts.offsets), np.sort(np.concatenate(gone))), left_over


def _single_spaces(texts: Texts) -> Texts:
    """Return the texts with each run of spaces as one."""
    space = np.frombuffer(texts.data, np.uint8) == SPACE
    double = np.flatnonzero(space[1:] & space[:-1]) + 1
    if len(double):  # a space that begins a text belongs to no run of the text before
        double = double[texts.offsets[texts.row_of(double)] != double]
    return _without(texts, double)


def _without(texts: Texts, gone: NDArray[np.int64]) -> Texts:
    """Return the texts without the bytes at some positions, which ascend."""
    if len(gone) == 0:
        return texts
    data = np.frombuffer(texts.data, np.uint8).copy()
    data[gone] = _NO_UTF8
    kept = data.tobytes().translate(None, bytes([_NO_UTF8]))
    return Texts(kept, texts.offsets - np.searchsorted(gone, texts.offsets))


def _decode(
    data: NDArray[np.uint8], places: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the code points of the characters that begin at some places, and their lengths in bytes."""
    lead = data[places].astype(np.int64)
    lengths = 2 + (lead >= 0xE0) + (lead >= 0xF0)
    points = lead & (0xFF >> (lengths + 1))
    for step in range(1, _LONGEST):
        longer = lengths > step
        points[longer] = points[longer] << 6 | (data[places[longer] + step] & 0x3F)
    return points, lengths


_UNKNOWN, _SAME, _WRITTEN, _LEFT = range(4)


class _Folds:
    """What becomes of the characters that have been seen: a table over all code points, filled as they come.

    Attributes:
        kind: Whether a character stays, is overwritten, or is left to `canonical`, shape (0x110000,).
        written: The bytes that it becomes, shape (0x110000, 4).
        size: How many they are, at most as many as the character's own.
    """

    def __init__(self) -> None:
        self.kind = np.full(0x110000, _UNKNOWN, np.uint8)
        self.written = np.zeros((0x110000, _LONGEST), np.uint8)
        self.size = np.zeros(0x110000, np.uint8)

    def learn(self, points: NDArray[np.int64]) -> None:
        """Fill in the characters that have not been seen."""
        for point in np.unique(points[self.kind[points] == _UNKNOWN]).tolist():
            character = chr(point)
            form = _form(character).encode()
            if form == character.encode():
                kind = _SAME
            elif len(form) > len(character.encode()):
                kind = _LEFT
            else:
                kind = _WRITTEN
                self.written[point, : len(form)] = list(form)
                self.size[point] = len(form)
            self.kind[point] = _LEFT if _moves(character) else kind


def _form(character: str) -> str:
    """Return what one character is in a canonical text."""
    return "".join(" " if _separates(each) else each for each in fold(character))


def _separates(character: str) -> bool:
    return character in "-_." or character.isspace() or unicodedata.category(character) == "Pd"


def _moves(character: str) -> bool:
    """Tell whether decomposition may move a character that folding keeps past its neighbours."""
    parts = unicodedata.normalize("NFD", character)
    return any(unicodedata.combining(part) and unicodedata.category(part) != "Mn" for part in parts)


def _tables() -> tuple[bytes, bytes]:
    """Return the tables of `spaced` and of the folding of ASCII."""
    spaced_table = bytearray(range(256))
    for separator in f"{_CONTROL_SPACES}-_.":
        spaced_table[ord(separator)] = SPACE
    spaced_table[ord("`")] = ord("'")
    folded = bytes(spaced_table).lower()
    return bytes(spaced_table), folded


_SPACED, _FOLDED = _tables()
_FOLDS = _Folds()
