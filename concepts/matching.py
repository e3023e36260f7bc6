"""When does a text contain a phrase? The rule that every counting engine must agree with.

Two texts are equal when their NFD forms without combining marks (category Mn) casefold equal, all
apostrophes counting as one. A phrase is found as its words in order, separated by any run of white space,
dashes (category Pd), underscores and full stops, where no end of the phrase cuts a word of the text in two.
Letters and digits (categories L* and N*) make up words. An end that is written in a script without spaces
between words may stand anywhere.

Everything here works on the *canonical* form of a text: folded, each run of separators one space. A folded
text is stable (folding it again changes nothing) and folding never turns a separator into something else;
``tests/spec/test_folding.py`` holds both for every character.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from concepts.errors import ConceptsError

APOSTROPHES = "'\u2019\u2018\u02bc\u00b4`\u2032"
"""The characters that count as one apostrophe (CONTRACT: ' ’ ‘ ʼ ´ ` ′)."""

OPEN_SCRIPTS = (
    "\u0e01-\u0e5b"  # Thai
    "\u0e80-\u0eff"  # Lao
    "\u1000-\u109f\ua9e0-\ua9fe\uaa60-\uaa7f"  # Myanmar
    "\u1780-\u17ff"  # Khmer
    "\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c"  # Han and kana marks
    "\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9f\U0001aff0-\U0001afff\U0001b000-\U0001b16f"  # Hiragana, Katakana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00016fe3\U00020000-\U000323af"  # Han
)
"""Ranges (inside a regular expression's set) of the scripts whose words need no boundary.

Han, Hiragana, Katakana, Thai, Lao, Khmer, Myanmar, after Unicode's Scripts.txt. Only letters and digits
matter here. The kana length and repeat marks, which Scripts.txt calls Common, count as kana. The ranges are
wider than the characters assigned today, so that a newer Unicode needs no change.
"""

MINIMUM_WORD_CHARACTERS = 2

_OPEN = re.compile(f"[{OPEN_SCRIPTS}]")
_WORD_RUN = re.compile(r"[^\W_]+")


@cache
def _category(character: str) -> str:
    return unicodedata.category(character)


def _present(text: str, category: str) -> list[str]:
    """Return the different characters of one category that a text holds, ASCII left out."""
    return [each for each in set(text) if not each.isascii() and _category(each) == category]


def fold(text: str) -> str:
    """Return the form in which equal texts are the same string.

    NFD, without combining marks (Mn), casefolded, every apostrophe written ``'``. Marks go before
    casefolding, which would turn one of them (U+0345) into a letter; what casefolding yields holds no mark
    and is in NFD.
    """
    if text.isascii():
        return text.lower().replace("`", "'")
    text = unicodedata.normalize("NFD", text)
    for mark in _present(text, "Mn"):
        text = text.replace(mark, "")
    text = text.casefold()
    for apostrophe in APOSTROPHES:
        text = text.replace(apostrophe, "'")
    return text


def canonical(text: str) -> str:
    """Return the folded text with each run of separators as one space, none at the ends."""
    text = fold(text).replace("-", " ").replace("_", " ").replace(".", " ")
    if not text.isascii():
        for dash in _present(text, "Pd"):
            text = text.replace(dash, " ")
    return " ".join(text.split())


def is_word_character(character: str) -> bool:
    """Tell whether a character belongs to words: a letter or digit (categories L* and N*)."""
    return character.isalnum()


def needs_no_boundary(character: str) -> bool:
    """Tell whether a character is of a script that writes its words without spaces between them."""
    return _OPEN.match(character) is not None


def word_runs(canonical_text: str) -> list[str]:
    """Return the longest runs of letters and digits of a folded text, in order, repeats kept."""
    return _WORD_RUN.findall(canonical_text)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase to look for, in canonical form.

    Attributes:
        needle: The canonical text of the phrase.
        bound_left: Whether a letter or digit may not stand before it.
        bound_right: Whether a letter or digit may not follow it.
    """

    needle: str
    bound_left: bool
    bound_right: bool


def parse_phrase(text: str) -> Phrase:
    """Return the phrase that a name or an alias stands for.

    An end that is no letter or digit itself (``C++``) cuts no word, so that it needs no boundary.

    Raises:
        ConceptsError: Fewer than two letters or digits are left: such a name would be found everywhere.
    """
    needle = canonical(text)
    # NFC: the syllable 김 is one letter, though it is matched as three.
    if sum(map(is_word_character, unicodedata.normalize("NFC", needle))) < MINIMUM_WORD_CHARACTERS:
        raise ConceptsError(
            f"{text!r}: a name needs at least {MINIMUM_WORD_CHARACTERS} letters or digits, a shorter one is "
            "in almost every caption; write it out or leave it away"
        )
    first, last = needle[0], needle[-1]
    return Phrase(needle, bound_left=_is_bound(first), bound_right=_is_bound(last))


def _is_bound(outer: str) -> bool:
    return is_word_character(outer) and not needs_no_boundary(outer)


def occurs(phrase: Phrase, canonical_text: str) -> bool:
    """Tell whether a phrase occurs in a text that is already canonical."""
    needle, length = phrase.needle, len(phrase.needle)
    start = canonical_text.find(needle)
    while start >= 0:
        end = start + length
        left_free = not (phrase.bound_left and start > 0 and canonical_text[start - 1].isalnum())
        right_free = not (phrase.bound_right and end < len(canonical_text) and canonical_text[end].isalnum())
        if left_free and right_free:
            return True
        start = canonical_text.find(needle, start + 1)
    return False


def contains(text: str, phrase: str) -> bool:
    """Tell whether a text contains a phrase by the rules of this module.

    Example:
        >>> contains("After Monet's garden", "Monet"), contains("Monetary policy", "Monet")
        (True, False)

    Raises:
        ConceptsError: The phrase is too short (see `parse_phrase`).
    """
    return occurs(parse_phrase(phrase), canonical(text))
