"""``fit plan``: what a study would find, before it is paid for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fit.cli import printing


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: fit plan --concepts 400 --images 200 --pilot runs/art-styles-demo")(plan)


def plan(
    concepts: Annotated[int, typer.Option(min=10, max=20_000, help="Concepts of the study.")],
    images: Annotated[int, typer.Option(min=1, help="Generated images of each concept.")],
    pilot: Annotated[
        Path | None, typer.Option(metavar="CURVE|RUN", help="Take the noise from a curve or a run.")
    ] = None,
    extra: Annotated[
        int, typer.Option(min=0, help="With --pilot: images to spend next on its concepts.")
    ] = 0,
    level: Annotated[float, typer.Option(min=0.5, max=0.999, help="Confidence level.")] = 0.95,
    seed: Annotated[int, typer.Option(min=0, help="Seed.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Predict which rises would be found, and how well located, for so many concepts and images.

    The noise is that of the demo world unless a pilot says better; frequencies are spread as in the published
    study unless a pilot has others.
    """
    from fit.stages import planning

    made = planning.plan(planning.Design(concepts, images, level, seed), pilot, extra)
    if json:
        printing.as_json(made.document)
        return
    typer.echo(made.heading)
    printing.table(made.rows)
    for line in made.notes:
        typer.echo(line)
