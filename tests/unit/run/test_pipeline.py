"""The table of stages: the contract's names in the contract's order."""

from __future__ import annotations

import pytest

from concepts.errors import UsageError
from fit import config, pipeline
from fit.config import Settings


def test_the_stages_of_the_contract() -> None:
    line = "concepts → counts → references → verification → generation → scores → threshold → report"
    assert [stage.name for stage in pipeline.STAGES] == line.split(" → ")


def test_a_stage_comes_after_those_that_it_needs() -> None:
    seen: set[str] = set()
    for stage in pipeline.STAGES:
        assert seen.issuperset(stage.needs)
        seen.add(stage.name)


def test_every_setting_named_exists_and_every_setting_is_named() -> None:
    settings = Settings(domain="d", concepts="c", model="m", corpus="x")
    computing = [stage for stage in pipeline.STAGES if stage.name != "report"]  # the report prints them all
    named = {name for stage in computing for name in config.subset(settings, stage.settings)}
    others = ("report.", "execution.")  # what is shown, and who does the work: no result depends on it
    rest = {name for name in config.flat(settings) if name.startswith(others)}
    assert named | rest == set(config.flat(settings))
    assert not any(
        name.startswith("execution.") for name in config.subset(settings, pipeline.STAGES[-1].settings)
    )


def test_what_the_curve_shows_computes_no_score_again() -> None:
    settings = Settings(domain="d", concepts="c", model="m", corpus="x")
    named = [s.name for s in pipeline.STAGES if "scores.score" in config.subset(settings, s.settings)]
    assert named == ["threshold", "report"]


def test_until_is_the_line_up_to_a_stage() -> None:
    assert [stage.name for stage in pipeline.until("references")] == ["concepts", "counts", "references"]


def test_leading_to_is_what_a_stage_needs() -> None:
    assert [stage.name for stage in pipeline.leading_to("generation")] == ["concepts", "generation"]


def test_an_unknown_stage_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"^treshold: unknown stage \(did you mean threshold\?\)"):
        pipeline.until("treshold")
