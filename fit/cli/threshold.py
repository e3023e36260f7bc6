"""``fit threshold``: the verdict on a curve of one's own, or the stage of a run."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fit.cli import printing
from fit.cli.estimate import Assignments
from fit.cli.stages import DryRun, Json, on_run


class Method(StrEnum):
    """How the threshold is estimated."""

    AUTO = "auto"
    STEP = "step"
    LOGISTIC = "logistic"
    MIMETIC2 = "mimetic2"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: fit threshold curve.csv --level 0.9 --json")(threshold)


def threshold(
    curve: Annotated[
        Path, typer.Argument(metavar="CURVE|RUN", help="CSV or Parquet curve, or a run folder.")
    ],
    method: Annotated[Method | None, typer.Option(help="How; default: auto.")] = None,
    level: Annotated[
        float | None, typer.Option(min=0.5, max=0.999, help="Confidence level; default: 0.95.")
    ] = None,
    robust: Annotated[bool, typer.Option("--robust", help="Pull in outlying scores first.")] = False,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed; default: 0.")] = None,
    assignments: Assignments = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Judge an imitation curve: is there a threshold, of which shape, within which interval?

    A curve has the columns concept, frequency (images) and score; optional are frequency_low and
    frequency_high (95 % interval), score_se, group, images and passed.
    """
    given = {
        "threshold.method": method,
        "threshold.level": level,
        "threshold.robust": "true" if robust else None,
        "seed": seed,
    }
    changes = [f"{name}={value}" for name, value in given.items() if value is not None]
    from fit.run import folder

    if curve.is_dir() and not folder.is_run(curve) and (curve / "curve.parquet").is_file():
        curve = curve / "curve.parquet"  # what fit score writes of images of one's own
    if curve.is_dir():
        on_run(curve, "threshold", [*changes, *(assignments or [])], dry_run, json)
        return
    from fit.stages import curve_file

    judged = curve_file.judge(curve, [*changes, *(assignments or [])])
    if json:
        printing.as_json(judged.document)
    else:
        typer.echo(judged.sentence)
    judged.require_enough()
