"""Stage `concepts`: the concept set of the run, checked."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from concepts.catalogue import ConceptSet, digest_of, find_catalogue
from concepts.catalogue_checks import find_warnings
from concepts.removal import without_removed
from fit.run import Job
from fit.run.forgotten import forgotten

VERSION = 2


def outside(job: Job) -> dict[str, str]:
    """Return the digest of the concept list."""
    return {f"concepts {job.settings.concepts}": concept_set(job).digest}


def work(job: Job) -> list[str]:
    """Say how many concepts there are."""
    return [f"{len(concept_set(job).concepts):,} concepts"]


def run(job: Job) -> None:
    """Write `concepts.parquet` and `catalogue.json` (title, warnings, source, licence)."""
    found = concept_set(job)
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
            "people": found.people,
        },
    )


def concept_set(job: Job) -> ConceptSet:
    """Return the concept list without those that were removed from this run (``fit forget``)."""
    found, gone = find_catalogue(job.settings.concepts), forgotten(job.run_folder)
    if not gone:
        return found
    kept = without_removed(found.concepts, gone)
    return replace(
        found,
        concepts=kept.concepts,
        digest=digest_of(kept.concepts),
        removed=found.removed + kept.removed,
        warnings=find_warnings(kept.concepts),
    )
