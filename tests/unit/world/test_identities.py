"""The identity space: a distance over what shows, and strangers who keep away from everybody."""

from __future__ import annotations

import numpy as np
import pytest

from fit.world.identities import COORDINATES, Identities, distances, group, nobody, random_identities
from fit.world.matter import FACES, other_people


def person(**coordinates: float) -> Identities:
    point = [coordinates.get(name, 0.25) for name in COORDINATES]
    return Identities(np.array([point], dtype=np.float32), np.ones(1, dtype=bool))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (person(skin=0.2), person(skin=0.6), 0.4),
        (person(length=0.2), person(length=0.6), 1.2 * 0.4),
        # Hair colours lie on a circle of radius 0.45: half a turn is its diameter, a quarter 0.45 sqrt(2).
        (person(hair=0.1), person(hair=0.6), 0.9),
        (person(hair=0.9), person(hair=0.15), 0.45 * 2**0.5),
        # Glasses, beard and moustache begin at one half: below it nothing is to be seen.
        (person(glasses=0.1), person(glasses=0.45), 0.0),
        (person(glasses=0.1), person(glasses=1.0), 1.2),
        (person(beard=0.75, skin=0.25), person(beard=0.2, skin=1.05), (0.6**2 + 0.8**2) ** 0.5),
    ],
)
def test_distances_by_hand(a: Identities, b: Identities, expected: float) -> None:
    assert distances(a, b)[0, 0] == pytest.approx(expected, abs=2e-3)


def test_random_people_fill_the_space() -> None:
    people = random_identities(4000, np.random.default_rng(1))
    assert people.points.shape == (4000, len(COORDINATES))
    assert people.present.all()
    # Uniform coordinates: 4000 draws miss the mean of 1/2 by less than 5 x 0.289 / sqrt(4000) = 0.023.
    assert np.abs(people.points.mean(axis=0) - 0.5).max() < 0.023


def test_joined_and_taken() -> None:
    both = person(skin=1.0).joined(nobody(2))
    assert len(both) == 3
    assert both.present.tolist() == [True, False, False]
    assert both.take(np.array([2, 0])).present.tolist() == [False, True]
    assert both.columns()["look_skin"].tolist() == [1.0, 0.5, 0.5]


def test_strangers_keep_their_margin() -> None:
    rng = np.random.default_rng(5)
    known = random_identities(10, rng)
    assert distances(other_people(50, known, 0.9, rng), known).min() >= 0.9
    with pytest.raises(ValueError, match="only 0 of 5 looks keep a margin of 9"):
        other_people(5, known, 9, rng)


def test_misses_show_other_people_or_things() -> None:
    rng = np.random.default_rng(6)
    known = random_identities(10, rng)
    shown = FACES.misses(400, known, 0.6, rng)
    assert distances(shown, known).min() >= 0.6
    # Two of five show a thing: 400 draws miss 0.4 by less than 5 x sqrt(0.24 / 400) = 0.12.
    assert abs((~shown.present).mean() - 0.4) < 0.12


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        (person(length=0.05), "shaved, plain"),
        (person(length=0.3, beard=0.9), "short-haired, beard"),
        (person(length=0.9, beard=0.9, glasses=0.7), "long-haired, beard and glasses"),
    ],
)
def test_groups_say_what_strikes_the_eye(who: Identities, expected: str) -> None:
    assert group(who, 0) == expected
