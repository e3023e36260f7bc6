"""``fit calibrate``: the errors of a scorer's cut, from reference images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fit.cli import printing
from fit.cli.stages import Json

if TYPE_CHECKING:
    from fit.stages.calibrate_files import Source

EXAMPLE = "Example: fit calibrate references/ --scorer csd --false-match-rate 0.01 --out calibration"
PERCENT = ("false_match_rate", "false_non_match_rate", "equal_error_rate")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLE)(calibrate)


def calibrate(
    source: Annotated[
        Path, typer.Argument(metavar="RUN|REFERENCES", help="Run folder, or folder of reference images.")
    ],
    scorer: Annotated[str, typer.Option(help="Row of the scorers, or KIND:PLACE; default: the run's.")] = "",
    false_match_rate: Annotated[
        float, typer.Option(min=1e-6, max=0.499, help="Share of other concepts' images let in.")
    ] = 0.01,
    concepts: Annotated[
        Path | None, typer.Option(metavar="CSV", help="With REFERENCES: concept, aliases, group.")
    ] = None,
    allow_pickle: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A pickled checkpoint that you vouch for.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Tables and chart; default with a RUN: inside it.")
    ] = None,
    json: Json = False,
) -> None:
    """Tell how many true images a cut refuses and how many strangers it lets in, by group.

    Each reference is judged by the others of its concept, and by all of every other concept.
    """
    from fit import progress
    from fit.run import folder
    from fit.stages.calibrate_references import calibrate_references, write_calibration
    from fit.weights import pickles

    if allow_pickle is not None:
        pickles.allow_pickle(allow_pickle)
    found_in = _source(source, scorer, concepts)
    found = calibrate_references(found_in.references, false_match_rate, found_in.scorer, found_in.concepts)
    home = out or (source / "calibration" if folder.is_run(source) else None)
    if home is not None:
        write_calibration(found, home)
    for name, key, reason in found_in.references.skipped:
        progress.note(f"left out: {key} of {name}: {reason}")
    for warning in found.warnings:
        progress.note(f"warning: {warning}")
    if json:
        printing.as_json(found.document)
        return
    printing.table([{key: _cell(key, value) for key, value in row.items()} for row in found.groups])
    if home is not None:
        typer.echo(f"calibration: {home}")


def _source(source: Path, scorer: str, concepts: Path | None) -> Source:
    from fit import execute, pipeline
    from fit.run import folder
    from fit.stages import calibrate_files

    if not folder.is_run(source):
        return calibrate_files.references_of_folder(source, scorer, concepts)
    run = folder.load(source)
    execute.bring_up_to_date(run, pipeline.leading_to("references"))
    return calibrate_files.references_of_run(run, scorer)


def _cell(key: str, value: object) -> str:
    if isinstance(value, float):
        return f"{100 * value:.2g} %" if key in PERCENT else f"{value:.4f}"
    return str(value)
