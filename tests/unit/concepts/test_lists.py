"""The lists that ship: long enough, clean, grouped, and honest about names with another meaning."""

from __future__ import annotations

import unicodedata
from collections import Counter

import pytest

from concepts.catalogue import catalogue_names, find_catalogue
from concepts.domain import load_domain
from concepts.matching import canonical

LEAST = {
    "faces/celebrities": 400,
    "faces/politicians": 400,
    "art-styles/classical": 400,
    "art-styles/modern": 400,
    "characters/fictional": 60,
}
AMBIGUOUS = {
    "faces/celebrities": ("Chris Evans", "John Williams", "Christian Dior", "Sting"),
    "faces/politicians": ("George Washington", "Michael Collins", "Imran Khan"),
    "art-styles/classical": ("Raphael", "John Martin", "Correggio"),
    "art-styles/modern": ("Francis Bacon", "Henry Moore", "Invader"),
    "characters/fictional": ("Wolverine", "Jon Snow", "Kirby"),
}


def test_every_list_is_known_here() -> None:
    assert set(catalogue_names()) == {*LEAST, "art-styles/demo"}


@pytest.mark.parametrize("domain", ["faces", "art-styles", "characters"])
def test_the_default_list_of_a_domain_exists(domain: str) -> None:
    assert find_catalogue(load_domain(domain).default_concepts).concepts


@pytest.mark.parametrize("name", LEAST)
def test_it_is_long_enough_and_says_where_it_is_from(name: str) -> None:
    listed = find_catalogue(name)
    assert len(listed.concepts) >= LEAST[name]
    assert listed.title != name
    assert "public knowledge" in listed.source
    assert listed.licence == "Apache-2.0"


@pytest.mark.parametrize("name", LEAST)
def test_names_are_clean(name: str) -> None:
    for concept in find_catalogue(name).concepts:
        for phrase in (concept.name, *concept.aliases):
            assert phrase == " ".join(phrase.split())
            assert phrase == unicodedata.normalize("NFC", phrase)
            assert not set(phrase) & set('!=;|/"“”')
            assert phrase[0].isupper() or phrase[0].isdigit(), phrase
        # An alias that is the name again would say nothing.
        assert len(concept.phrases) == 1 + len(concept.aliases), concept.name


@pytest.mark.parametrize("name", LEAST)
def test_no_phrase_names_two_concepts(name: str) -> None:
    forms = Counter(canonical(p) for c in find_catalogue(name).concepts for p in c.phrases)
    assert [form for form, number in forms.items() if number > 1] == []


@pytest.mark.parametrize("name", LEAST)
def test_groups_are_filled_and_large_enough_to_compare(name: str) -> None:
    groups = Counter(concept.group for concept in find_catalogue(name).concepts)
    assert None not in groups
    assert sum(number >= 10 for number in groups.values()) >= 5


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_names_with_another_meaning_are_flagged(name: str) -> None:
    flags = {concept.name: concept.flags for concept in find_catalogue(name).concepts}
    for each in AMBIGUOUS[name]:
        assert flags[each], each
        assert flags[each][0].startswith("ambiguous: ")


def test_the_same_artist_is_in_one_list_only() -> None:
    classical, modern = (
        {canonical(c.name) for c in find_catalogue(name).concepts}
        for name in ("art-styles/classical", "art-styles/modern")
    )
    assert classical & modern == set()
