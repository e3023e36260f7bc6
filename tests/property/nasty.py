"""Texts that break text processing, for hypothesis: marks, ligatures, separators, scripts, look-alikes."""

from __future__ import annotations

import unicodedata

from hypothesis import strategies as st

from tests.spec import reference_counter

SEPARATORS = (
    *(" ", "  ", "-", "\u2014", "_", ".", ". ", "\n", "\r\n", "\t"),
    *("\u00a0", "\u3000", "\u2028", "\x1c", "\ufe58"),
)
APOSTROPHES = ("'", "\u2019", "\u2018", "\u02bc", "\u00b4", "`", "\u2032", "\u1fef", "\u1ffd")
LETTERS = (
    *("a", "b", "A", "B", "s", "S", "n", "I", "i", "1", "2"),
    *("é", "É", "e\u0301", "ß", "ẞ", "ſ", "İ", "ı", "ﬁ", "ŉ", "Σ", "ς", "σ", "ᾳ", "ΐ", "\u1e9a", "ǆ"),
    *("д", "Й", "ا", "آ", "न", "ना", "ஔ", "ꭰ", "Ꭰ", "𐐀", "𐐨", "²", "½", "Ⅷ"),
    *("日", "本", "〆", "々", "が", "か", "ガ", "ー", "ｶ", "ﾞ", "豈", "𠀋", "\U0002f800"),
    *("ก", "ำ", "ກ", "ក", "က", "ာ", "김", "가", "각", "ㄱ"),
)
MARKS = ("\u0301", "\u0345", "\u3099", "\u0300\u0327", "\u20dd", "\u302e")
OTHERS = (
    *(",", "!", "#", "+", "(", "\\", "%", "\x00", "🎨"),
    *("\u200d", "\u00ad", "\ufffd", "\u2212", "\u30fb", "\u3002", "\u037e"),
)

pieces = st.sampled_from((*LETTERS, *LETTERS, *MARKS, *SEPARATORS, *APOSTROPHES, *OTHERS))
texts = st.lists(pieces, max_size=12).map("".join)
words = st.lists(st.sampled_from((*LETTERS, *MARKS, *APOSTROPHES)), min_size=1, max_size=4).map("".join)
ascii_words = st.text("abAB12", min_size=1, max_size=10)


def has_two_word_characters(phrase: str) -> bool:
    """Whether a phrase is long enough to be counted, computed without the code under test."""
    form = unicodedata.normalize("NFC", reference_counter.folded(phrase))
    return sum(map(reference_counter.is_word_character, form)) >= 2


@st.composite
def phrases(draw: st.DrawFn) -> str:
    """A phrase of one to three words."""
    parts = draw(st.lists(st.one_of(words, words, ascii_words), min_size=1, max_size=3))
    return draw(st.sampled_from(SEPARATORS)).join(parts)


@st.composite
def captions(draw: st.DrawFn, known: list[str]) -> str:
    """A caption that often holds one of the known phrases, written otherwise, or nearly so."""
    parts = [draw(texts)]
    for _ in range(draw(st.integers(0, 2))):
        phrase = draw(st.sampled_from(known))
        words_of_it = phrase.split()
        if draw(st.booleans()):
            phrase = draw(st.sampled_from(SEPARATORS)).join(words_of_it)
        change = draw(st.sampled_from((str, str.upper, str.lower, str.swapcase, str.title, str.casefold)))
        form = draw(st.sampled_from(("", "NFC", "NFD", "NFKC")))
        phrase = change(phrase)
        parts.append(unicodedata.normalize(form, phrase) if form else phrase)  # type: ignore[arg-type]
        parts.append(draw(st.one_of(texts, st.just(""), st.just(" "))))
    return "".join(parts)


@st.composite
def catalogues_and_captions(draw: st.DrawFn) -> tuple[list[list[str]], list[str | None]]:
    """Aliases per concept, and captions (some null)."""
    aliases = st.lists(phrases().filter(has_two_word_characters), min_size=1, max_size=3)
    catalogue = draw(st.lists(aliases, min_size=1, max_size=5))
    known = [phrase for each in catalogue for phrase in each]
    caption = st.one_of(captions(known), captions(known), st.none(), texts, st.text("ab12 .-_'", max_size=20))
    return catalogue, draw(st.lists(caption, min_size=1, max_size=12))
