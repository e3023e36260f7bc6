"""``fit forget``: everything of somebody deleted from runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fit.cli import printing

EXAMPLE = 'Example: fit forget "Ada Lume" runs/faces-sd1.5 runs/faces-sd2.1'


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLE)(forget)


def forget(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A concept's name or one of its aliases.")],
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be deleted and stop.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Delete everything of a person, or of any other concept, from runs, and say what was deleted.

    Rows, images, embeddings and every text that names them go; the verdict and the report are computed again
    from what is left. The run remembers a digest of the name, so that computing it again does not bring them
    back; a removal list named by FIT_REMOVED gets it too.
    """
    from fit.forget.erase import check_found
    from fit.forget.erase import forget as erase
    from fit.run import folder

    loaded = [folder.load(run) for run in runs]
    erased = [erase(name, run, write=not dry_run) for run in loaded]
    check_found(name, erased, loaded)
    if json:
        rows = [
            {
                "run": str(each.run),
                "concept": each.known,
                "deleted": dict(each.deleted.counts()),
                "computed_again": each.again,
                "not_computed_again": each.left or None,
            }
            for each in erased
        ]
        printing.as_json({"dry_run": dry_run, "runs": rows})
        return
    for each in erased:
        typer.echo(each.sentence(dry_run))
    typer.echo("Copies elsewhere (bundles, exported reports, backups) are not touched.")
