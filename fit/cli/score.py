"""``fit score``: images of one's own, or the stage of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fit.cli import printing
from fit.cli.estimate import Assignments
from fit.cli.stages import DryRun, Json, on_run

EXAMPLE = (
    "Example: fit score images/ --frequencies counts.csv --references gold/ --scorer csd --out curve.csv"
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLE)(score)


def score(
    images: Annotated[
        Path, typer.Argument(metavar="RUN|FOLDER", help="Run folder, or folder of generated images.")
    ],
    frequencies: Annotated[
        Path | None, typer.Option(metavar="FILE", help="CSV or Parquet: concept, frequency, more.")
    ] = None,
    references: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Reference images, a sub-folder for each concept.")
    ] = None,
    scorer: Annotated[str, typer.Option(help="Row of the scorers, or KIND:PLACE.")] = "",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE|FOLDER", help="Curve as .csv or .parquet, or a folder.")
    ] = None,
    allow_pickle: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A pickled checkpoint that you vouch for.")
    ] = None,
    assignments: Assignments = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Compare generated images with references: imitation scores.

    FOLDER has a sub-folder for each concept, called by its name; prompts are sub-folders of that, or stand
    before the number in the files' names. fit threshold judges the curve that is written.
    """
    from concepts.errors import UsageError

    if allow_pickle is not None:
        from fit.weights import pickles

        pickles.allow_pickle(allow_pickle)
    if frequencies is None and references is None and out is None:
        more = [f"scorer.name={scorer}"] if scorer else []
        on_run(images, "scores", [*more, *(assignments or [])], dry_run)
        return
    if frequencies is None or references is None or out is None or not scorer:
        raise UsageError("a FOLDER needs --frequencies, --references, --scorer and --out (fit score --help)")
    from fit import progress
    from fit.stages import score_files

    asked = score_files.Asked(images, frequencies, references, scorer, out, tuple(assignments or ()))
    found = score_files.score_files(asked)
    for reason, number in score_files.counted(found.skipped).items():
        progress.note(f"left out: {number} x {reason}")
    if json:
        printing.as_json(found.curve.to_pylist())
    else:
        typer.echo(f"{len(found.curve)} concepts scored; judge them with fit threshold {found.path}")
