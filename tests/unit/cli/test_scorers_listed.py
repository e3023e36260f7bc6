"""``fit scorers``, and docs/scorers.md says what the rows say."""

from __future__ import annotations

import json
import re

import pytest

from fit import cli
from fit.imitation.published_cuts import published_cuts
from fit.imitation.scorers import scorers
from tests.conftest import ROOT

TEXT = (ROOT / "docs/scorers.md").read_text()


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.run(["scorers", *arguments]) == 0
    return capsys.readouterr().out


def test_they_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    head, *lines = told(capsys).splitlines()
    assert head.split() == ["name", "title", "domain", "from", "licence"]
    assert [line.split()[0] for line in lines] == [row.name for row in scorers()]
    assert [row["name"] for row in json.loads(told(capsys, "--json"))] == [row.name for row in scorers()]


def test_one_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    page = told(capsys, "csd")
    assert page.startswith("csd: CSD, ViT-L/14\n")
    assert "hub:tomg-group-umd/CSD-ViT-L@" in page
    assert "40e92fad63a361b8136100cd234c42d401ef9b34ff1748234318929ebcc7e7a1" in page
    assert cli.run(["scorers", "cds"]) == 14
    assert "did you mean csd?" in capsys.readouterr().err


def test_every_row_has_a_line_in_the_document() -> None:
    lines = dict(re.findall(r"^\| `([\w-]+)` \| .* \| (.*) \| .* \|$", TEXT, re.MULTILINE))
    assert {row.name for row in scorers() if not row.is_ours} <= lines.keys()
    for row in (row for row in scorers() if row.name in lines):
        assert lines[row.name].replace(" ", "-") == row.domain, row.name


def test_the_published_cuts_stand_in_the_document() -> None:
    for row in published_cuts():
        assert str(row.value) in TEXT, row
