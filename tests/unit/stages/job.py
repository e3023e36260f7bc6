"""Jobs of stages on a run folder of their own, with the tables that other stages would have left."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from fit import config
from fit.pipeline import STAGES
from fit.run import Job, Run

LISTED = (("Ada Lume", ["Lumeda"], "one"), ("Bo Krin", [], "two"), ("Cy Voss", [], "two"))


def job_of(folder: Path, stage: str, *assignments: str, corpus: str = "demo") -> Job:
    """The job of a stage as the runner makes it."""
    plain = config.Settings(
        domain="art-styles", concepts="art-styles/demo", model="demo", corpus=corpus, seed=3
    )
    needs = next(row.needs for row in STAGES if row.name == stage)
    return Job(Run(folder, config.apply(plain, assignments)), stage, needs)


def leave(folder: Path, stage: str, name: str, rows: list[dict[str, object]] | pa.Table) -> None:
    """Leave a table in the folder of a stage."""
    table = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(rows)
    job_of(folder, stage).write(name, table)


def leave_concepts(
    folder: Path, listed: tuple[tuple[str, list[str], str | None], ...] = LISTED
) -> tuple[str, ...]:
    """Leave the concept list and return the names."""
    columns = {
        "concept": pa.array([name for name, _, _ in listed], pa.string()),
        "aliases": pa.array([aliases for _, aliases, _ in listed], pa.list_(pa.string())),
        "group": pa.array([group for _, _, group in listed], pa.string()),
        "flags": pa.array([[] for _ in listed], pa.list_(pa.string())),
    }
    leave(folder, "concepts", "concepts", pa.table(columns))
    return tuple(name for name, _, _ in listed)


def skipped(job: Job) -> list[tuple[str, str, str]]:
    """What a stage has left out: (concept, item, reason)."""
    job.write_skipped()
    return [(r["concept"], r["item"], r["reason"]) for r in job.read(job.stage, "skipped").to_pylist()]
