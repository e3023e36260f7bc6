"""Stage `threshold`: frequencies and scores become a curve, and the controls are what they should be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from concepts.errors import TooLittleData
from fit.stages import threshold
from fit.stages.threshold import SHUFFLED, UNTRAINED, _tidy, shuffle_frequencies
from tests.unit.stages.job import job_of, leave, leave_concepts, skipped

N = 40
FAST = "threshold.replicates=200"


def scored(name: str, value: float, passed: int | None = 3) -> dict[str, object]:
    return {
        "concept": name,
        "matched": value,
        "matched_se": 0.01,
        "mimetic2": value / 2,
        "mimetic2_se": 0.02,
        "images": 20,
        "passed": passed,
    }


def counted(name: str, frequency: float | None) -> dict[str, object]:
    low, high = (None, None) if frequency is None else (0.9 * frequency, 1.1 * frequency)
    return {
        "concept": name,
        "frequency": frequency,
        "frequency_low": low,
        "frequency_high": high,
        "caption_count": 100,
        "distinct_url_count": 80,
        "hit_rate": 0.9,
    }


def alternatives(names: list[str], values: list[float]) -> list[dict[str, object]]:
    return [
        {"concept": name, "variant": variant, "score": value}
        for variant in ("prompt 1 alone", "prompt 2 alone")
        for name, value in zip(names, values, strict=True)
    ]


def leave_step(run: Path, n: int = N, control: bool = True) -> list[str]:
    """Leave a curve that jumps from 0.2 to 0.8 between 10 ** 1.5 and the next frequency up."""
    rng = np.random.default_rng(5)
    names = [f"artist {i:02d}" for i in range(n)]
    leave_concepts(run, tuple((name, [], "school") for name in names))
    frequencies = 10 ** (np.arange(n) / n * 3)
    values = np.where(frequencies > 10**1.5, 0.8, 0.2) + 0.02 * rng.standard_normal(n)
    leave(run, "verification", "frequencies", list(map(counted, names, frequencies.tolist())))
    leave(run, "scores", "scores", list(map(scored, names, values.tolist())))
    leave(run, "scores", "alternatives", alternatives(names, values.tolist()))
    blank = list(map(scored, names, (0.2 + 0.02 * rng.standard_normal(n)).tolist()))
    rows = blank if control else []
    table = threshold.pa.Table.from_pylist(rows, schema=threshold.pa.Table.from_pylist(blank).schema)
    leave(run, "scores", "control", table)
    return names


def test_a_planted_step_is_found_and_the_controls_show_none(tmp_path: Path) -> None:
    leave_step(tmp_path)
    job = job_of(tmp_path, "threshold", FAST)
    threshold.run(job)
    found = job.read_json("threshold", "threshold")
    assert found["status"] == "threshold"
    # The 21st of 40 frequencies, 10 ** (60 / 40) = 31.6, is the last below the jump; the next is 37.6.
    low, high = found["interval"]
    assert low <= 10**1.5 <= high
    controls = job.read_json("threshold", "controls")
    assert set(controls) == {SHUFFLED, UNTRAINED}
    assert [control["threshold"]["status"] for control in controls.values()] == ["none", "none"]
    assert (
        controls[UNTRAINED]["curve"]["frequency"] == job.read("threshold", "curve")["frequency"].to_pylist()
    )
    assert skipped(job) == []


def test_the_diagnostics_say_what_was_looked_at(tmp_path: Path) -> None:
    leave_step(tmp_path)
    job = job_of(tmp_path, "threshold", FAST)
    threshold.run(job)
    found = {row["name"]: row for row in job.read_json("threshold", "diagnostics")}
    assert list(found) == ["A1", "A2", "A3", "A4", "outliers", "prompts and pools", "penalty"]
    assert found["A3"]["numbers"]["distinct share"] == pytest.approx(0.8)
    places = [place for _, place in found["prompts and pools"]["named"]]
    # Both variants are the curve itself, whose jump is between 31.6 and 37.6 images.
    assert len(places) == 2
    assert all(31 <= place <= 38 for place in places)


def test_groups_are_compared_where_there_are_any(tmp_path: Path) -> None:
    names = leave_step(tmp_path)
    leave_concepts(tmp_path, tuple((name, [], f"school {i % 2}") for i, name in enumerate(names)))
    job = job_of(tmp_path, "threshold", FAST)
    threshold.run(job)
    groups = job.read_json("threshold", "threshold")["groups"]
    assert set(groups["curves"]) == {"school 0", "school 1"}
    assert groups["differ"] is False
    assert job.read_json("threshold", "controls")[SHUFFLED]["threshold"]["groups"] is None


def test_the_published_method_takes_its_own_score(tmp_path: Path) -> None:
    leave_step(tmp_path)
    published = []
    for score, highest in (("matched", 0.8), ("mimetic2", 0.4)):
        job = job_of(tmp_path, "threshold", FAST, f"scores.score={score}")
        threshold.run(job)
        published.append(job.read_json("threshold", "published"))
        curve = job.read("threshold", "curve")["score"].to_pylist()
        assert max(curve) == pytest.approx(highest, abs=0.05)
    assert published[0] == published[1]
    assert published[0]["method"] == "mimetic2"
    # Its score is half the other: 0.1 below the jump and 0.4 above, 0.25 on the whole.
    assert published[0]["baseline"] == pytest.approx(0.25, abs=0.16)


def test_an_untrained_model_that_was_not_sampled_is_no_control(tmp_path: Path) -> None:
    leave_step(tmp_path, control=False)
    job = job_of(tmp_path, "threshold", FAST)
    threshold.run(job)
    assert set(job.read_json("threshold", "controls")) == {SHUFFLED}


def test_who_lacks_frequency_or_score_is_left_out_and_noted_once(tmp_path: Path) -> None:
    names = leave_step(tmp_path)
    frequencies = [counted(name, None if i == 0 else i + 1.0) for i, name in enumerate(names)]
    leave(tmp_path, "verification", "frequencies", frequencies)
    leave(tmp_path, "scores", "scores", [scored(n, 0.5 + i % 7 / 100) for i, n in enumerate(names[:-1])])
    leave(tmp_path, "scores", "alternatives", alternatives(names[:-1], [0.5] * (len(names) - 1)))
    job = job_of(tmp_path, "threshold", FAST)
    threshold.run(job)
    assert job.read("threshold", "curve")["concept"].to_pylist() == names[1:-1]
    assert skipped(job) == [
        (names[0], names[0], "not on the curve: no frequency"),
        (names[-1], names[-1], "not on the curve: no score"),
    ]


def test_too_few_concepts_leave_their_verdict(tmp_path: Path) -> None:
    leave_step(tmp_path, n=9)
    job = job_of(tmp_path, "threshold", FAST)
    with pytest.raises(TooLittleData):
        threshold.run(job)
    assert job.read_json("threshold", "threshold")["reason"] == "too few concepts"


def test_columns_that_are_not_known_for_all_are_left_out() -> None:
    whole = {"concept": ["a", "b"], "frequency": [1, 2], "score": [0.1, 0.2]}
    extra = {"score_se": [0.1, None], "group": ["", ""], "images": [5, 5], "passed": [1, None]}
    assert _tidy({**whole, **extra}) == whole
    known = {"score_se": [0.1, 0.1], "group": ["x", ""], "images": [5, 5], "passed": [1, 0]}
    assert _tidy({**whole, **known}) == {**whole, **known}


def columns(order: list[int]) -> dict[str, list[object]]:
    names = [f"artist {i}" for i in order]
    return {
        "concept": [*names],
        "frequency": [float(i) for i in order],
        "frequency_low": [i - 0.5 for i in order],
        "frequency_high": [i + 0.5 for i in order],
        "score": [i / 100 for i in order],
    }


def test_shuffling_deals_out_whole_frequencies_and_leaves_scores() -> None:
    plain = columns(list(range(30)))
    dealt = shuffle_frequencies(plain, 7)
    assert dealt["concept"] == plain["concept"]
    assert dealt["score"] == plain["score"]
    assert dealt["frequency"] != plain["frequency"]
    assert sorted(dealt["frequency"]) == plain["frequency"]
    # A frequency goes with its interval.
    assert dealt["frequency_low"] == [f - 0.5 for f in dealt["frequency"]]
    assert dealt["frequency_high"] == [f + 0.5 for f in dealt["frequency"]]


def test_shuffling_depends_on_seed_and_names_alone() -> None:
    order = np.random.default_rng(1).permutation(30).tolist()

    def dealt(order: list[int], seed: int) -> dict[object, object]:
        found = shuffle_frequencies(columns(order), seed)
        return dict(zip(found["concept"], found["frequency"], strict=True))

    assert dealt(order, 7) == dealt(list(range(30)), 7)
    assert dealt(order, 8) != dealt(order, 7)
