"""The lists that ship: long enough, clean, grouped, and honest about names with another meaning."""

from __future__ import annotations

import tomllib
import unicodedata
from collections import Counter
from importlib.resources import files

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
    "faces/celebrities": (
        *("Chris Evans", "John Williams", "Christian Dior", "Sting", "Cher", "Bono", "Adele", "Madonna"),
        *("Pelé", "Twiggy", "Ravi Shankar", "Paris Hilton", "Muhammad Ali", "Michael Jordan"),
    ),
    "faces/politicians": (
        *("George Washington", "Michael Collins", "Imran Khan", "Hồ Chí Minh", "U Nu", "Benito Juárez"),
        *("Charles de Gaulle", "Robert F. Kennedy", "Lawrence Wong"),
    ),
    "art-styles/classical": (
        *("Raphael", "John Martin", "Correggio", "Andrei Rublev", "Govardhan", "Titian", "Edward Lear"),
        *("Giuseppe Castiglione", "Mariano Fortuny", "Thomas Jones"),
    ),
    "art-styles/modern": (
        *("Francis Bacon", "Henry Moore", "Invader", "Os Gêmeos", "Lê Phổ", "Victor Man", "Moebius"),
        *("Vincent van Gogh", "Henry Taylor", "Atsuko Tanaka"),
    ),
    "characters/fictional": (
        *("Wolverine", "Jon Snow", "Kirby", "Batman", "Groot", "Peter Pan", "Dumbo", "Zorro"),
    ),
}
KINDS = ("ambiguous: ", "undercounted: ")
CHILDREN = (
    *("Billie Eilish", "Olivia Rodrigo", "Greta Thunberg", "Malala Yousafzai", "Joshua Wong"),
    *("Millie Bobby Brown", "Jenna Ortega", "JoJo Siwa", "Finn Wolfhard", "Noah Schnapp", "Shirley Temple"),
    *("Coco Gauff", "Emma Raducanu", "Jude Bellingham", "Lamine Yamal", "Kamila Valieva", "Barron Trump"),
    *("Prince George of Wales", "North West", "Blue Ivy Carter", "Kaia Gerber", "Anne Frank"),
)
"""People whose pictures show, or mostly show, a child: born after 1998, or known since they were one."""

RIGHT_GROUP = {
    "faces/celebrities": {
        "Marie Curie": "Science, letters and public life",
        "Agnès Varda": "Film directors",
        "Emil Zátopek": "Sport",
    },
    "faces/politicians": {
        "Benazir Bhutto": "Pakistan, Bangladesh and the rest of South Asia",
        "Tsai Ing-wen": "China, Mongolia and Taiwan",
        "Toussaint Louverture": "Latin America and the Caribbean",
        "Michael Somare": "Canada, Australia, New Zealand and the Pacific",
    },
    "art-styles/classical": {
        "Miguel Cabrera": "18th century",  # painted from about 1719 to 1768
        "Pedro Berruguete": "15th century or earlier",  # died in 1503 or 1504
        "Mir Sayyid Ali": "16th century",  # died about 1572
        "Johannes Vermeer": "17th century",
        "Claude Monet": "19th century",
    },
    "art-styles/modern": {
        "Edward Hopper": "Figurative painting between the wars",
        "Hilma af Klint": "Cubism, Futurism and abstraction before 1945",
        "Qi Baishi": "Modernism in Asia and Africa",
        "Beatrix Potter": "Illustration and comics",
        "Banksy": "Street art and lowbrow",
        "Wilhelmina Barns-Graham": "Abstract art after 1945",
    },
    "characters/fictional": {"Pikachu": "Video games", "Don Quixote": "Literature"},
}


def test_every_list_is_known_here() -> None:
    assert set(catalogue_names()) == {*LEAST, "art-styles/demo", "faces/demo"}


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
    assert len(groups) >= 5
    # A misspelt group would be a small one.
    assert min(groups.values()) >= 10, groups


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_names_with_another_meaning_are_flagged(name: str) -> None:
    flags = {concept.name: concept.flags for concept in find_catalogue(name).concepts}
    for each in AMBIGUOUS[name]:
        assert flags[each], each
        assert flags[each][0].startswith("ambiguous: "), each


@pytest.mark.parametrize("name", LEAST)
def test_a_flag_is_of_a_kind_that_the_report_explains(name: str) -> None:
    for concept in find_catalogue(name).concepts:
        for flag in concept.flags:
            assert flag.startswith(KINDS), (concept.name, flag)
            assert flag.endswith(tuple("abcdefghijklmnopqrstuvwxyz'")), (concept.name, flag)


@pytest.mark.parametrize("name", LEAST)
def test_a_phrase_of_three_letters_or_fewer_is_flagged(name: str) -> None:
    for concept in find_catalogue(name).concepts:
        for phrase in concept.phrases:
            letters = sum(letter.isalpha() for letter in phrase)
            assert letters > 3 or concept.flags or any(map(str.isdigit, phrase)), phrase


@pytest.mark.parametrize("name", RIGHT_GROUP)
def test_groups_are_right(name: str) -> None:
    groups = {concept.name: concept.group for concept in find_catalogue(name).concepts}
    assert {each: groups[each] for each in RIGHT_GROUP[name]} == RIGHT_GROUP[name]


@pytest.mark.parametrize("domain", ["faces", "art-styles"])
def test_a_phrase_is_in_one_list_of_a_domain_only(domain: str) -> None:
    lists = [name for name in LEAST if name.startswith(domain)]
    owners = Counter(canonical(p) for name in lists for c in find_catalogue(name).concepts for p in c.phrases)
    assert [form for form, number in owners.items() if number > 1] == []


@pytest.mark.parametrize("name", LEAST)
def test_no_name_is_another_with_its_words_in_another_order(name: str) -> None:
    names = Counter(frozenset(canonical(c.name).split()) for c in find_catalogue(name).concepts)
    assert [words for words, number in names.items() if number > 1] == []


def test_nobody_whose_pictures_show_a_child() -> None:
    listed = {
        canonical(phrase)
        for name in LEAST
        if name.startswith("faces")
        for concept in find_catalogue(name).concepts
        for phrase in concept.phrases
    }
    assert listed & set(map(canonical, CHILDREN)) == set()


@pytest.mark.parametrize("name", LEAST)
def test_it_says_what_was_checked(name: str) -> None:
    domain, _, stem = name.partition("/")
    about = files("concepts").joinpath("lists", domain, f"{stem}.toml").read_text(encoding="utf-8")
    assert "second reader" in tomllib.loads(about)["checked"]
