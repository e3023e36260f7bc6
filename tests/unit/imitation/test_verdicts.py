from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from fit.imitation.verdicts import judge_concepts

Array = npt.NDArray[np.float64]


def without_imitation(c: int, rng: np.random.Generator) -> Array:
    """Scores where references of some concepts are near everything and some images near all references."""
    noise = rng.normal(0, 0.05, (c, c)) * rng.uniform(0.5, 1.5, (c, 1))
    return noise + rng.normal(0, 0.2, c)[None, :] + rng.normal(0, 0.1, c)[:, None]


def with_imitation(c: int, imitated: int, rng: np.random.Generator) -> Array:
    """The same, with the first concepts' own scores six to twelve spreads above the rest."""
    cross = without_imitation(c, rng)
    cross[np.arange(imitated), np.arange(imitated)] += 0.6
    return cross


def test_p_value_is_the_rank_among_all_other_pairs() -> None:
    # Columns and rows alike but for the diagonal: 0 is above all 6 others (1/7), 2 below all (7/7).
    cross = np.array([[0.9, 0.1, 0.2], [0.1, 0.15, 0.2], [0.15, 0.1, -0.9]])
    p_values = judge_concepts(cross, np.zeros(3), 0.05).p_values
    assert p_values[0] == pytest.approx(1 / 7)
    assert p_values[2] == pytest.approx(1)


def test_baseline_is_the_median_of_other_concepts_images() -> None:
    # Column 1 without its own 0.9: 0.1, 0.3, 0.8.
    cross = np.zeros((4, 4))
    cross[:, 1] = [0.1, 0.9, 0.3, 0.8]
    np.testing.assert_allclose(judge_concepts(cross, np.zeros(4), 0.05).baseline, [0, 0.3, 0, 0])


def test_planted_concepts_get_their_verdicts() -> None:
    rng = np.random.default_rng(1)
    cross = with_imitation(60, 20, rng)
    # Like the middle of its own row: not imitated; the last five in that place too, but hardly known.
    lifted = cross - np.median(cross, axis=0)
    middle = np.median(lifted, axis=1)
    for i in range(20, 60):
        cross[i, i] += middle[i] - lifted[i, i]
    errors = np.full(60, 0.005)
    errors[55:] = 1.0
    verdicts = judge_concepts(cross, errors, 0.05).verdicts
    assert verdicts[:20] == ("imitated",) * 20
    assert verdicts[20:55] == ("not",) * 35
    assert verdicts[55:] == ("unclear",) * 5


def test_without_a_standard_error_nothing_is_ruled_out() -> None:
    cross = with_imitation(40, 10, np.random.default_rng(2))
    verdicts = judge_concepts(cross, np.full(40, np.nan), 0.05).verdicts
    assert verdicts.count("imitated") >= 10
    assert "not" not in verdicts


@pytest.mark.parametrize("imitated", [1, 3, 12])
def test_a_few_imitated_concepts_are_found_among_many(imitated: int) -> None:
    # Ranks within a row of 120 cannot fall below 1/120, which 12 concepts are too few to reach at 5 %.
    found = judge_concepts(with_imitation(120, imitated, np.random.default_rng(3)), np.full(120, 0.01), 0.05)
    assert found.verdicts[:imitated] == ("imitated",) * imitated
    assert found.verdicts[imitated:].count("imitated") <= 1


def test_without_imitation_a_wrong_call_is_rare() -> None:
    rng = np.random.default_rng(4)
    wrong = [
        "imitated" in judge_concepts(without_imitation(30, rng), np.full(30, 0.01), 0.05).verdicts
        for _ in range(300)
    ]
    # Expected at most 0.05 of 300 worlds; its standard deviation is sqrt(0.05 * 0.95 / 300) = 0.0126.
    assert np.mean(wrong) <= 0.05 + 2 * 0.0126


@pytest.mark.parametrize("rate", [0.05, 0.3])
def test_false_discoveries_among_the_imitated_are_held(rate: float) -> None:
    rng, shares, found = np.random.default_rng(5), [], []
    for _ in range(150):
        verdicts = np.array(judge_concepts(with_imitation(40, 8, rng), np.full(40, 0.01), rate).verdicts)
        called = verdicts == "imitated"
        shares.append(called[8:].sum() / max(called.sum(), 1))
        found.append(called[:8].mean())
    # Share of wrong calls: mean at most the rate; its standard deviation over worlds is at most 0.15.
    assert np.mean(shares) <= rate + 2 * 0.15 / np.sqrt(150)
    assert np.mean(found) > 0.95


def test_a_hub_does_not_make_its_concept_imitated() -> None:
    rng = np.random.default_rng(6)
    cross = with_imitation(50, 10, rng)
    plain = judge_concepts(cross, np.full(50, 0.01), 0.05)
    hub = cross.copy()
    hub[:, 30] += 5  # references near everything: their own concept's images as well
    lifted = judge_concepts(hub, np.full(50, 0.01), 0.05)
    assert plain.verdicts[30] != "imitated"
    assert lifted.verdicts == plain.verdicts
    np.testing.assert_allclose(lifted.p_values, plain.p_values)
    assert lifted.baseline[30] == pytest.approx(plain.baseline[30] + 5)


def test_images_near_everything_are_not_imitation() -> None:
    cross = with_imitation(50, 10, np.random.default_rng(7))
    lifted = cross - np.median(cross, axis=0)
    cross[40, 40] += np.median(lifted[40]) - lifted[40, 40]  # in the middle of its row
    cross[40, :] += 5  # and the whole row above all others
    assert judge_concepts(cross, np.full(50, 0.01), 0.05).verdicts[40] == "not"


@pytest.mark.parametrize("c", [1, 2, 20])
def test_fewer_than_twenty_others_are_too_few(c: int) -> None:
    cross = np.eye(c)
    assert judge_concepts(cross, np.zeros(c), 0.05).verdicts == ("unclear",) * c


def test_twenty_others_are_enough() -> None:
    cross = with_imitation(21, 5, np.random.default_rng(8))
    assert judge_concepts(cross, np.full(21, 0.01), 0.05).verdicts[:5] == ("imitated",) * 5


def test_equal_scores_are_no_evidence() -> None:
    found = judge_concepts(np.full((30, 30), 0.4), np.zeros(30), 0.05)
    assert found.verdicts == ("not",) * 30
    np.testing.assert_allclose(found.p_values, 1)
