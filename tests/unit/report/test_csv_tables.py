"""The report's tables as CSV: the same numbers, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from fit.report.csv_tables import cell, csv_tables, text_of
from fit.report.facts import build_facts
from fit.report.inputs import CurvePoint
from tests.unit.report.planted import inputs
from tests.unit.report.test_report_pages import hostile_inputs


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_every_concept_stands_in_full() -> None:
    facts = build_facts(inputs("gradual"))
    table = rows(csv_tables(facts)["concepts.csv"])
    assert [row["concept"] for row in table] == [point.concept for point in facts.points]
    for row, point in zip(table, facts.points, strict=True):
        assert float(row["frequency"]) == point.frequency
        assert float(row["score"]) == point.score
        assert row["verdict"] == point.verdict


def test_what_is_not_known_is_an_empty_cell() -> None:
    facts = build_facts(replace(inputs("gradual"), curve=(CurvePoint("Ada"),)))
    (row,) = rows(csv_tables(facts)["concepts.csv"])
    assert (row["frequency"], row["score"], row["verdict"]) == ("", "", "")


def test_flags_stand_as_in_the_concept_list() -> None:
    flagged = CurvePoint("Ada", flags=("ambiguous: also a river", "to be checked"))
    facts = build_facts(replace(inputs("gradual"), curve=(flagged, CurvePoint("Bo"))))
    found = {row["concept"]: row["flags"] for row in rows(csv_tables(facts)["concepts.csv"])}
    assert found == {"Ada": "ambiguous: also a river|to be checked", "Bo": ""}


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@sum(a1)", "\t=1"])
def test_formulas_are_text(name: str) -> None:
    facts = build_facts(replace(inputs("gradual"), curve=(CurvePoint(name, frequency=1, score=-0.5),)))
    (row,) = rows(csv_tables(facts)["concepts.csv"])
    assert row["concept"] == f"'{name}"
    assert float(row["score"]) == -0.5


@pytest.mark.parametrize("text", ["=1+1", "'=1+1", "''-2", "'quoted'", "@x", "plain", "", "'", "a=b"])
def test_a_cell_is_read_as_it_was_meant(text: str) -> None:
    assert text_of(str(cell(text))) == text
    assert not str(cell(text)).startswith(("=", "+", "-", "@"))


def test_strangers_words_stay_in_their_cells() -> None:
    facts = build_facts(hostile_inputs())
    tables = csv_tables(facts)
    assert set(tables) == {"concepts.csv", "checks.csv", "left-out.csv", "stages.csv"}
    assert len(rows(tables["concepts.csv"])) == len(facts.points)
    assert len(rows(tables["left-out.csv"])) == len(facts.left_out)
