"""A run that is killed at any moment goes on and comes to the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.faults import kills
from tests.e2e.faults.diary import TORTURE, Diary, totals
from tests.e2e.micro import Micro

SEED = 7
SAMPLE, LONG = 3, 30  # chains of nine kills


@pytest.mark.timeout(1800)
def test_a_sample_of_moments(world: Micro, undisturbed: kills.Undisturbed, tmp_path: Path) -> None:
    diary = Diary(TORTURE / "kills-sample.json")
    diary.path.unlink(missing_ok=True)
    figures = tried(diary, world, undisturbed, tmp_path, range(SAMPLE))
    assert figures["failures"] == []
    assert figures["hits"] >= 20


@pytest.mark.torture
@pytest.mark.timeout(5400)
def test_two_hundred_moments(world: Micro, undisturbed: kills.Undisturbed, tmp_path: Path) -> None:
    figures = tried(Diary(TORTURE / "kills.json"), world, undisturbed, tmp_path, range(SAMPLE, LONG))
    assert figures["failures"] == []
    assert figures["hits"] >= 200
    assert all(figures["by_stage"][target] >= 15 for target in kills.TARGETS)


def tried(
    diary: Diary, world: Micro, undisturbed: kills.Undisturbed, home: Path, numbers: range
) -> dict[str, Any]:
    """Go through the chains that the diary has not, and return the figures of all of them."""
    found = diary.read()
    left = sorted(set(numbers) - {case.chain for case in found})
    for some in kills.chains(world, undisturbed, home, left, SEED):
        found += some
        diary.write(found, stage_seconds=undisturbed.seconds)
    return totals(found)
