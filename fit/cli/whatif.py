"""``fit whatif``: what would be expected of a concept at another count."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fit.cli import printing


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog='Example: fit whatif runs/art-styles-demo --concept "Vilanu Sotemar" --captions 100')(
        whatif
    )


def whatif(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder with a threshold.")],
    concept: Annotated[
        str | None, typer.Option(metavar="NAME", help="A concept of the run; default: the average one.")
    ] = None,
    images: Annotated[
        float | None, typer.Option(min=0, max=1e12, help="Training images; default: those that NAME has.")
    ] = None,
    captions: Annotated[
        int | None, typer.Option(min=0, help="Captions that name NAME, turned into images by its hit rate.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tell the score and the rate that the average concept of another count reaches, with intervals.

    Read off the run's fitted curve; beyond the counts of the run's concepts it is extrapolated and says so.
    """
    from fit.stages.whatif import what_if

    found = what_if(run, concept, images, captions)
    if json:
        printing.as_json(found.document)
        return
    for line in found.lines:
        typer.echo(line)
