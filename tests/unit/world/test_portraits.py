"""Portraits: pure functions of identity, place and seed; landmarks where the features are painted."""

from __future__ import annotations

import numpy as np
import pytest

from fit.world.identities import COORDINATES, Identities, nobody, random_identities
from fit.world.portraits import PLACES, SIZE, Portraits, locate, paint


def portraits(n: int, people: Identities, seed: int = 1) -> Portraits:
    rng = np.random.default_rng(seed)
    return Portraits(people, rng.integers(0, len(PLACES), n), rng.integers(0, 2**63, n).astype(np.uint64))


def alike(n: int, **coordinates: float) -> Identities:
    """`n` times one person."""
    point = [coordinates.get(name, 0.3) for name in COORDINATES]
    return Identities(np.tile(np.array(point, dtype=np.float32), (n, 1)), np.ones(n, dtype=bool))


def test_a_portrait_does_not_depend_on_its_batch() -> None:
    some = portraits(5, random_identities(5, np.random.default_rng(2)))
    whole = paint(some)
    assert whole.shape == (5, SIZE, SIZE, 3)
    assert np.array_equal(paint(some, batch=2), whole)
    assert np.array_equal(paint(some.take(np.array([4, 3]))), whole[[4, 3]])


def test_people_and_things_may_stand_together() -> None:
    people = alike(2).joined(nobody(2))
    both = portraits(4, people)
    assert np.array_equal(paint(both)[2:], paint(both.take(slice(2, 4))))


def test_no_picture_is_like_another() -> None:
    pictures = paint(portraits(12, alike(12)))
    assert len(np.unique(pictures.reshape(12, -1), axis=0)) == 12


def test_the_face_is_inside_its_picture() -> None:
    n = 400
    found = locate(portraits(n, random_identities(n, np.random.default_rng(3))))
    assert found.boxes.shape == (n, 4)
    assert found.points.shape == (n, 5, 2)
    assert found.points.min() > 0
    assert found.points.max() < SIZE - 1
    left, top, right, bottom = found.boxes.T
    for x, y in found.points.transpose(1, 2, 0):
        assert ((left < x) & (x < right) & (top < y) & (y < bottom)).all()


def test_landmarks_stand_in_the_order_of_alignment() -> None:
    points = locate(portraits(200, random_identities(200, np.random.default_rng(4)))).points
    left_eye, right_eye, nose, left_mouth, right_mouth = points.transpose(1, 0, 2)
    assert (left_eye[:, 0] < right_eye[:, 0]).all()
    assert (left_mouth[:, 0] < right_mouth[:, 0]).all()
    assert (nose[:, 1] > np.minimum(left_eye[:, 1], right_eye[:, 1])).all()  # downward in pixels
    assert (np.maximum(left_mouth[:, 1], right_mouth[:, 1]) > nose[:, 1]).all()


def test_eyes_are_painted_where_the_landmarks_say() -> None:
    # Light skin, dark irises: the darkest spot of a patch around an eye's middle is its pupil.
    n = 60
    some = portraits(n, alike(n, skin=0.0, iris=0.0, eyes=1.0, brows=0.0, glasses=0.0, fringe=0.0))
    grey = paint(some).astype(float).mean(axis=3)
    eyes = locate(some).points[:, :2].reshape(-1, 2)
    for i, (x, y) in enumerate(np.round(eyes).astype(int)):
        patch = grey[i // 2, y - 6 : y + 7, x - 6 : x + 7]
        assert patch[5:8, 5:8].mean() < 0.75 * patch.mean()


@pytest.mark.parametrize("name", ["glasses", "beard", "moustache"])
def test_what_begins_at_one_half_is_not_painted_below(name: str) -> None:
    none, little, much = (paint(portraits(5, alike(5, **{name: at}))) for at in (0.0, 0.45, 1.0))
    assert np.array_equal(none, little)
    assert not np.array_equal(none, much)


def test_every_coordinate_shows() -> None:
    base = dict.fromkeys(("glasses", "beard", "moustache", "length"), 0.9)
    people = [alike(1, **(base | {name: at})).points for name in COORDINATES for at in (0.3, 0.75)]
    n = len(people)
    same = np.full(n, 7, dtype=np.uint64)  # one seed: one pose, one light, one background
    some = Portraits(Identities(np.concatenate(people), np.ones(n, bool)), np.zeros(n, dtype=int), same)
    pictures = paint(some).astype(int)
    for name, low, high in zip(COORDINATES, pictures[::2], pictures[1::2], strict=True):
        assert np.abs(low - high).max() > 20, name
