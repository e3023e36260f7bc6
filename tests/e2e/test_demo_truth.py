"""The demo runs against the truth that was planted, styles and faces. Minutes: they share one run each."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.stats import spearmanr

from fit.config import Settings
from fit.generation.requests import image_seed
from fit.run import Run
from fit.run.folder import load
from fit.stages.threshold import shuffle_frequencies
from fit.threshold import ImitationCurve, estimate, to_json
from tests.conftest import ROOT

pytestmark = pytest.mark.demo

Array = npt.NDArray[np.float64]
RUNS = {"demo_run": "demo/truth/artists.parquet", "faces_run": "demo-faces/truth/people.parquet"}


@pytest.fixture(params=RUNS)
def fixture_name(request: pytest.FixtureRequest) -> str:
    """Which world's run a test looks at."""
    return str(request.param)


@pytest.fixture
def concepts(fixture_name: str) -> Path:
    """The file of what was planted."""
    return ROOT / "data" / RUNS[fixture_name]


def column(table: pa.Table, name: str) -> Array:
    return np.array(table[name].to_pylist(), dtype=float)


def run_concepts(run: Run) -> list[str]:
    return list(pq.read_table(run.folder / "concepts" / "concepts.parquet")["concept"].to_pylist())


def planted(concepts: Path, names: list[str]) -> Array:
    """The training images that show each concept and whose caption names it."""
    table = pq.read_table(concepts)
    frequency = dict(zip(table["concept"].to_pylist(), table["frequency"].to_pylist(), strict=True))
    return np.array([frequency[name] for name in names], dtype=float)


@pytest.fixture
def run(fixture_name: str, request: pytest.FixtureRequest) -> Run:
    return load(request.getfixturevalue(fixture_name))


@pytest.fixture
def frequencies(run: Run) -> pa.Table:
    return pq.read_table(run.folder / "verification" / "frequencies.parquet")


@pytest.fixture
def truth(concepts: Path, frequencies: pa.Table) -> Array:
    return planted(concepts, frequencies["concept"].to_pylist())


@pytest.fixture
def curve(run: Run) -> pa.Table:
    return pq.read_table(run.folder / "threshold" / "curve.parquet")


def test_the_world_is_as_asked(truth: Array) -> None:
    assert len(truth) >= 80
    assert np.count_nonzero(truth == 0) >= 12
    assert 700 <= truth.max() <= 1100


def test_captions_are_counted_exactly(concepts: Path, frequencies: pa.Table) -> None:
    rows = pq.read_table(concepts.with_name("rows.parquet"), columns=["kind", "about"]).to_pylist()
    named = [row["about"] for row in rows if row["kind"] in ("hit", "miss")]
    counts = dict(zip(*np.unique(named, return_counts=True), strict=True))
    expected = [counts.get(name, 0) for name in frequencies["concept"].to_pylist()]
    assert frequencies["caption_count"].to_pylist() == expected


def test_frequencies_are_in_the_order_of_the_truth(frequencies: pa.Table, truth: Array) -> None:
    assert spearmanr(column(frequencies, "frequency"), truth).statistic >= 0.98


def test_frequencies_are_near_the_truth(frequencies: pa.Table, truth: Array) -> None:
    many = truth >= 20
    error = np.abs(column(frequencies, "frequency")[many] / truth[many] - 1)
    assert np.median(error) <= 0.15


def test_intervals_cover_the_truth(frequencies: pa.Table, truth: Array) -> None:
    low, high = column(frequencies, "frequency_low"), column(frequencies, "frequency_high")
    assert ((low <= truth) & (truth <= high)).mean() >= 0.90


def test_intervals_are_narrow_where_there_are_many_images(frequencies: pa.Table, truth: Array) -> None:
    many = truth >= 100
    low, high = column(frequencies, "frequency_low")[many], column(frequencies, "frequency_high")[many]
    assert low.min() > 0
    assert np.median(np.log10(high / low)) <= 0.15  # decades


def test_scores_tell_frequent_concepts_from_those_never_seen(concepts: Path, curve: pa.Table) -> None:
    score, frequency = column(curve, "score"), planted(concepts, curve["concept"].to_pylist())
    frequent, never = score[frequency >= 300], score[frequency == 0]
    assert len(frequent) >= 10
    assert len(never) >= 10
    # The area under the curve: the chance that a frequent concept's score is above that of one never seen.
    area = (frequent[:, None] > never).mean() + (frequent[:, None] == never).mean() / 2
    assert area >= 0.98


def test_there_is_a_rise(run: Run) -> None:
    found = json.loads((run.folder / "threshold" / "threshold.json").read_text())
    assert found["p_value"] <= 0.05
    assert found["shape"] in ("step", "gradual", "undetermined")
    assert found["safe_below"] is not None


def test_the_controls_of_the_run_show_no_rise(run: Run) -> None:
    controls = json.loads((run.folder / "threshold" / "controls.json").read_text())
    assert set(controls) == {"shuffled", "untrained"}
    for control in controls.values():
        assert control["threshold"]["status"] == "none"
        assert control["threshold"]["reason"] in ("flat", "falls")


def test_shuffled_frequencies_show_no_rise_in_nine_of_ten_seeds(run: Run, curve: pa.Table) -> None:
    settings: Settings = run.settings
    columns = {name: curve[name].to_pylist() for name in curve.column_names}
    rises = 0
    for seed in range(10):
        shuffled = ImitationCurve.from_columns(shuffle_frequencies(columns, seed))
        verdict = estimate(
            shuffled,
            method=settings.threshold.method,
            level=settings.threshold.level,
            replicates=settings.threshold.replicates,
            seed=seed,
        )
        found = to_json(verdict, "")
        # A rise without a plateau has no threshold, but is one.
        rises += found["status"] == "threshold" or found["reason"] == "no plateau"
    assert rises <= 1


def test_the_seed_of_an_image_follows_from_what_it_is(run: Run) -> None:
    parts = sorted((run.folder / "generation" / "parts").glob("*.parquet"))
    names = ["concept", "prompt", "image_index", "seed", "arm"]
    seeds: dict[str, set[int]] = {"model": set(), "control": set()}
    for part in parts:
        for row in pq.read_table(part, columns=names).to_pylist():
            # No batch, no place in it, no number of images: nothing else can have made this number.
            wanted = image_seed(run.settings.seed, row["concept"], row["prompt"], row["image_index"])
            assert row["seed"] == wanted
            seeds[row["arm"]].add(row["seed"])
    n, prompts = len(run_concepts(run)), 5
    assert len(seeds["model"]) == n * prompts * 4  # one of the untrained
    assert len(seeds["control"]) == n * prompts
