"""Many texts as one run of UTF-8 bytes, and their canonical forms, computed on the whole run at once.

`concepts.matching.canonical` defines what is computed here; it works on one text, and takes a microsecond
or two for it. Nearly all bytes of a corpus are ASCII, whose folding is a table of 256 entries. A character
that is not ASCII folds to characters that depend on it alone, so that each one is asked about once and then
written in place; a text that holds one which folds to more bytes than it has (Hangul), or which the order of
combining marks concerns, is left to `canonical` itself.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from concepts.matching import canonical, fold

SPACE = ord(" ")
_CONTROL_SPACES = "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f"
_NO_UTF8 = 0xFF  # a byte that is in no text
_LONGEST = 4  # bytes of a character in UTF-8
_WORD = 8  # bytes that are asked about at once
_BLOCK = 1 << 18  # bytes that are worked on while they are in the processor's cache

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Texts that lie one after the other.

    Attributes:
        data: Their UTF-8 bytes, shape (m,); not to be written to.
        offsets: Where each begins, and where the last one ends, shape (n + 1,), from 0 to m.
    """

    data: Bytes
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        """Return how many texts there are."""
        return len(self.offsets) - 1

    @classmethod
    def of_arrow(cls, texts: pa.LargeStringArray) -> Texts:
        """Take Arrow strings, without a copy; a null becomes an empty text."""
        if len(texts) == 0:
            return cls(np.zeros(0, np.uint8), np.zeros(1, np.int64))
        filled = texts.fill_null("") if texts.null_count else texts
        _, places, data = filled.buffers()
        offsets = np.frombuffer(places, np.int64)[filled.offset : filled.offset + len(filled) + 1]
        every = np.zeros(0, np.uint8) if data is None or data.size == 0 else np.frombuffer(data, np.uint8)
        return cls(every[offsets[0] : offsets[-1]], offsets - offsets[0])

    @classmethod
    def of_bytes(cls, texts: Sequence[bytes]) -> Texts:
        """Put texts one after the other."""
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        return cls(
            np.frombuffer(b"".join(texts), np.uint8),
            np.concatenate([np.zeros(1, np.int64), lengths.cumsum()]),
        )

    def row_of(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the text in which each byte position lies."""
        return np.searchsorted(self.offsets, positions, side="right") - 1

    def bytes_of(self, row: int) -> bytes:
        """Return one text."""
        return self.data[self.offsets[row] : self.offsets[row + 1]].tobytes()

    def unusual(self) -> NDArray[np.bool_]:
        """Tell which texts hold a byte beyond ASCII or a control character, shape (n,)."""
        found = np.zeros(len(self), np.bool_)
        words = _words_with(self.data, _is_unusual)
        rows = self.row_of(words)
        inside = words + _WORD <= self.offsets[rows + 1]
        found[rows[inside]] = True
        places = _bytes_of(words[~inside], len(self.data))  # of words that lie in more than one text
        found[self.row_of(places[_is_unusual(self.data[places])])] = True
        return found


def spaced(data: Bytes) -> Bytes:
    """Return texts with each hyphen, full stop and underscore as a space; other bytes stay.

    This is what `concepts.matching` does to the separators of ASCII texts without control characters.
    """
    result = np.empty_like(data)
    separates, other = np.empty(_BLOCK, np.bool_), np.empty(_BLOCK, np.bool_)
    for start in range(0, len(data), _BLOCK):
        block, into = data[start : start + _BLOCK], result[start : start + _BLOCK]
        separator, underscore = separates[: len(block)], other[: len(block)]
        np.subtract(block, ord("-"), out=into)
        np.less(into, 2, out=separator)  # the full stop follows the hyphen
        np.equal(block, ord("_"), out=underscore)
        np.logical_or(separator, underscore, out=separator)
        # Whole bytes as masks: eight times as fast as a choice by a mask of truths.
        mask = separator.view(np.uint8)
        np.negative(mask, out=mask)
        np.bitwise_xor(block, SPACE, out=into)
        np.bitwise_and(into, mask, out=into)
        np.bitwise_xor(into, block, out=into)
    return result


def canonical_texts(texts: Texts) -> Texts:
    """Return the canonical form of each text (a single space may remain at its ends)."""
    folded, left_over = _fold(texts)
    if len(left_over) == 0:
        return folded
    forms = list(map(folded.bytes_of, range(len(folded))))
    for row in left_over.tolist():
        forms[row] = canonical(texts.bytes_of(row).decode()).encode()
    return Texts.of_bytes(forms)


def _fold(texts: Texts) -> tuple[Texts, NDArray[np.int64]]:
    """Fold texts, separators to single spaces; return the rows too that are left to `canonical`.

    Bytes that a character no longer needs are marked first and taken out at the end, once: those of a
    separator become spaces themselves, and a run of spaces is made one anyway. Where a character vanishes
    behind a space, its mark would hide that two spaces meet; such a text is left over.
    """
    data = np.frombuffer(bytearray(texts.data.tobytes().translate(_FOLDED)), np.uint8)
    places = np.flatnonzero(data >= 0xC0)  # where a character begins
    points, lengths = _decode(data, places)
    _FOLDS.learn(points)
    kinds = _FOLDS.kind[points]
    left = places[kinds == _LEFT]
    changed = kinds == _WRITTEN
    places, points, lengths = places[changed], points[changed], lengths[changed]
    sizes, remains = _FOLDS.size[points], _FOLDS.remains[points]
    vanished = places[(sizes == 0) & (places > 0)]
    for step in range(int(lengths.max(initial=0))):
        data[places + step] = np.where(sizes > step, _FOLDS.written[points, step], remains)
        shorter = lengths > step + 1
        if not shorter.all():
            lengths, places, points = lengths[shorter], places[shorter], points[shorter]
            sizes, remains = sizes[shorter], remains[shorter]
    hidden = vanished[(data[vanished - 1] == SPACE) | (data[vanished - 1] == _NO_UTF8)]
    left_over = np.unique(texts.row_of(np.concatenate([left, hidden])))
    return _without_marks(_single_spaces(Texts(data, texts.offsets))), left_over


def _single_spaces(texts: Texts) -> Texts:
    """Mark, in place, all spaces but the first of each run."""
    data = texts.data
    space = data == SPACE
    places = np.flatnonzero(space[1:] & space[:-1]) + 1
    # A space that begins a text belongs to no run of the text before.
    data[places[texts.offsets[texts.row_of(places)] != places]] = _NO_UTF8
    return texts


def _without_marks(texts: Texts) -> Texts:
    """Return the texts without the bytes that are marked."""
    kept = texts.data != _NO_UTF8
    gone = np.flatnonzero(~kept)
    if len(gone) == 0:
        return texts
    return Texts(texts.data[kept], texts.offsets - np.searchsorted(gone, texts.offsets))


def _is_unusual(data: Bytes) -> NDArray[np.bool_]:
    return data - np.uint8(SPACE) >= 0x80 - SPACE


def _words_with(data: Bytes, test: Callable[[Bytes], NDArray[np.bool_]]) -> NDArray[np.int64]:
    """Return where the words of eight bytes begin in which a test is true of some byte.

    The last word may be shorter.
    """
    whole, found = len(data) - len(data) % _WORD, [np.zeros(0, np.int64)]
    for start in range(0, whole, _BLOCK):
        truth = test(data[start : min(start + _BLOCK, whole)])
        found.append(start + _WORD * np.flatnonzero(truth.view(np.uint64) != 0))
    if test(data[whole:]).any():
        found.append(np.array([whole]))
    return np.concatenate(found)


def _bytes_of(words: NDArray[np.int64], end: int) -> NDArray[np.int64]:
    """Return the places of all bytes of some words, ascending."""
    places = (words[:, None] + np.arange(_WORD)).ravel()
    return places[places < end]


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
        remains: What becomes of those of the character's own that it no longer needs.
    """

    def __init__(self) -> None:
        self.kind = np.full(0x110000, _UNKNOWN, np.uint8)
        self.written = np.zeros((0x110000, _LONGEST), np.uint8)
        self.size = np.zeros(0x110000, np.uint8)
        self.remains = np.full(0x110000, _NO_UTF8, np.uint8)

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
                if form.endswith(b" "):
                    self.remains[point] = SPACE
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


def _folding() -> bytes:
    """Return the table of the folding of ASCII."""
    table = bytearray(range(256))
    for separator in f"{_CONTROL_SPACES}-_.":
        table[ord(separator)] = SPACE
    table[ord("`")] = ord("'")
    return bytes(table).lower()


_FOLDED = _folding()
_FOLDS = _Folds()
