"""Two runs or more side by side, on the concepts that all of them have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import numpy as np

import fit
from concepts.errors import StageIncomplete, TooLittleData, UsageError
from fit.report import compared as pages
from fit.report.compared import Between, Comparison
from fit.report.inputs import CurvePoint
from fit.report.sides import Side
from fit.report.verdict import read_verdict
from fit.run import Job, Run, artefacts, folder
from fit.run.receipts import read_receipt
from fit.stages.chart import Chart
from fit.stages.curve_file import read_curve
from fit.stages.report_inputs import READ_STAGES, curve_of
from fit.threshold import ImitationCurve, comparison, to_json
from fit.threshold.comparison import compare_curves, take
from fit.threshold.contrast import Contrast, contrast


@dataclass(frozen=True, eq=False)
class Compared:
    """Runs side by side.

    Attributes:
        rows: One for each run, for a table.
        lines: What was found, in words.
        document: The same for programs.
        comparison: The same for pages and drawings.
    """

    rows: tuple[dict[str, str], ...]
    lines: tuple[str, ...]
    document: dict[str, Any]
    comparison: Comparison

    def plot(self) -> Chart:
        """Return the curves, overlaid."""
        found = self.comparison
        return Chart(pages.compared_specification(found), pages.compared_svg(found), found.alt)

    def write(self, home: Path) -> Path:
        """Write page, Markdown, drawing and JSON into a folder and return where the page is."""
        chart = self.plot()
        artefacts.write_bytes(home / pages.DRAWING, chart.svg.encode())
        artefacts.write_json(home / "compare.vl.json", chart.specification)
        artefacts.write_json(home / "compare.json", self.document)
        for name, render in (
            ("compare.md", pages.render_compared_markdown),
            ("compare.html", pages.render_compared_html),
        ):
            artefacts.write_bytes(home / name, render(self.comparison).encode())
        return home / "compare.html"


def compare(homes: Sequence[Path]) -> Compared:
    """Compare finished runs.

    Args:
        homes: Two run folders or more.

    Raises:
        UsageError: Fewer than two, or one twice.
        RunFolderError: One is no run folder.
        StageIncomplete: One has no curve or no scores yet.
        TooLittleData: Fewer than ten concepts are on the curves of all.
    """
    runs = _labelled(homes)
    shared = _shared({label: _curve(run) for label, run in runs.items()})
    first = next(iter(runs.values())).settings
    found = compare_curves(
        shared, level=first.threshold.level, replicates=first.threshold.replicates // 2, seed=first.seed
    )
    sides = _sides(runs, shared, found)
    told = Comparison(
        sides,
        found.sentence,
        found.level,
        _between(sides, found),
        pages.changes(sides),
        len(next(iter(shared.values())).concepts),
    )
    rows = tuple({"run": f"{s.letter}  {s.label}", "finding": s.finding} for s in sides)
    return Compared(rows, _lines(told), _document(told, found), told)


def _labelled(homes: Sequence[Path]) -> dict[str, Run]:
    if len(homes) < 2 or len({home.resolve() for home in homes}) < len(homes):
        raise UsageError("compare needs two different runs or more")
    runs = {_label(run, home): run for home in homes for run in (folder.load(home),)}
    return runs if len(runs) == len(homes) else {str(home): folder.load(home) for home in homes}


def _label(run: Run, home: Path) -> str:
    """What tells runs apart: model and corpus, or else the folder."""
    settings = run.settings
    return f"{settings.model} on {settings.corpus}" if settings.seed == 0 else str(home)


def _curve(run: Run) -> ImitationCurve:
    path = run.folder / "threshold" / "curve.parquet"
    if not path.is_file():
        raise StageIncomplete(f"{path}: not there; run fit estimate --until threshold first")
    return read_curve(path)


def _shared(curves: Mapping[str, ImitationCurve]) -> dict[str, ImitationCurve]:
    """Cut the curves to the concepts that all of them have."""
    common = set.intersection(*(set(curve.concepts) for curve in curves.values()))
    if len(common) < 10:
        raise TooLittleData(f"{len(common)} concepts are on the curves of all runs; at least ten are needed")
    return {
        label: take(curve, np.array([name in common for name in curve.concepts]))
        for label, curve in curves.items()
    }


def _sides(
    runs: Mapping[str, Run], shared: Mapping[str, ImitationCurve], found: comparison.Comparison
) -> tuple[Side, ...]:
    letters = ascii_uppercase if len(runs) <= len(ascii_uppercase) else [str(n + 1) for n in range(len(runs))]
    return tuple(
        Side(
            letter,
            label,
            str(run.folder),
            read_verdict(to_json(found.verdicts[label], fit.__version__)),
            _points(run, set(shared[label].concepts)),
            _made(run),
        )
        for letter, (label, run) in zip(letters, runs.items(), strict=False)
    )


def _points(run: Run, names: set[str]) -> tuple[CurvePoint, ...]:
    points = (p for p in curve_of(Job(run, "report", READ_STAGES)) if p.concept in names)
    return tuple(sorted(points, key=lambda point: (-(point.frequency or 0.0), point.concept)))


def _made(run: Run) -> str:
    receipt = read_receipt(run.stage_folder("scores"))
    scores = f", scores {receipt.digest[:16]}" if receipt else ""
    return f"fit {fit.__version__}, seed {run.settings.seed}{scores}"


def _between(sides: Sequence[Side], found: comparison.Comparison) -> tuple[Between, ...]:
    """Contrast every two runs; with two alone the test of all is theirs."""
    verdicts = list(found.verdicts.values())
    tests: list[float | None] = [pair.p_value for pair in found.pairs] or [found.p_value]
    between = []
    for (i, j), p_value in zip(combinations(range(len(sides)), 2), tests, strict=True):
        told = contrast(verdicts[i], verdicts[j])
        letters = sides[i].letter, sides[j].letter
        if isinstance(told, Contrast):
            between.append(Between(*letters, told.factor, told.interval, None, p_value))
        else:
            between.append(Between(*letters, None, None, told.reason, p_value))
    return tuple(between)


def _lines(told: Comparison) -> tuple[str, ...]:
    return (
        f"{told.concepts:,} concepts are on the curves of all runs.",
        told.sentence,
        *(each.sentence(told.level) for each in told.between),
        *(pages.change_sentence(each) for each in told.changes),
    )


def _document(told: Comparison, found: comparison.Comparison) -> dict[str, Any]:
    return {
        "concepts": told.concepts,
        "runs": {s.label: {"letter": s.letter, "folder": s.folder, "finding": s.finding} for s in told.sides},
        **comparison.to_json(found),
        "factors": [
            {
                "first": each.first,
                "second": each.second,
                "factor": each.factor,
                "interval": None if each.interval is None else list(each.interval),
                "level": told.level,
                "reason": each.reason,
            }
            for each in told.between
        ],
        "verdict_changes": [
            {
                "first": each.first,
                "second": each.second,
                "concepts": len(each.concepts),
                "kinds": [{"from": a, "to": b, "concepts": n} for a, b, n in each.kinds],
                "names": [name for name, _, _ in each.concepts],
            }
            for each in told.changes
        ],
    }
