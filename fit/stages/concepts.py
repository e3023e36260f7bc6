"""Stage `concepts`: the concept set of the run, checked."""

from __future__ import annotations

import pyarrow as pa

from concepts.catalogue import ConceptSet, find_catalogue
from fit.run import Job

VERSION = 1


def outside(job: Job) -> dict[str, str]:
    """Return the digest of the concept list."""
    return {f"concepts {job.settings.concepts}": _read(job).digest}


def work(job: Job) -> list[str]:
    """Say how many concepts there are."""
    return [f"{len(_read(job).concepts):,} concepts"]


def run(job: Job) -> None:
    """Write `concepts.parquet` and `catalogue.json` (title, warnings, source, licence)."""
    found = _read(job)
    rows = found.concepts
    table = pa.table(
        {
            "concept": pa.array([row.name for row in rows], pa.string()),
            "aliases": pa.array([list(row.aliases) for row in rows], pa.list_(pa.string())),
            "group": pa.array([row.group for row in rows], pa.string()),
            "flags": pa.array([list(row.flags) for row in rows], pa.list_(pa.string())),
        }
    )
    job.write("concepts", table)
    if found.removed:
        # Their names stand nowhere in the run.
        job.skip("", f"{found.removed:,} concepts", "on the removal list")
    job.write_json(
        "catalogue",
        {
            "name": found.name,
            "title": found.title,
            "warnings": list(found.warnings),
            "source": found.source,
            "licence": found.licence,
        },
    )


def _read(job: Job) -> ConceptSet:
    return find_catalogue(job.settings.concepts)
