"""``fit compare``: two models or corpora on the same concepts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fit.cli import printing


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: fit compare runs/art-styles-sd1.5 runs/art-styles-sd2.1 --out compared")(
        compare
    )


def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN RUN...", help="Finished run folders.")],
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Also write page, Markdown, drawing and JSON there.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare runs on the concepts they share: verdicts, and whether the rise is at the same place."""
    from fit import api

    found = api.compare(*runs)
    page = None if out is None else found.write(out)
    if json:
        printing.as_json(found.document)
        return
    printing.table(found.rows)
    for line in found.lines:
        typer.echo(line)
    if page is not None:
        typer.echo(f"page: {page}")
