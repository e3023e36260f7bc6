"""A picture is a pure function of style, subject and seed, and every part of a style shows in it."""

from __future__ import annotations

import numpy as np
import pytest

from fit.world.render import KINDS, SIZE, Pictures, paint
from fit.world.styles import COORDINATES, Styles, random_styles
from tests.unit.world.small import pictures


def some(wanted: Pictures, index: np.ndarray) -> Pictures:
    return Pictures(wanted.styles.take(index), wanted.subjects[index], wanted.seeds[index])


def one(subject: int = 0, palette: int = 0, **coordinates: float) -> Pictures:
    """One picture of a style in the middle of the space but for the coordinates given."""
    point = [coordinates.get(name, 0.5) for name in COORDINATES]
    style = Styles(np.array([point], dtype=np.float32), np.array([palette]))
    return Pictures(style, np.array([subject]), np.array([12345], dtype=np.uint64))


def test_a_picture_does_not_depend_on_its_neighbours() -> None:
    wanted = pictures(60)
    together = paint(wanted)
    assert together.shape == (60, SIZE, SIZE, 3)
    assert together.dtype == np.uint8
    order = np.random.default_rng(2).permutation(60)
    assert np.array_equal(paint(some(wanted, order), batch=7), together[order])
    for i in (0, 17, 59):
        assert np.array_equal(paint(some(wanted, np.array([i])))[0], together[i])


def test_at_least_ten_kinds_of_subject() -> None:
    assert len(KINDS) >= 10


@pytest.mark.parametrize("kind", range(len(KINDS)), ids=KINDS)
def test_every_kind_paints_a_subject_on_a_ground(kind: int) -> None:
    # Without strokes, outline and margin two colours are left: the ground and the subject.
    picture = paint(one(kind, contrast=0.0, ground=1.0, outline=0.0, frame=0.0))[0].astype(int)
    apart = np.abs(picture - picture[0, 0]).sum(axis=2) > 60
    assert 0.05 < apart.mean() < 0.95


def test_kinds_look_different() -> None:
    painted = np.concatenate([paint(one(kind)) for kind in range(len(KINDS))]).astype(int)
    for a in range(len(KINDS)):
        for b in range(a):
            assert np.abs(painted[a] - painted[b]).mean() > 2


@pytest.mark.parametrize("name", COORDINATES)
def test_every_coordinate_shows(name: str) -> None:
    # A quarter and three quarters: the ends of a circular coordinate are the same style.
    low, high = (paint(one(**{"contrast": 0.9, name: value}))[0].astype(int) for value in (0.25, 0.75))
    assert np.abs(high - low).mean() > 1


def test_the_palette_shows() -> None:
    assert np.abs(paint(one(palette=1))[0].astype(int) - paint(one(palette=0))[0]).mean() > 5


def test_the_seed_varies_colours_and_places() -> None:
    style = random_styles(1, np.random.default_rng(3)).take(np.zeros(20, dtype=int))
    seeds = np.arange(20, dtype=np.uint64)
    painted = paint(Pictures(style, np.zeros(20, dtype=int), seeds)).astype(float)
    assert len(np.unique(painted.reshape(20, -1), axis=0)) == 20
    # Mean colours of one artist's pictures lie far apart, so that a style is more than its mean colour.
    assert painted.mean(axis=(1, 2)).std(axis=0).min() > 5
