"""`fit whatif` on a run whose curve is planted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from concepts.concept import Concept
from concepts.errors import TooLittleData, UsageError
from fit.stages.whatif import WhatIf, at_count
from tests.unit.stages.job import job_of, leave, leave_concepts

FAST = "threshold.replicates=200"
N = 60


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A step from 0.2 to 0.8 at 100 images, frequencies 1 to 900; hit rates 0.5 (0.4 to 0.6)."""
    rng = np.random.default_rng(5)
    names = [f"artist {i:02d}" for i in range(N)]
    leave_concepts(tmp_path, tuple((name, [], None) for name in names))
    frequency = 10 ** (np.arange(N) / N * 3)
    score = np.where(frequency >= 100, 0.8, 0.2) + 0.02 * rng.standard_normal(N)
    columns = {"frequency_low": 0.9, "frequency": 1.0, "frequency_high": 1.1}
    rates = {"hit_rate": 0.5, "hit_rate_low": 0.4, "hit_rate_high": 0.6}
    rows = [
        {"concept": name, **{key: value * f for key, value in columns.items()}, **rates}
        for name, f in zip(names, frequency.tolist(), strict=True)
    ]
    rows.append({"concept": "unknown", **dict.fromkeys([*columns, *rates])})
    leave(tmp_path, "verification", "frequencies", rows)
    curve = zip(names, frequency.tolist(), score.tolist(), strict=True)
    leave(
        tmp_path,
        "threshold",
        "curve",
        [
            {"concept": n, "frequency": f, "score": s, "images": 20, "passed": round(20 * s)}
            for n, f, s in curve
        ],
    )
    step = {"shape": "step", "interval": [89.1, 100.0], "baseline": 0.2, "ceiling": 0.8}
    job_of(tmp_path, "threshold").write_json("threshold", step)
    return tmp_path


def ask(
    run: Path, concept: str | None = None, images: float | None = None, captions: int | None = None
) -> WhatIf:
    return at_count(job_of(run, "report", FAST), concept and Concept(concept), images, captions)


def test_captions_become_images_by_the_hit_rate_and_its_interval(run: Path) -> None:
    found = ask(run, "artist 10", captions=1000).document
    assert (found["images"], found["images_interval"]) == (500.0, [400.0, 600.0])
    assert found["score"] == pytest.approx(0.8, abs=0.02)
    assert found["now"]["images"] == pytest.approx(10**0.5)
    assert found["now"]["score"] == pytest.approx(0.2, abs=0.08)
    assert found["extrapolated"] is False
    assert found["at_a_step"] is None
    # 20 images each, 16 of which pass above the step.
    assert found["rate"] == pytest.approx(0.8, abs=0.12)


def test_a_count_that_is_not_known_widens_the_interval(run: Path) -> None:
    exact = ask(run, "artist 10", images=95.0).document
    found = ask(run, "artist 10", captions=190).document  # 95 images, 76 to 114
    assert found["images"] == exact["images"]
    assert found["score_interval"][0] <= exact["score_interval"][0]
    assert found["score_interval"][1] >= exact["score_interval"][1]
    assert found["rate_interval"][1] - found["rate_interval"][0] > (
        exact["rate_interval"][1] - exact["rate_interval"][0]
    )


def test_a_name_alone_is_asked_at_its_own_frequency(run: Path) -> None:
    found = ask(run, "artist 50").document
    assert found["images"] == pytest.approx(10**2.5)
    assert found["images_interval"] == pytest.approx([0.9 * 10**2.5, 1.1 * 10**2.5])


def test_on_a_step_the_average_may_be_on_either_side(run: Path) -> None:
    found = ask(run, images=95.0)
    assert found.document["score_interval"][0] <= 0.2
    assert found.document["score_interval"][1] >= 0.8
    assert any("may lie on either side" in line for line in found.lines)
    assert not any("either side" in line for line in ask(run, images=500.0).lines)


def test_beyond_the_data_it_says_so(run: Path) -> None:
    found = ask(run, images=10**6)
    assert found.document["extrapolated"] is True
    assert any(line.startswith("Extrapolated") for line in found.lines)
    assert not any(line.startswith("Extrapolated") for line in ask(run, images=500).lines)


def test_what_says_no_count_is_refused(run: Path) -> None:
    with pytest.raises(UsageError, match="not both"):
        ask(run, "artist 10", 1.0, 1)
    with pytest.raises(UsageError, match="hit rate is needed"):
        ask(run, captions=10)
    with pytest.raises(TooLittleData, match="hit rate is not known"):
        ask(run, "unknown", captions=10)
    with pytest.raises(TooLittleData, match="frequency is not known"):
        ask(run, "unknown")
