"""How many different pictures a population has: never claimed to be known better than it can be."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from fit.imitation.distinct import DistinctShare, Seen, distinct_share, seen


def share(found: Seen, looked_at: float, look_alike: float = 0.0, level: float = 0.95) -> DistinctShare:
    answer = distinct_share(found, looked_at, look_alike, level)
    assert answer is not None
    return answer


def test_pictures_are_counted_by_how_often_they_were_seen() -> None:
    # 0 three times, 5 once, 7 twice, 8 twice, 9 once.
    found = seen(np.array([0, 0, 0, 5, 7, 7, 8, 8, 9]))
    assert found == Seen(images=9, pictures=5, once=2, twice=2)
    assert found.copies == pytest.approx(4 / 9)
    assert seen(np.zeros(0, np.int64)) == Seen(0, 0, 0, 0)
    assert Seen(0, 0, 0, 0).copies is None


def test_nothing_seen_tells_nothing() -> None:
    assert distinct_share(Seen(0, 0, 0, 0), 0.5, 0, 0.95) is None


def test_where_every_image_was_looked_at_the_pictures_are_counted() -> None:
    assert share(Seen(10, 7, 5, 1), 1.0) == DistinctShare(0.7, 0.7, 0.7)


def test_pairs_that_only_look_alike_are_given_back() -> None:
    # 100 images have 4,950 pairs, of which 0.1 % look alike: about 5 of the 10 pairs found are none.
    found = Seen(images=100, pictures=90, once=80, twice=10)
    answer = share(found, 1.0, look_alike=0.001)
    assert answer.value == pytest.approx(0.9495)
    # At least the pictures as they were found, at most with all of the pairs given back.
    assert (answer.low, answer.high) == (0.9, pytest.approx(0.9495))


def test_the_estimate_by_hand() -> None:
    # A tenth of 1,000 was looked at; d = 77, f1 = 60, f2 = 15:
    # 60^2 / (2 * 15 * 100 / 99 + 60 * 0.1 / 0.9) = 3600 / (30.303 + 6.667) = 97.38; 77 + 97.38 = 174.4.
    found = Seen(images=100, pictures=77, once=60, twice=15)
    assert share(found, 0.1).value == pytest.approx(0.17438, abs=1e-4)
    # At most, in expectation: 60 / 0.1 + 17 = 617.
    assert share(found, 0.1).high > 0.617


def test_a_sample_without_a_copy_is_no_proof_that_there_is_none() -> None:
    answer = share(Seen(100, 100, 100, 0), 0.01)
    assert answer.value == pytest.approx(1)
    assert answer.high == 1
    # Were each of the 10,000 images there ten times, of 4,950 pairs 4,950 * 9 / 9,999 = 4.5 would be seen,
    # and none by chance in one of 90 samples.
    assert answer.low < 0.35


def test_more_looked_at_tells_more() -> None:
    widths = []
    for n in (50, 200, 800):
        answer = share(Seen(n, n, n, 0), n / 1000)
        widths.append(answer.high - answer.low)
    assert widths[0] > widths[1] > widths[2]


def population(kind: str, images: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Which picture each of some images is."""
    sizes = {
        "all different": lambda: np.ones(images, int),
        "all twice": lambda: np.full(images, 2),
        "all ten times": lambda: np.full(images, 10),
        "mixed": lambda: rng.choice([1, 2, 3, 10, 50], images, p=[0.85, 0.08, 0.04, 0.02, 0.01]),
        "heavy tail": lambda: np.minimum(rng.zipf(1.8, images), images // 5),
        "one very often": lambda: np.concatenate([[images // 3], np.ones(images, int)]),
    }[kind]()
    return np.repeat(np.arange(len(sizes)), sizes)[:images]


KINDS = ("all different", "all twice", "all ten times", "mixed", "heavy tail", "one very often")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("images", "sample"), [(300, 100), (1000, 900), (5000, 200)])
def test_the_interval_covers_whatever_the_population(kind: str, images: int, sample: int) -> None:
    rng = np.random.default_rng(7)
    covered = []
    for _ in range(60):
        numbers = population(kind, images, rng)
        answer = share(seen(rng.choice(numbers, sample, replace=False)), sample / images)
        low, high = np.floor(answer.low * images), np.ceil(answer.high * images - 1e-9)
        covered.append(low <= len(np.unique(numbers)) <= high)
    # Of 60 at 95 % three miss; more than eight in one hundred runs of this test by chance.
    assert sum(covered) >= 52


@pytest.mark.parametrize("kind", ["mixed", "heavy tail"])
def test_neither_plain_estimate_would_cover(kind: str) -> None:
    # The ratio in the sample, and the pictures seen as they are.
    rng = np.random.default_rng(7)
    naive, plain = [], []
    for _ in range(40):
        numbers = population(kind, 5000, rng)
        found, truth = seen(rng.choice(numbers, 200, replace=False)), len(np.unique(numbers))
        naive.append(found.pictures / 200 * 5000 / truth)
        plain.append(found.pictures / truth)
    assert np.median(naive) > 1.3
    assert np.median(plain) < 0.4
