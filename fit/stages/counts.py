"""Stage `counts`: captions that name each concept, and a bounded sample of their rows. One part per shard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa

from concepts.errors import StageIncomplete
from concepts.own_rows import CORPUS
from corpus.captions import CaptionCounter, CaptionQuery
from corpus.counts import CaptionCounts
from corpus.registry import captions_place
from corpus.shards import Shard, Survey, survey_shards
from corpus.tables import EXPOSURE
from corpus.where import all_of
from fit.run import Job
from fit.stages.inputs import concepts_of, corpus_of, own_row, phases_of
from fit.stages.shard_work import merged, over_shards

VERSION = 2


def outside(job: Job) -> dict[str, str]:
    """Return the digests of the caption shards, what the model's training saw of them, and of an own row."""
    shards = {f"shard {shard.name}": shard.digest for shard in _survey(job).shards}
    seen = {phase.name: f"{phase.passes} x {phase.where}" for phase in phases_of(job.settings)}
    return shards | seen | own_row(CORPUS, job.settings.corpus, ("where", "caption_column", "url_column"))


def work(job: Job) -> list[str]:
    """Say how many captions are to be read, and how large they are."""
    survey = _survey(job)
    size = sum(shard.size or 0 for shard in survey.shards)
    rows = [shard.known_rows for shard in survey.shards]
    captions = "an unknown number of" if None in rows else f"{sum(filter(None, rows)):,}"
    lines = [f"{captions} captions in {len(rows)} shards ({size / 1e6:,.1f} MB)"]
    return lines + [f"left out: {each.reason}" for each in survey.unreadable]


def run(job: Job) -> None:
    """Write `counts`, `samples`, `tally` (what became of the captions) and, with phases, `exposure`."""
    settings = job.settings
    where = all_of(corpus_of(settings).where, settings.counts.where)
    phases = phases_of(settings)
    query = CaptionQuery(
        concepts_of(job),
        job.seed,
        settings.counts.sample,
        where,
        tuple((phase.name, phase.where) for phase in phases),
    )
    survey = _survey(job)
    kept = _Parts(job, {shard.name: number for number, shard in enumerate(survey.shards)})
    unreadable = over_shards(CaptionCounter(query), survey, kept, settings.execution, job.stage)
    for each in unreadable:
        job.skip("", each.name, each.reason)
    if len(unreadable) > settings.counts.unreadable_shards:
        job.write_skipped()
        every = len(survey.shards) + len(survey.unreadable)
        raise StageIncomplete(
            f"counts: {len(unreadable)} of {every} shards cannot be read ({unreadable[0].reason}); "
            f"mend them and run again, or --set counts.unreadable_shards={len(unreadable)} to go on without"
        )
    counts = merged(kept, survey.shards, query.names)
    job.write("counts", counts.table())
    job.write("samples", counts.samples)
    if phases:
        job.write("exposure", _exposure(counts, [phase.passes for phase in phases]))
    _write_tally(job, counts, len(unreadable))


def _write_tally(job: Job, counts: CaptionCounts, unreadable: int) -> None:
    tally = counts.tally
    job.write_json("tally", asdict(tally) | {"captions": tally.captions, "unreadable_shards": unreadable})
    for number, what in (
        (tally.excluded, "the condition"),
        (tally.null, "null captions"),
        (tally.empty, "empty captions"),
    ):
        if number:
            job.skip("", f"{number:,} rows", f"left out of the count: {what}")


def _exposure(counts: CaptionCounts, passes: Sequence[float | None]) -> pa.Table:
    """Return what each training phase saw of each concept (schema `corpus.tables.EXPOSURE`)."""
    n = len(counts.concepts)
    columns = [
        counts.concepts * len(passes),
        [name for name in counts.phases for _ in range(n)],
        counts.phase_counts.ravel(),
        [each for each in passes for _ in range(n)],
    ]
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, EXPOSURE, strict=True)],
        schema=EXPOSURE,
    )


@dataclass(frozen=True)
class _Parts:
    """The stage's parts: one for each shard, by its place among them."""

    job: Job
    numbers: Mapping[str, int]

    def _name(self, shard: Shard) -> str:
        return f"{self.numbers[shard.name]:05d}"

    def has(self, shard: Shard) -> bool:
        return self.job.has_part(self._name(shard))

    def write(self, shard: Shard, table: pa.Table) -> None:
        self.job.write_part(self._name(shard), table)

    def files(self, shards: Sequence[Shard]) -> list[Path]:
        names = [self._name(shard) for shard in shards if self.has(shard)]
        return [self.job.parts_folder / f"{name}.parquet" for name in names]


def _survey(job: Job) -> Survey:
    corpus = corpus_of(job.settings)
    return survey_shards(captions_place(corpus), corpus.caption_column or None, corpus.url_column or None)


def counts_by_concept(table: pa.Table) -> dict[str, tuple[int, int | None]]:
    """Return concept -> (caption count, distinct address count) of a counts table."""
    columns = (table[name].to_pylist() for name in ("concept", "caption_count", "distinct_url_count"))
    return {concept: (count, distinct) for concept, count, distinct in zip(*columns, strict=True)}
