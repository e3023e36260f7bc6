"""The report's tables as CSV, for spreadsheets."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import fields

from fit.report.facts import Facts
from fit.report.inputs import CurvePoint

_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def csv_tables(facts: Facts) -> dict[str, str]:
    """Return the tables by file name: concepts, checks, what was left out, stages.

    Numbers stand in full, absent ones are empty cells; texts as `cell` writes them.
    """
    columns = [field.name for field in fields(CurvePoint)]
    return {
        "concepts.csv": _csv(columns, ([getattr(point, name) for name in columns] for point in facts.points)),
        "checks.csv": _csv(
            ("name", "sentence", "p_value"), ((c.name, c.sentence, c.p_value) for c in facts.checks)
        ),
        "left-out.csv": _csv(
            ("stage", "reason", "items", "concepts"),
            ((row.stage, row.reason, row.items, row.concepts) for row in facts.left_out),
        ),
        "stages.csv": _csv(("stage", "done", "digest"), ((s.stage, s.done, s.digest) for s in facts.stages)),
    }


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([cell(value) for value in row] for row in rows)
    return text.getvalue()


def cell(value: object) -> object:
    """Return a value as it stands in CSV.

    A text that a spreadsheet would take for a formula gets an apostrophe in front: names and captions come
    from strangers. `text_of` takes it away again.
    """
    if isinstance(value, tuple):
        value = "|".join(value)  # as in the concept list
    if isinstance(value, str) and _FORMULA.match(value):
        return f"'{value}"
    return "" if value is None else value


def text_of(written: str) -> str:
    """Return the text that `cell` has written so."""
    return written[1:] if written.startswith("'") and _FORMULA.match(written) else written
