"""``fit status``: how far a run is, and why a stage is stale."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fit.cli import printing


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: fit status runs/art-styles-demo")(status)


def status(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tell how each stage of a run stands and why one has to be computed again. Computes nothing."""
    from fit import execute
    from fit.run import folder, forgotten, freed, lock

    states = execute.status(folder.load(run))
    holder, gone = lock.holder(run), forgotten.number_forgotten(run)
    cleaned = {stage: len(files) for stage, files in freed.freed(run).items()}
    if json:
        rows = [
            {"stage": s.stage, "current": s.current, "reasons": s.reasons, "parts": s.kept} for s in states
        ]
        process = {"pid": holder.pid, "host": holder.host} if holder else None
        printing.as_json(
            {"run": str(run), "working": process, "forgotten": gone, "freed": cleaned, "stages": rows}
        )
        return
    printing.table([{"stage": state.stage, "state": state.sentence} for state in states])
    if gone:
        typer.echo(f"forgotten: {gone} removed from this run (fit forget); computed again, they stay away")
    for stage, files in cleaned.items():
        typer.echo(f"freed: {files} files of {stage} (fit clean); its receipt keeps their digests")
    if holder:
        typer.echo(f"process {holder.pid} on {holder.host} is working on it")
