"""Different pictures of the demo world's artists: what is told, and what was planted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.demo


def test_the_range_of_distinct_images_holds_what_was_planted(demo_run: Path) -> None:
    truth = pq.read_table(ROOT / "data" / "demo" / "truth" / "artists.parquet").to_pylist()
    planted = {row["concept"]: row["frequency"] - row["duplicates"] for row in truth if row["frequency"]}
    found = pq.read_table(demo_run / "verification" / "frequencies.parquet").to_pylist()
    told = [row for row in found if row["concept"] in planted and row["distinct_frequency"] is not None]
    assert len(told) > 100
    covered = [
        row["distinct_frequency_low"] <= planted[row["concept"]] <= row["distinct_frequency_high"]
        for row in told
    ]
    assert np.mean(covered) >= 0.9
    errors = [
        row["distinct_frequency"] / planted[row["concept"]] - 1
        for row in told
        if planted[row["concept"]] >= 20
    ]
    assert abs(np.median(errors)) < 0.05
    # Copies counted as often as they stand there would be further off.
    naive = [row["frequency"] / planted[row["concept"]] - 1 for row in told if planted[row["concept"]] >= 20]
    assert np.median(np.abs(errors)) < 0.5 * np.median(np.abs(naive))
