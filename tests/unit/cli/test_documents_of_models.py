"""docs/models.md names every row, preset and setting of sampling."""

from __future__ import annotations

import re

import pytest

from fit import cli
from fit.generation.models import models
from fit.generation.presets import presets
from fit.sections import Generation
from tests.conftest import ROOT

TEXT = (ROOT / "docs/models.md").read_text("utf-8")


def test_every_row_of_the_models_is_listed() -> None:
    table = TEXT[: TEXT.index("## On top of a model")]
    named = set(re.findall(r"`([^`]+)`", "".join(re.findall(r"^\| `.*?\|", table, re.MULTILINE))))
    assert named == {model.name for model in models()}


def test_every_preset_says_what_it_is() -> None:
    for preset in presets():
        row = next(line for line in TEXT.splitlines() if line.startswith(f"| `{preset.name}` |"))
        assert f"| {preset.images_per_prompt} |" in row
        assert ("**off**" in row) is not preset.safety_checker


def test_every_setting_of_sampling_is_explained() -> None:
    named = set(re.findall(r"`generation\.(\w+)`", TEXT))
    assert named == set(Generation.model_fields) - {"preset"}
    assert "--set generation.preset=" in TEXT


@pytest.mark.parametrize("command", ["estimate", "generate", "forget", "models"])
def test_options_that_it_names_exist(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([command, "--help"]) == 0
    page = capsys.readouterr().out
    wanted = {"estimate": ["--allow-pickle"], "generate": ["--allow-pickle"], "forget": ["--dry-run"]}
    assert all(option in page for option in wanted.get(command, []))
