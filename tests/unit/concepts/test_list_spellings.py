"""Spellings that captions use and that the matching rules tell apart: a list has to name them all."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from concepts.catalogue import find_catalogue
from concepts.concept import Concept
from concepts.matching import APOSTROPHES, canonical, fold
from tests.unit.concepts.test_lists import LEAST

PLAIN = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"})
"""Letters that are no letter with a mark, so that folding keeps them; captions often write the plain ones."""

INITIALS = re.compile(r"(?:\b[A-Z]\. ?){2,}")
GIVEN_NAME_IN_TWO = re.compile(r"[A-Z][a-z]+ [A-Z][a-z]+-[a-z]+")


def spellings(phrase: str) -> Iterator[str]:
    """Yield what captions write for a phrase and what does not fold to it."""
    if fold(phrase).translate(PLAIN) != fold(phrase):
        yield fold(phrase).translate(PLAIN)
    if "," in phrase:
        yield phrase.replace(",", " ")
    if " and " in phrase:
        yield phrase.replace(" and ", " & ")
    if set(phrase) & set(APOSTROPHES):
        yield "".join(letter for letter in phrase if letter not in APOSTROPHES)
    if match := INITIALS.search(phrase):
        joined = re.sub(r"[. ]", "", match[0])
        yield f"{phrase[: match.start()]}{joined} {phrase[match.end() :]}"
    if GIVEN_NAME_IN_TWO.fullmatch(phrase):
        yield phrase.replace("-", "")


def missing(concept: Concept) -> list[str]:
    """Return the spellings of a concept's phrases that are no phrase of it."""
    have = {canonical(phrase) for phrase in concept.phrases}
    wanted = [canonical(other) for phrase in concept.phrases for other in spellings(phrase)]
    return [other for other in wanted if other not in have]


def test_what_is_looked_for() -> None:
    assert missing(Concept("Vilhelm Hammershøi")) == ["vilhelm hammershoi"]
    assert missing(Concept("Tyler, the Creator")) == ["tyler the creator"]
    assert missing(Concept("Tom and Jerry")) == ["tom & jerry"]
    assert missing(Concept("Peter O’Toole")) == ["peter otoole"]
    assert missing(Concept("J. M. W. Turner")) == ["jmw turner"]
    assert missing(Concept("Kim Hong-do")) == ["kim hongdo"]
    assert missing(Concept("Kim Hong-do", ("Kim Hongdo",))) == []
    # One initial is written with a full stop or without, which is the same; so are accents.
    assert missing(Concept("Robert S. Duncanson")) == missing(Concept("Édouard Manet")) == []


@pytest.mark.parametrize("name", LEAST)
def test_other_spellings_are_aliases(name: str) -> None:
    found = {concept.name: missing(concept) for concept in find_catalogue(name).concepts}
    assert {concept: absent for concept, absent in found.items() if absent} == {}
