"""What `concepts.matching` takes for granted about folding holds for every character of Unicode."""

from __future__ import annotations

import sys
import unicodedata
from functools import cache

from concepts import matching
from tests.spec import reference_counter


@cache
def every_character() -> tuple[str, ...]:
    """Return the characters that Unicode has assigned, private ones and surrogates left out."""
    characters = map(chr, range(sys.maxunicode + 1))
    return tuple(c for c in characters if unicodedata.category(c) not in ("Cn", "Co", "Cs"))


def test_folding_equals_the_definition() -> None:
    wrong = [c for c in every_character() if matching.fold(c) != reference_counter.folded(c)]
    assert wrong == []


def test_folding_twice_changes_nothing() -> None:
    wrong = [c for c in every_character() if matching.fold(matching.fold(c)) != matching.fold(c)]
    assert wrong == []


def test_folding_leaves_no_combining_mark() -> None:
    wrong = [c for c in every_character() if any(unicodedata.category(f) == "Mn" for f in matching.fold(c))]
    assert wrong == []


def test_a_separator_stays_a_separator_and_nothing_becomes_one() -> None:
    for character in every_character():
        form = matching.fold(character)
        if form:
            expected = reference_counter.is_separator(character)
            assert {reference_counter.is_separator(each) for each in form} == {expected}, hex(ord(character))


def test_separators_become_one_space() -> None:
    for character in every_character():
        if matching.fold(character):
            separated = matching.canonical(f"a{character}{character}b") == "a b"
            assert separated == reference_counter.is_separator(character), hex(ord(character))


def test_word_characters_are_letters_and_digits() -> None:
    for character in every_character():
        expected = reference_counter.is_word_character(character)
        assert matching.is_word_character(character) == expected, hex(ord(character))


def test_word_runs_split_where_the_definition_does() -> None:
    for character in every_character():
        is_word = reference_counter.is_word_character(character)
        assert (matching.word_runs(f"a{character}b") == [f"a{character}b"]) == is_word, hex(ord(character))


def test_scripts_without_spaces() -> None:
    wrong = [
        hex(ord(c))
        for c in every_character()
        if c.isalnum() and matching.needs_no_boundary(c) != reference_counter.is_of_a_script_without_spaces(c)
    ]
    assert wrong == []
