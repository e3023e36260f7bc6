"""THE DEFINITION of "this caption names this concept": slow, plain, and written to be read.

The contract, "When does a caption name a concept?", sentence by sentence, one character at a time. It
shares no code with `concepts.matching`, and no other engine may disagree with it. Do not make it faster.
"""

from __future__ import annotations

import unicodedata
from functools import cache

import regex  # knows the Script property of characters; the standard library does not

APOSTROPHES = ["'", "’", "‘", "ʼ", "´", "`", "′"]
SCRIPTS_WITHOUT_SPACES = ("Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar")


def folded(text: str) -> str:
    """ "Two texts are equal when their NFD forms without combining marks (category Mn) casefold equal, all
    apostrophes counting as one."
    """
    result = ""
    for character in unicodedata.normalize("NFD", text):
        if unicodedata.category(character) == "Mn":
            continue
        for lower in character.casefold():
            result += "'" if lower in APOSTROPHES else lower
    return result


def is_separator(character: str) -> bool:
    """ "white space, hyphens or dashes (category Pd), underscores or full stops" """
    return character.isspace() or unicodedata.category(character) == "Pd" or character in ("_", ".")


def is_word_character(character: str) -> bool:
    """ "letters and digits are word characters, the underscore is not" """
    return unicodedata.category(character)[0] in ("L", "N")


@cache
def is_of_a_script_without_spaces(character: str) -> bool:
    """ "Han, Hiragana, Katakana, Thai, Lao, Khmer or Myanmar" """
    for script in SCRIPTS_WITHOUT_SPACES:
        if regex.fullmatch(rf"\p{{Script={script}}}", character):
            return True
        # The length and repeat marks of kana and Han are letters that Unicode files under "Common".
        common = rf"[\p{{Script=Common}}&&\p{{Script_Extensions={script}}}]"
        shared = regex.fullmatch(common, character, regex.V1)
        if shared and unicodedata.category(character) in ("Lm", "Lo") and character not in APOSTROPHES:
            return True
    return False


def words_of(phrase: str) -> list[str]:
    """The words of a phrase: what lies between separators."""
    words = [""]
    for character in folded(phrase):
        if is_separator(character):
            words.append("")
        else:
            words[-1] += character
    return [word for word in words if word != ""]


def end_of_phrase(text: str, start: int, words: list[str]) -> int | None:
    """Where the phrase ends if it starts here: "words in order, separated by any run of" separators."""
    here = start
    for number, word in enumerate(words):
        if number > 0:
            first = here
            while here < len(text) and is_separator(text[here]):
                here += 1
            if here == first:
                return None
        for character in word:
            if here == len(text) or text[here] != character:
                return None
            here += 1
    return here


def cuts_a_word(inner: str, outer: str) -> bool:
    """Whether a phrase cannot end here: between two word characters, of a script with spaces."""
    if is_of_a_script_without_spaces(inner):
        return False
    return is_word_character(inner) and is_word_character(outer)


def contains(caption: str | None, phrase: str) -> bool:
    """Whether a caption contains a phrase. "Null and empty captions name nothing." """
    if caption is None or caption == "":
        return False
    text, words = folded(caption), words_of(phrase)
    for start in range(len(text)):
        end = end_of_phrase(text, start, words)
        if end is None:
            continue
        if start > 0 and cuts_a_word(text[start], text[start - 1]):
            continue
        if end < len(text) and cuts_a_word(text[end - 1], text[end]):
            continue
        return True
    return False


def count(captions: list[str | None], aliases: list[str]) -> int:
    """How many captions name a concept: "one of its aliases occurs"; "one count per caption and concept"."""
    return sum(any(contains(caption, alias) for alias in aliases) for caption in captions)
