"""docs/corpora.md and docs/catalogues.md say what the rows say."""

from __future__ import annotations

import re

import pytest

from concepts.catalogue import catalogue_names, find_catalogue
from concepts.errors import CorpusError
from corpus.availability import require
from corpus.registry import ROLES, corpora, load_corpus
from fit.cli.registry_rows import number
from fit.generation.models import models
from fit.generation.training import Training
from fit.report.flags import meanings
from tests.conftest import ROOT

CORPORA = (ROOT / "docs/corpora.md").read_text()
CATALOGUES = (ROOT / "docs/catalogues.md").read_text()


def table(text: str, head: str) -> dict[str, list[str]]:
    """Return the rows of the table with that head by their first cell, without the backquotes."""
    below = text.split(f"| {head} |", 1)[1].split("\n\n", maxsplit=1)[0].splitlines()[2:]
    rows = [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in below]
    return {row[0]: row[1:] for row in rows}


def test_every_corpus_has_a_line_that_agrees_with_its_row() -> None:
    lines = table(CORPORA, "`--corpus`")
    assert set(lines) == {row.name for row in corpora()}
    for row in corpora():
        rows, hub, access, _ = lines[row.name]
        assert rows == (number(row.rows) if row.rows else ""), row.name
        assert not row.hub or hub == row.hub, row.name
        assert (access == "gated") is row.access.startswith("gated"), row.name
        assert bool(access) is bool(row.access), row.name


def test_the_roles_are_those_of_the_registry() -> None:
    (said,) = re.findall(r"by role: (.*?)\. A condition", CORPORA, re.DOTALL)
    assert tuple(re.findall(r"`(\w+)`", said)) == tuple(ROLES)


def test_the_example_of_a_training_phase_is_the_one_of_the_row() -> None:
    (model,) = (row for row in models() if row.name == "sd1.5")
    last = model.training[-1]
    for key in ("corpus", "name", "where"):
        assert f'\n{key} = "{getattr(last, key)}"\n' in CORPORA
    assert f"\nsteps = {last.steps:_}\nbatch = {last.batch}\n" in CORPORA


def test_every_key_of_a_phase_is_explained() -> None:
    explained = " ".join(table(CORPORA, "key"))
    assert {*re.findall(r"\w+", explained)} == set(Training.__dataclass_fields__) - {"name"}


def test_what_is_known_names_every_model() -> None:
    trained = {row.title for row in models() if row.training and row.name != "demo"}
    text = " ".join(CORPORA.split("**What is known.**")[1].split())
    assert trained == {
        "Kandinsky 2.2",
        "Latent Diffusion 1.45B (LAION-400M)",
        *(f"Stable Diffusion {number}" for number in ("1.1", "1.2", "1.3", "1.4", "1.5", "2.1", "2.1-base")),
    }
    for word in ("1.1 to 1.5", "2.1 and 2.1-base", "Latent Diffusion", "Kandinsky 2.2"):
        assert word in text


def test_the_kinds_of_flags_are_those_that_the_report_explains() -> None:
    assert set(table(CATALOGUES, "kind")) == set(meanings())


@pytest.mark.parametrize("kind", sorted(meanings()))
def test_the_example_of_a_flag_is_in_a_list(kind: str) -> None:
    example = table(CATALOGUES, "kind")[kind][0]
    flags = {
        flag
        for name in catalogue_names()
        for concept in find_catalogue(name).concepts
        for flag in concept.flags
    }
    assert example in flags


@pytest.mark.parametrize("alias", table(CATALOGUES, "alias"))
def test_the_examples_of_aliases_are_aliases(alias: str) -> None:
    assert any(alias in c.aliases for name in catalogue_names() for c in find_catalogue(name).concepts)


def test_what_is_said_of_a_missing_corpus_is_what_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIT_DATA", "/big")
    with pytest.raises(CorpusError) as caught:
        require(load_corpus("relaion2b-en"))
    assert caught.value.exit_code == 12
    assert f"error: {caught.value}" in " ".join(CORPORA.split())
