"""``fit count-embeddings``: concepts counted by the embeddings of a corpus's images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fit.cli import printing

if TYPE_CHECKING:
    from corpus.shards import Unreadable
    from fit.stages.embedding_files import Counted

EXAMPLE = (
    "Example: fit count-embeddings --embeddings laion --references artists.parquet --cut 0.8 --out counts.csv"
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("count-embeddings", epilog=EXAMPLE)(count_embeddings)


def count_embeddings(
    embeddings: Annotated[
        str, typer.Option(metavar="GLOB", help="img_emb_*.npy or Parquet; or their folder.")
    ],
    out: Annotated[Path, typer.Option(help="Where the counts go: .parquet or .csv.")],
    references: Annotated[
        Path | None, typer.Option(help="Parquet: concept, embedding; with --scorer images of each concept.")
    ] = None,
    text_model: Annotated[
        str | None, typer.Option(metavar="NAME", help="Scorer or open_clip architecture that reads texts.")
    ] = None,
    pretrained: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Weights of that architecture.")
    ] = None,
    prompt: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="What is embedded; default: {concept}. Repeatable."),
    ] = None,
    scorer: Annotated[str, typer.Option(metavar="NAME", help="Embeds images given as references.")] = "",
    cut: Annotated[
        str, typer.Option(metavar="NUMBER|FILE", help="Least cosine; or one for each concept.")
    ] = "",
    false_match_rate: Annotated[
        float | None, typer.Option(metavar="SHARE", help="Calibrate the cuts: strangers let in.")
    ] = None,
    concepts: Annotated[
        Path | None, typer.Option(help="CSV: compare with the captions that name these.")
    ] = None,
    top: Annotated[int, typer.Option(help="Nearest rows kept for each concept.")] = 20,
    nearest: Annotated[Path | None, typer.Option(help="Where those go; default: beside the counts.")] = None,
    metadata: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Of metadata_*.parquet; default: beside.")
    ] = None,
    embedding_column: Annotated[
        str, typer.Option(help="Default: embedding, image_embedding or vector.")
    ] = "",
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:N or auto; the counts are the same.")] = "cpu",
    precision: Annotated[
        str, typer.Option(help="float32, float16 or bfloat16, by torch; the counts are the same.")
    ] = "",
    engine: Annotated[str, typer.Option(metavar="local|ray", help="Processes, or a Ray cluster.")] = "local",
    workers: Annotated[int, typer.Option(min=0, help="Workers; 0: this process on all cores.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Count the rows whose image embedding is near a concept's references, whatever their captions say."""
    from fit.config import execution_of
    from fit.stages import count_files, embedding_files, embedding_query, shard_work
    from fit.stages.embedding_task import Compute

    rows_to = nearest or out.with_name(f"{out.stem}.nearest{out.suffix}")
    for file in (out, rows_to):
        count_files.check_suffix(file)
    sought = embedding_query.Sought(
        references, scorer, text_model, pretrained, tuple(prompt or ["{concept}"]), concepts
    )
    asked = embedding_query.query_of(sought, cut, false_match_rate)
    counted = embedding_files.count_embeddings(
        embedding_files.Embeddings(embeddings, embedding_column, metadata),
        asked,
        top,
        shard_work.work_beside(out),
        (Compute(device, precision), execution_of(engine, workers)),
    )
    count_files.write_rows(out, counted.table)
    if top:
        count_files.write_rows(rows_to, counted.nearest)
    _told(counted, asked.left_out, out, json)
    shard_work.remove_work(shard_work.work_beside(out))


def _told(counted: Counted, concepts_left_out: Sequence[Unreadable], out: Path, json: bool) -> None:
    """Print what has been counted; end with exit code 20 where files are left out."""
    from concepts.errors import StageIncomplete
    from fit import progress

    left_out = (*concepts_left_out, *counted.left_out)
    if json:
        printing.as_json(
            {
                "tally": asdict(counted.counts.tally),
                "concepts": counted.table.to_pylist(),
                "left_out": [asdict(each) for each in left_out],
            }
        )
    else:
        typer.echo(str(out))
    for line in (*counted.lines, *(f"left out: {each.name}: {each.reason}" for each in left_out)):
        progress.note(line)
    if counted.left_out:
        raise StageIncomplete(
            f"{len(counted.left_out):,} files are left out of {out}; mend them and run again: "
            "what is counted is kept"
        )
