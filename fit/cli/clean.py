"""``fit clean``: what a run takes on disk, and what of it can go."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fit.cli import printing


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: fit clean runs/art-styles-demo --stage generation --yes")(clean)


def clean(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder.")],
    stage: Annotated[
        list[str] | None, typer.Option(metavar="STAGE", help="Only of this one; may be repeated.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Delete; without it nothing is deleted.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what each stage takes on disk, and delete what can go without losing a result.

    Generated and fetched images go once the stages that read them are finished. Receipts keep their digests:
    the run stays current, is bundled and checked as before, and computes them again only for a stage that
    needs them.
    """
    from fit import clean as cleaning
    from fit.run import folder

    loaded = folder.load(run)
    rooms = cleaning.clean(loaded, stage or ()) if yes else cleaning.chosen(loaded, stage or ())
    if json:
        rows = [
            {"stage": r.name, "bytes": r.size, "freeable": r.freeable, "files": len(r.files), "note": r.note}
            for r in rooms
        ]
        printing.as_json({"run": str(run), "deleted": yes, "stages": rows})
        return
    whole = _megabytes(sum(room.freeable for room in rooms))
    if yes:
        told = ", ".join(f"{len(room.files)} files of {room.name}" for room in rooms if room.files)
        typer.echo(f"{run}: deleted {told} ({whole})" if told else f"{run}: nothing can be deleted")
        return
    printing.table(
        [
            {"stage": r.name, "on disk": _megabytes(r.size), "can go": _megabytes(r.freeable), "what": r.note}
            for r in rooms
        ]
    )
    typer.echo(f"{whole} can go: the same command with --yes deletes them")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
