"""``fit count``: captions in files of one's own, or the stage of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fit.cli import printing
from fit.cli.estimate import Assignments
from fit.cli.stages import DryRun, Json, on_run

EXAMPLE = "Example: fit count --captions 'laion/*.parquet' --concepts artists.csv --out counts.parquet"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLE)(count)


def count(
    run: Annotated[
        Path | None, typer.Argument(metavar="[RUN]", help="Run folder; or else give --captions.")
    ] = None,
    captions: Annotated[str | None, typer.Option(metavar="GLOB", help="Parquet files with captions.")] = None,
    concepts: Annotated[Path | None, typer.Option(help="CSV: concept, and optionally aliases (a|b).")] = None,
    out: Annotated[Path | None, typer.Option(help="Where the counts go: .parquet or .csv.")] = None,
    caption_column: Annotated[str, typer.Option(help="Default: TEXT, caption or text.")] = "",
    where: Annotated[str, typer.Option(metavar="SQL", help="Condition on the rows; default: all.")] = "",
    assignments: Assignments = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Count the captions that name each concept, by name or alias, each caption once."""
    from concepts.errors import UsageError

    if run is not None and captions is None:
        on_run(run, "counts", assignments, dry_run)
        return
    if run is not None or captions is None or concepts is None or out is None:
        raise UsageError("give a RUN, or --captions, --concepts and --out (see fit count --help)")
    from fit.stages import count_files

    count_files.check_suffix(out)
    counts = count_files.count_files(count_files.Captions(captions, caption_column, where), concepts)
    count_files.write_counts(out, counts)
    if json:
        printing.as_json(counts.to_pylist())
    else:
        typer.echo(str(out))
