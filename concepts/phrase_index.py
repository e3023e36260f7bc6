"""Many phrases at once: which of them can a text contain, without looking for each?

A phrase that is bounded on both sides holds at least one run of letters and digits that must stand in the
text as a whole; the one that fewest phrases have, if it is not short, is its *anchor*. A phrase without such
a run ends in a script without word boundaries and is looked up by its two outer characters instead. Whether a
candidate really occurs is then decided by `concepts.matching.occurs`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from concepts.matching import Phrase, canonical, needs_no_boundary, occurs, parse_phrase, word_runs

_SHORT = 3  # letters of words that are in many texts, though they may be in few phrases


class PhraseIndex:
    """An index over phrases; phrases are known by their position.

    Attributes:
        phrases: The phrases, in the order given.
        words: Anchor -> positions of the phrases that need it as a whole run of letters and digits.
        pieces: One or two neighbouring characters -> positions of the phrases that need them somewhere.
    """

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        """Index the phrases."""
        self.phrases: tuple[Phrase, ...] = tuple(phrases)
        self.words: dict[str, list[int]] = {}
        self.pieces: dict[str, list[int]] = {}
        runs = [_whole_runs(phrase) for phrase in self.phrases]
        uses = Counter(run for each in runs for run in set(each))
        for position, phrase in enumerate(self.phrases):
            if runs[position]:
                anchor = min(runs[position], key=lambda run: (len(run) <= _SHORT, uses[run], -len(run)))
                self.words.setdefault(anchor, []).append(position)
            else:
                self.pieces.setdefault(_piece(phrase), []).append(position)
        self._initials = frozenset(piece[0] for piece in self.pieces)

    @classmethod
    def of_texts(cls, texts: Sequence[str]) -> PhraseIndex:
        """Index phrases given as plain texts.

        Raises:
            ConceptsError: One of them is too short (see `concepts.matching.parse_phrase`).
        """
        return cls(map(parse_phrase, texts))

    def candidates(self, folded: str) -> list[int]:
        """Return the positions of the phrases that a folded text may contain, each once, ascending.

        Every phrase that the text contains is among them; not all of them need be contained.
        """
        found: list[int] = []
        for word in self.words.keys() & set(word_runs(folded)):
            found.extend(self.words[word])
        if self.pieces and not self._initials.isdisjoint(folded):
            pieces = {folded[start : start + 2] for start in range(len(folded))} | set(folded)
            for piece in self.pieces.keys() & pieces:
                found.extend(self.pieces[piece])
        return sorted(found)

    def contained(self, text: str) -> list[int]:
        """Return the positions of the phrases that a text contains, in ascending order."""
        form = canonical(text)
        return [position for position in self.candidates(form) if occurs(self.phrases[position], form)]


def _whole_runs(phrase: Phrase) -> list[str]:
    """Return the runs that must stand in a text as a whole."""
    runs = word_runs(phrase.needle)
    if phrase.needle[0].isalnum() and not phrase.bound_left:
        runs = runs[1:]
    if runs and phrase.needle[-1].isalnum() and not phrase.bound_right:
        runs = runs[:-1]
    return runs


def _piece(phrase: Phrase) -> str:
    """Return the two characters at a phrase's unbounded end; one where the other is a separator."""
    at_start = needs_no_boundary(phrase.needle[0])
    pair = phrase.needle[:2] if at_start else phrase.needle[-2:]
    return pair.strip(" ")
