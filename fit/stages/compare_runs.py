"""Two runs or more side by side, on the concepts that all of them have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from concepts.errors import StageIncomplete, TooLittleData, UsageError
from fit.report.verdict import read_verdict
from fit.report.wording import finding
from fit.run import Run, artefacts, folder
from fit.stages.curve_file import read_curve
from fit.threshold import ImitationCurve, comparison
from fit.threshold.comparison import compare_curves, take


@dataclass(frozen=True)
class Compared:
    """Runs side by side.

    Attributes:
        rows: One for each run, for a table.
        lines: What was found, in words.
        document: The same for programs.
    """

    rows: tuple[dict[str, str], ...]
    lines: tuple[str, ...]
    document: dict[str, Any]


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
    if len(homes) < 2 or len({home.resolve() for home in homes}) < len(homes):
        raise UsageError("compare needs two different runs or more")
    runs = {_label(run, home): run for home in homes for run in (folder.load(home),)}
    if len(runs) < len(homes):
        runs = {str(home): folder.load(home) for home in homes}
    curves = {label: _curve(run) for label, run in runs.items()}
    common = set.intersection(*(set(curve.concepts) for curve in curves.values()))
    if len(common) < 10:
        raise TooLittleData(f"{len(common)} concepts are on the curves of all runs; at least ten are needed")
    shared = {
        label: take(curve, np.array([name in common for name in curve.concepts]))
        for label, curve in curves.items()
    }
    first = next(iter(runs.values())).settings
    found = compare_curves(
        shared, level=first.threshold.level, replicates=first.threshold.replicates // 2, seed=first.seed
    )
    changes = _changes(runs, common)
    told = {label: _told(run) for label, run in runs.items()}
    lines = (
        f"{len(common):,} concepts are on the curves of all runs.",
        found.sentence,
        *(
            f"{a} and {b}: {number:,} concepts change their verdict{named}."
            for a, b, number, named in changes
        ),
    )
    document = {
        "concepts": len(common),
        "runs": {label: {"folder": str(run.folder), "finding": told[label]} for label, run in runs.items()},
        **comparison.to_json(found),
        "verdict_changes": [{"first": a, "second": b, "concepts": number} for a, b, number, _ in changes],
    }
    return Compared(tuple({"run": label, "finding": each} for label, each in told.items()), lines, document)


def _label(run: Run, home: Path) -> str:
    """What tells runs apart: model and corpus, or else the folder."""
    settings = run.settings
    return f"{settings.model} on {settings.corpus}" if settings.seed == 0 else str(home)


def _curve(run: Run) -> ImitationCurve:
    path = run.folder / "threshold" / "curve.parquet"
    if not path.is_file():
        raise StageIncomplete(f"{path}: not there; run fit estimate --until threshold first")
    return read_curve(path)


def _told(run: Run) -> str:
    return finding(read_verdict(artefacts.read_json(run.folder / "threshold" / "threshold.json")))


def _changes(runs: dict[str, Run], common: set[str]) -> list[tuple[str, str, int, str]]:
    """How many concepts have another verdict in the next run, with a few of their names."""
    verdicts = {label: _verdicts(run) for label, run in runs.items()}
    changes = []
    for one, other in pairwise(verdicts):
        names = sorted(n for n in common if verdicts[one].get(n) != verdicts[other].get(n))
        shown = f" ({', '.join(names[:3])}{' ...' if len(names) > 3 else ''})" if names else ""
        changes.append((one, other, len(names), shown))
    return changes


def _verdicts(run: Run) -> dict[str, str]:
    path = run.folder / "scores" / "scores.parquet"
    if not path.is_file():
        raise StageIncomplete(f"{path}: not there; run fit estimate --until scores first")
    return {row["concept"]: row["verdict"] for row in artefacts.read_table(path).to_pylist()}
