"""`fit whatif` on a finished run, as a user calls it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Finished


def test_a_concept_of_a_run(micro_run: Path, command: Callable[..., Finished]) -> None:
    done = command("whatif", str(micro_run), "--images", "50", "--json")
    # The model is untrained, so that no rise is there: the mean, or a fall of which nothing is expected.
    assert done.code in (0, 21), done.err
    if done.code == 0:
        found = json.loads(done.out)
        low, high = found["score_interval"]
        assert low <= found["score"] <= high
        assert found["images"] == 50


def test_an_unknown_name_is_one_line(micro_run: Path, command: Callable[..., Finished]) -> None:
    done = command("whatif", str(micro_run), "--concept", "Nobody At All", "--images", "5")
    assert done.code == 11
    assert done.err.count("\n") == 1
