"""Stage `report`: what the other stages found, as pages, Markdown, a drawing, JSON and CSV."""

from __future__ import annotations

import fit
from concepts.own_rows import CORPUS, DOMAIN, MODEL, SCORER
from fit.report.csv_tables import csv_tables
from fit.report.drawing import curve_specification
from fit.report.facts import build_facts
from fit.report.policy import render_policy_html, render_policy_markdown
from fit.report.rendering import (
    CURVE_FILE,
    CURVE_SPECIFICATION,
    curve_svg,
    facts_json,
    render_html,
    render_markdown,
)
from fit.run import Job
from fit.stages.inputs import own_row, scorer_of
from fit.stages.report_inputs import report_inputs

VERSION = 6


def outside(job: Job) -> dict[str, str]:
    """Return the version that writes the report, and digests of the own rows that it quotes."""
    settings = job.settings
    quoted = {
        DOMAIN: settings.domain,
        CORPUS: settings.corpus,
        MODEL: settings.model,
        SCORER: scorer_of(settings).name,
    }
    rows = [own_row(kind, name) for kind, name in quoted.items()]
    return {"fit": fit.__version__} | {name: digest for row in rows for name, digest in row.items()}


def work(_job: Job) -> list[str]:
    """Say what is to be written."""
    return ["report.html, policy.html, both as Markdown, curve.svg and .vl.json, report.json, tables as CSV"]


def run(job: Job) -> None:
    """Write the report, the policy report, the drawing that both Markdown files show, `report.json`, CSV."""
    facts = build_facts(report_inputs(job))
    job.write_bytes("report.html", render_html(facts).encode())
    job.write_bytes("report.md", render_markdown(facts).encode())
    job.write_bytes("policy.html", render_policy_html(facts).encode())
    job.write_bytes("policy.md", render_policy_markdown(facts).encode())
    job.write_bytes(CURVE_FILE, curve_svg(facts).encode())
    job.write_json(CURVE_SPECIFICATION.removesuffix(".json"), curve_specification(facts))
    job.write_json("report", facts_json(facts))
    for name, text in csv_tables(facts).items():
        job.write_bytes(name, text.encode())
