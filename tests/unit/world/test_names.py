"""Invented names: all different, pronounceable, and no longer found once misspelt."""

from __future__ import annotations

import re

import numpy as np
import pytest

from concepts.matching import fold
from fit.world.names import InventedName, invent_names, misspelt
from tests.spec.reference_counter import contains

N = 200


@pytest.fixture(scope="module")
def names() -> tuple[InventedName, ...]:
    return invent_names(N, np.random.default_rng(7))


def phrases(name: InventedName) -> tuple[str, ...]:
    return (name.name, *name.aliases)


def words(name: InventedName) -> list[str]:
    """Words of a name and its aliases, initials left out: "Aa Bbb-Ccc" and "Ddd" are four."""
    found = re.split(r"[ -]", " ".join(phrases(name)))
    return list(dict.fromkeys(fold(word) for word in found if not word.endswith(".")))


def test_names_follow_from_the_generator(names: tuple[InventedName, ...]) -> None:
    assert invent_names(N, np.random.default_rng(7)) == names
    assert invent_names(N, np.random.default_rng(8)) != names


def test_no_word_is_part_of_another(names: tuple[InventedName, ...]) -> None:
    everyone = [word for name in names for word in words(name)]
    assert len(set(everyone)) == len(everyone)
    text = "\n".join(everyone)
    assert all(text.count(word) == 1 for word in everyone)


def test_names_can_be_spoken(names: tuple[InventedName, ...]) -> None:
    for name in names:
        assert re.fullmatch(r"\S+ [^\s-]+(-[^\s-]+)?", name.name)
        for word in words(name):
            assert word.isalpha()
            assert 5 <= len(word) <= 11
            # Vowels between at most four consonants, the most that a coda ("st") and an onset ("tr") make.
            assert re.fullmatch("([^aeiouyø]{0,4}[aeiouyø]{1,6})+[^aeiouyø]{0,2}", word)


def test_there_are_aliases_accents_and_hyphens(names: tuple[InventedName, ...]) -> None:
    # Chances .48 (either kind of alias), about .35 (two words or more at .2 each), .1.
    assert 0.35 * N < sum(bool(name.aliases) for name in names) < 0.65 * N
    assert sum(not name.name.isascii() for name in names) > 0.1 * N
    assert 0.03 * N < sum("-" in name.name for name in names) < 0.2 * N


def test_a_name_names_its_artist_alone(names: tuple[InventedName, ...]) -> None:
    for name in names[:12]:
        caption = f"a house by {name.name}"
        naming = [other for other in names if any(contains(caption, phrase) for phrase in phrases(other))]
        assert naming == [name]


def test_misspelt_names_name_nobody(names: tuple[InventedName, ...]) -> None:
    rng = np.random.default_rng(9)
    for name in names:
        wrong = misspelt(name.name, rng)
        assert wrong != name.name
        # One letter more or less, of the longest word.
        assert abs(len(wrong) - len(name.name)) == 1
        caption = f"a painting in the style of {wrong}"
        assert not any(contains(caption, phrase) for phrase in phrases(name))
