"""``fit count``: captions in files of one's own, or the stage of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fit.cli import printing
from fit.cli.estimate import Assignments
from fit.cli.stages import DryRun, Json, on_run

if TYPE_CHECKING:
    from fit.stages.count_files import Counted

EXAMPLE = "Example: fit count --captions 'laion/*.parquet' --concepts artists.csv --out counts.parquet"

Engine = Annotated[str, typer.Option(metavar="local|ray", help="Processes, or a Ray cluster.")]
Workers = Annotated[int, typer.Option(min=0, help="Workers; 0: one for each core.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLE)(count)


def count(
    run: Annotated[
        Path | None, typer.Argument(metavar="[RUN]", help="Run folder; or else give --captions.")
    ] = None,
    captions: Annotated[
        str | None,
        typer.Option(metavar="GLOB", help="Parquet files here, on s3:// or hf://, or hub:NAME to stream."),
    ] = None,
    concepts: Annotated[Path | None, typer.Option(help="CSV: concept, and optionally aliases (a|b).")] = None,
    out: Annotated[Path | None, typer.Option(help="Where the counts go: .parquet or .csv.")] = None,
    caption_column: Annotated[str, typer.Option(help="Default: TEXT, caption or text.")] = "",
    where: Annotated[str, typer.Option(metavar="SQL", help="Condition on the rows; default: all.")] = "",
    samples: Annotated[Path | None, typer.Option(help="Where sampled rows go: .parquet or .csv.")] = None,
    sample: Annotated[int, typer.Option(min=1, help="Rows sampled for each concept.")] = 400,
    words: Annotated[
        Path | None, typer.Option(help="Where words that co-occur go: .parquet or .csv.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the sample.")] = 0,
    engine: Engine = "local",
    workers: Workers = 0,
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
    from fit.config import execution_of
    from fit.stages import count_files, shard_work

    for file in filter(None, (out, samples, words)):
        count_files.check_suffix(file)
    counted = count_files.count_files(
        count_files.Captions(captions, caption_column, where),
        concepts,
        shard_work.work_beside(out),
        execution_of(engine, workers),
        count_files.Sampling(sample if samples else 0, words is not None, seed),
    )
    count_files.write_rows(out, counted.table)
    if samples is not None:
        count_files.write_rows(samples, counted.counts.samples)
    if words is not None and counted.words is not None:
        count_files.write_rows(words, counted.words)
    _told(counted, out, json)
    shard_work.remove_work(shard_work.work_beside(out))


def _told(counted: Counted, out: Path, json: bool) -> None:
    """Print what has been counted; end with exit code 20 where shards are left out."""
    from concepts.errors import StageIncomplete
    from fit import progress

    if json:
        printing.as_json(counted.table.to_pylist())
    else:
        typer.echo(str(out))
    for line in counted.lines:
        progress.note(line)
    for each in counted.unreadable:
        progress.note(f"left out: {each.name}: {each.reason}")
    if counted.unreadable:
        raise StageIncomplete(
            f"{len(counted.unreadable):,} shards are left out of {out}; mend them and run again: "
            "what is counted is kept"
        )
