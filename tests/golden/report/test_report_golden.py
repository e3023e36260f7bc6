"""The Markdown report of a small planted run, word for word, and its JSON, number for number.

To accept a change that was meant: ``python -m tests.golden.report.test_report_golden``; read the difference.
"""

import json
from pathlib import Path

from fit.report.facts import build_facts
from fit.report.inputs import CurvePoint, ReportInputs
from fit.report.rendering import facts_json, render_markdown
from tests.unit.report.planted import PROVENANCE, SETTINGS, SKIPPED, STAGES, SUBJECT, controls, found

GOLDEN = Path(__file__).with_name("report.md")
GOLDEN_JSON = Path(__file__).with_name("report.json")


def small() -> ReportInputs:
    """Six artists, by hand."""
    points = (
        CurvePoint("Vel Torn", 0.0, 0.31, None, 0, 0, None, None, None, 0.0, 0.9, 0.05, 0.4, 0.3, "not"),
        CurvePoint("Éba Lúvun", 3.4, 0.33, None, 4, 4, 0.85, 0.7, 0.95, 2.8, 3.9, 0.05, 0.41, 0.3, "not"),
        CurvePoint(
            "Ond | Marás", 21.0, 0.45, None, 30, 26, 0.7, 0.6, 0.8, 17.5, 24.1, 0.05, 0.5, 0.3, "unclear"
        ),
        CurvePoint(
            "Isera Dor", 64.0, 0.6, None, 80, 71, 0.8, 0.74, 0.86, 60, 69, 0.05, 0.66, 0.3, "imitated"
        ),
        CurvePoint(
            "Quira Molth", 300.0, 0.71, None, 333, 290, 0.9, 0.87, 0.93, 290, 311, 0.05, 0.8, 0.31, "imitated"
        ),
        CurvePoint(
            "Shamo Vun",
            998.0,
            0.74,
            None,
            1204,
            1100,
            0.83,
            0.8,
            0.86,
            960,
            1030,
            0.04,
            0.82,
            0.3,
            "imitated",
            distinct_frequency=700.0,
            distinct_frequency_low=410.0,
            distinct_frequency_high=931.0,
            copies=0.12,
        ),
    )
    return ReportInputs(
        subject=SUBJECT,
        provenance=PROVENANCE,
        curve=points,
        threshold=found("gradual", n_concepts=6),
        published={"status": "threshold", "shape": "undetermined", "threshold": 64.0, "method": "mimetic2"},
        controls=controls(points),
        skipped=SKIPPED,
        stages=STAGES,
        settings_toml=SETTINGS,
        notes=("Frequencies below 5 images rest on few verified captions.",),
    )


def test_markdown_is_as_accepted():
    assert render_markdown(build_facts(small())) == GOLDEN.read_text(encoding="utf-8")


def test_json_is_as_accepted():
    assert as_json() == GOLDEN_JSON.read_text(encoding="utf-8")


def as_json() -> str:
    """The facts as the report stage writes them, one value a line."""
    return json.dumps(facts_json(build_facts(small())), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


if __name__ == "__main__":
    GOLDEN.write_text(render_markdown(build_facts(small())), encoding="utf-8")
    GOLDEN_JSON.write_text(as_json(), encoding="utf-8")
