"""``fit lookup``: what a run says of one name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fit.cli import printing


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog='Example: fit lookup "Vilanu Sotemar" --run runs/art-styles-demo --sheet evidence.html'
    )(lookup)


def lookup(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A concept's name or one of its aliases.")],
    run: Annotated[Path | None, typer.Option(help="Run folder; default: all below runs/.")] = None,
    out: Annotated[
        Path | None, typer.Option("--sheet", metavar="FILE.html", help="Also write an evidence sheet.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tell how often captions name a concept, where it stands on the curve, and whether it is imitated.

    A name that a run does not have is counted in its corpus now.
    """
    from fit.report.lookup import render_sheet, sheet_json, sheet_lines
    from fit.run import artefacts
    from fit.stages.lookup import look_up

    found = look_up(name, run)
    if out is not None:
        artefacts.write_bytes(out, render_sheet(found[0]).encode())
    if json:
        printing.as_json([sheet_json(each) for each in found])
        return
    for each in found:
        for line in sheet_lines(each):
            typer.echo(line)
    if out is not None:
        typer.echo(f"sheet: {out}")
