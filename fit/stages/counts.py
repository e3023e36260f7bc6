"""Stage `counts`: captions that name each concept, and a bounded sample of their rows. One part per shard."""

from __future__ import annotations

import pyarrow as pa

from corpus.captions import CaptionCounter, CaptionQuery
from corpus.counts import merge
from corpus.registry import resolve
from corpus.shards import Shard, find_shards
from corpus.tables import counts_of, counts_table, samples_table, shard_table
from corpus.where import all_of
from fit.run import Job
from fit.stages.inputs import concepts_of, corpus_of

VERSION = 1


def outside(job: Job) -> dict[str, str]:
    """Return the digests of the caption shards."""
    return {f"shard {shard.name}": shard.digest for shard in _shards(job)}


def work(job: Job) -> list[str]:
    """Say how many captions are to be read, and how large they are on disk."""
    shards = _shards(job)
    size = sum(shard.path.stat().st_size for shard in shards)
    return [
        f"{sum(shard.rows for shard in shards):,} captions in {len(shards)} shards ({size / 1e6:,.1f} MB)"
    ]


def run(job: Job) -> None:
    """Write `counts.parquet`, `samples.parquet` and `tally.json` (what became of the captions)."""
    settings = job.settings
    where = all_of(corpus_of(settings).where, settings.counts.where)
    counter = CaptionCounter(CaptionQuery(concepts_of(job), job.seed, settings.counts.sample, where))
    shards = _shards(job)
    with job.progress(len(shards), "shards") as bar:
        for number, shard in enumerate(shards):
            if not job.has_part(f"{number:05d}"):
                job.write_part(f"{number:05d}", shard_table(counter.count(shard)))
            bar.advance()
    counts = merge(counts_of(part) for part in job.parts())
    job.write("counts", counts_table(counts))
    job.write("samples", samples_table(counts))
    tally = counts.tally
    job.write_json(
        "tally",
        {
            "rows": tally.rows,
            "captions": tally.captions,
            "named": tally.named,
            "excluded": tally.excluded,
            "null": tally.null,
            "empty": tally.empty,
            "repaired": tally.repaired,
        },
    )
    for number, what in (
        (tally.excluded, "the condition"),
        (tally.null, "null captions"),
        (tally.empty, "empty captions"),
    ):
        if number:
            job.skip("", f"{number:,} rows", f"left out of the count: {what}")


def _shards(job: Job) -> tuple[Shard, ...]:
    corpus = corpus_of(job.settings)
    return find_shards(resolve(corpus.captions), corpus.caption_column or None, corpus.url_column or None)


def caption_total(tally: dict[str, int]) -> int:
    """Return how many captions were looked at."""
    return tally["captions"]


def counts_by_concept(table: pa.Table) -> dict[str, tuple[int, int | None]]:
    """Return concept -> (caption count, distinct address count) of a counts table."""
    columns = (table[name].to_pylist() for name in ("concept", "caption_count", "distinct_url_count"))
    return {concept: (count, distinct) for concept, count, distinct in zip(*columns, strict=True)}
