"""``fit curate``: which rows to drop so that chosen concepts stay at a limit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fit.cli import printing
from fit.cli.count import Engine, Workers

EXAMPLE = (
    "Example: fit curate --captions 'laion/*.parquet' --concepts artists.csv --limit 100 --out plan.parquet"
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLE)(curate)


def curate(
    captions: Annotated[str, typer.Option(metavar="GLOB", help="Parquet files with captions.")],
    out: Annotated[Path, typer.Option(metavar="PLAN", help="The plan: a Parquet file.")],
    concepts: Annotated[Path | None, typer.Option(help="CSV: concept, and optionally aliases (a|b).")] = None,
    limit: Annotated[
        str, typer.Option(metavar="N|RUN", help="Captions of each concept that stay, or a run's safe count.")
    ] = "",
    keep_best: Annotated[
        str, typer.Option(metavar="COLUMN", help="Keep the largest values; default: at random.")
    ] = "",
    opt_out: Annotated[
        Path | None, typer.Option(metavar="CSV", help="kind,value: name, domain or url; their rows go.")
    ] = None,
    cautious: Annotated[
        bool, typer.Option("--cautious", help="With RUN: hit rates at their upper bound.")
    ] = False,
    where: Annotated[str, typer.Option(metavar="SQL", help="Condition on the rows; default: all.")] = "",
    caption_column: Annotated[str, typer.Option(help="Default: TEXT, caption or text.")] = "",
    seed: Annotated[int, typer.Option(min=0, help="Of the random choice.")] = 0,
    engine: Engine = "local",
    workers: Workers = 0,
    apply: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Also write the shards without these rows.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Plan which rows to drop, as few as possible, so that each concept keeps at most the limit.

    With --apply alone (no --concepts) a plan that is there is applied.
    """
    from concepts.errors import UsageError
    from fit.config import execution_of
    from fit.stages import curate_files, curation_apply, shard_work
    from fit.stages.count_files import Captions

    where_from, execution = Captions(captions, caption_column, where), execution_of(engine, workers)
    if concepts is not None:
        if not limit:
            raise UsageError("give --limit: a number of captions, or a run folder")
        if out.suffix.lower() != ".parquet":
            raise UsageError(f"{out}: the name of a plan has to end with .parquet")
        asked = curate_files.Asked(where_from, concepts, limit, keep_best, opt_out, cautious, seed)
        work = shard_work.work_beside(out)
        planned = curate_files.curate(asked, out, work, execution)
        shard_work.remove_work(work)
        if json:
            printing.as_json(planned.summary)
        else:
            for line in (*planned.lines, f"plan: {out}"):
                typer.echo(line)
    elif apply is None:
        raise UsageError("give --concepts and --limit to make a plan, or --apply to apply one that is there")
    if apply is not None:
        dropped = curation_apply.apply_plan(out, where_from, apply, execution)
        typer.echo(f"{dropped:,} rows left out: {apply}", err=json)
